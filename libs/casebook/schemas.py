"""A case on the wire: the same whichever service owns it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from libs.casebook.cases import Case, mask_name
from libs.casebook.contents import Document, HandedIn
from libs.casework.lifecycle import STATUS_NAMES
from libs.contracts.cases import NoticeItem
from libs.identifiers.credentials import Credential, CredentialType, clean, faults_of
from libs.refusals.faults import Fault
from libs.regions import names

RegionCode = Annotated[str, Field(pattern=r"^[1-8][0-9]{5}$", description="行政区划代码（GB/T 2260，六位）")]
# As long as the forms between agencies take them (libs/exchange/forms.py).
ShortText = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
LongText = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
CommitmentText = Annotated[str, Field(min_length=1, max_length=5000, pattern=r"^[^\x00]*$")]
Telephone = Annotated[str, Field(pattern=r"^[0-9+][0-9-]{4,19}$")]
Channel = Literal[
    "window",
    "service_station",
    "online",
    "mini_program",
    "app",
    "telephone",
    "post",
    "agent",
    "self_service",
    "joint_registration",
]


class Body(BaseModel):
    """Request bodies refuse what they do not know: a misspelt field is told, not dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class CredentialBody(Body):
    """A credential with its number, checked."""

    credential_type: CredentialType = Field(description="证件类型")
    credential_no: Annotated[str, Field(min_length=2, max_length=40, description="证件号码")]

    @field_validator("credential_no")
    @classmethod
    def _number_is_right(cls, number: str, known: ValidationInfo) -> str:
        credential_type = known.data.get("credential_type")
        found = faults_of(credential_type, number, "") if credential_type else []
        if found:
            raise ValueError("".join(fault.message for fault in found))
        return clean(number)

    @property
    def credential(self) -> Credential:
        return Credential(self.credential_type, self.credential_no)


class PersonBody(CredentialBody):
    """The person a case is about."""

    name: ShortText
    telephone: Telephone | None = None


class AgentBody(CredentialBody):
    """代办人 with the authorisation handed in among the materials."""

    name: ShortText
    telephone: Telephone
    relation: ShortText


class MaterialBody(Body):
    """A material handed in; ``commitment`` stands for a 个人承诺书 instead of it."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", description="目录中的材料编码")]
    source: Literal["original", "data_sharing", "commitment"] = "original"
    content_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    commitment_text: CommitmentText | None = None

    @model_validator(mode="after")
    def _commitment_has_its_text(self) -> MaterialBody:
        if (self.source == "commitment") != (self.commitment_text is not None):
            raise ValueError("以个人承诺书代替时必须附承诺书全文（commitment_text），其他来源不填")
        return self

    def handed_in(self) -> HandedIn:
        return HandedIn(self.key, self.key, self.source, self.content_digest, self.commitment_text)


class AcceptAction(Body):
    """受理。"""


class RequestSupplementAction(Body):
    """一次性告知：系统列出全部缺项；再次告知须主管人员并说明理由。"""

    remarks: list[LongText] = Field(default=[], max_length=50, description="系统查不出、人工发现的问题")
    reason: LongText | None = Field(default=None, description="再次告知的理由（主管人员填写）")


class RefuseAction(Body):
    """不予受理：系统列出的理由之外，可补充理由。"""

    reasons: list[LongText] = Field(default=[], max_length=50)


class ApproveAction(Body):
    """审核通过。"""


class FinanceCheckAction(Body):
    """财务复核通过。"""


class ChiefApproveAction(Body):
    """负责人审批通过。"""


class RejectAction(Body):
    """审核不通过。"""

    reasons: list[LongText] = Field(min_length=1, max_length=50)


class WithdrawAction(Body):
    """撤回。"""

    reason: LongText


class DueView(BaseModel):
    """``on`` is null while the clock stands still for a supplement."""

    on: dt.date | None
    provisional: bool = Field(description="跨入尚未公布节假日安排的年份，公布后重算")
    allowed: str = Field(description="办理时限，如9个工作日")
    paused_since: dt.date | None = None


class CaseView(BaseModel):
    """办件。"""

    case_no: str
    version: int
    region_code: str
    region_name: str
    counterpart_region_code: str | None
    operation: str
    item_key: str
    item_name: str
    edition_id: str
    channel: str
    applicant_name: str
    status: str
    status_name: str
    stage: str
    stage_name: str
    due: DueView | None
    notice: list[NoticeItem] = Field(description="尚待补正的事项，或不予受理、审核不通过的全部理由")
    submitted_at: dt.datetime
    ended_at: dt.datetime | None


class DocumentView(BaseModel):
    """A result document; ``content`` as its form has it. Its PDF, if any, is asked for by ``id``."""

    id: UUID
    kind: str
    number: str
    title: str
    content: dict[str, object]
    content_digest: str
    issued_at: dt.datetime


def case_view(case: Case, stage_names: dict[str, str], notice: list[Fault], *, full_name: bool) -> CaseView:
    """The case as its reader may see it; names are masked below clearance."""
    clock = case.clock
    due = clock and DueView(
        on=None if clock.paused_on else clock.due.on,
        provisional=clock.due.provisional,
        allowed=clock.allowed.in_chinese(),
        paused_since=clock.paused_on,
    )
    return CaseView(
        case_no=case.case_no,
        version=case.version,
        region_code=case.region_code,
        region_name=names.name_of(case.region_code),
        counterpart_region_code=case.counterpart_region_code,
        operation=case.operation,
        item_key=case.item_key,
        item_name=case.item_name,
        edition_id=case.edition_id,
        channel=case.channel,
        applicant_name=case.subject_name if full_name else mask_name(case.subject_name),
        status=case.status.value,
        status_name=STATUS_NAMES[case.status],
        stage=case.stage,
        stage_name=stage_names.get(case.stage, case.stage),
        due=due,
        notice=[
            NoticeItem(code=fault.code, message=fault.message, pointer=fault.pointer, rule=fault.rule)
            for fault in notice
        ],
        submitted_at=case.submitted_at,
        ended_at=case.ended_at,
    )


def document_view(document: Document) -> DocumentView:
    """A document of a case on the wire."""
    return DocumentView(
        id=document.id,
        kind=document.kind,
        number=document.number,
        title=document.title,
        content=dict(document.content),
        content_digest=document.content_digest,
        issued_at=document.issued_at,
    )
