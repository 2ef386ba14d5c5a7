"""The transfer service on the wire."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from libs.casebook.schemas import (
    Body,
    CaseView,
    LongText,
    MaterialBody,
    RegionCode,
    ShortText,
    Telephone,
)
from libs.caseflow.applications import Application
from libs.contracts.enrollment import ContributionPeriod
from libs.money.amounts import Yuan, fen_of


def _more_than_nothing(amount: str) -> str:
    if fen_of(amount) == 0:
        raise ValueError("金额应大于零")
    return amount


SomeYuan = Annotated[Yuan, AfterValidator(_more_than_nothing)]
Month = Annotated[str, Field(pattern=r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$")]


class AgencyBody(Body):
    """Address and postcode as the applicant knows them; left out, the directory's are taken."""

    address: ShortText | None = None
    postcode: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = None


class TransferPayload(Body):
    """转移接续申请表（表9）的内容。"""

    kind: Literal["transfer"] = "transfer"
    insurance_kind: Literal["310", "390"] = Field(description="310职工医保，390城乡居民医保")
    from_region_code: RegionCode = Field(description="转出地医保（行政）区划代码")
    to_region_code: RegionCode = Field(description="转入地医保（行政）区划代码")
    from_agency: AgencyBody = AgencyBody()
    to_agency: AgencyBody = AgencyBody()
    certificate_no: ShortText | None = Field(default=None, description="参保凭证号")


class ApplicationBody(Application[TransferPayload]):
    """转移接续申请。"""


class SupplementAction(Body):
    """补正：补交的材料，和更正或补充的信息。"""

    materials: list[MaterialBody] = Field(default=[], max_length=50)
    telephone: Telephone | None = None
    from_agency: AgencyBody | None = None
    to_agency: AgencyBody | None = None
    certificate_no: ShortText | None = None


class IssueContactLetterAction(Body):
    """发出联系函。"""


class IssueInformationSheetAction(Body):
    """核对无误，签发信息表。"""


class PayAction(Body):
    """资金已划转，发出划转通知。"""

    bank_reference: ShortText = Field(description="银行流水号")
    paid_on: dt.date


class TakeUpAction(Body):
    """核对无误，办理转入。"""


class ReturnForCorrectionAction(Body):
    """退回更正：一次列出全部问题。"""

    reason: LongText
    faults: list[LongText] = Field(min_length=1, max_length=50)


class PeriodBody(Body):
    """信息表的一行。"""

    from_month: Month
    to_month: Month
    insurance_kind: Literal["310", "390"]
    remark: ShortText | None = None


class CorrectAction(Body):
    """更正信息表：给出更正后的全部时间段，由另一位工作人员签发。"""

    reason: LongText
    periods: list[PeriodBody] = Field(min_length=1, max_length=600)


class InquireAction(Body):
    """催办。"""

    remark: LongText | None = None


class MoneyView(BaseModel):
    """Money of this side, in yuan; null where not known yet."""

    on_sheet: Yuan | None
    paid_on: dt.date | None
    bank_reference: str | None
    received: Yuan | None
    received_on: dt.date | None


class ContinuityView(BaseModel):
    """How the break before enrolment is treated."""

    break_months: int
    may_be_made_good: bool
    waiting_months: int
    waiting_until: dt.date | None


class TransferView(BaseModel):
    """转移接续办件的一侧。"""

    case: CaseView
    conversation: str
    side: Literal["in", "out"]
    regime: Literal["letter", "platform"]
    insurance_kind: str
    stage_due_on: dt.date | None = Field(description="本环节期限；等待对方时为对方应答期限")
    sheet_number: str | None
    periods: list[ContributionPeriod]
    money: MoneyView
    continuity: ContinuityView | None
    inquiries: int


class ExchangeMessageView(BaseModel):
    """往来报文的一条，取自本侧流水。"""

    position: int
    direction: str
    kind: str
    kind_name: str
    message_id: str | None
    at: dt.datetime
    state: str
    digest: str


class BankReceiptBody(Body):
    """银行到账流水的一行。"""

    region_code: RegionCode
    bank_reference: ShortText
    amount: SomeYuan
    payer_name: ShortText
    remark: LongText
    received_on: dt.date


class BankReceiptView(BaseModel):
    """``case_no`` is null while the money belongs to no case yet; ``explanation`` says why."""

    bank_reference: str
    amount: Yuan
    received_on: dt.date
    case_no: str | None
    explanation: str
