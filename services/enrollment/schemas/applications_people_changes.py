"""职工、城乡居民参保信息变更登记 (hubei-2022 forms 5 and 6)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from libs.casebook.schemas import Body, CredentialBody, PersonBody, ShortText
from services.enrollment.domain.changes import ChangeItem, DataChange
from services.enrollment.domain.stops import StopReason
from services.enrollment.schemas.applications_residents import ApplicantStatus, SubsidyKind
from services.enrollment.schemas.values import CreditCode, Day, Telephone, Yuan

# More people than a form is read with.
MOST_PEOPLE = 200
MOST_CHANGES = 20

Value = str | dt.date | CredentialBody


class _ChangeBody(Body):
    """变更的一项；before为变更前信息，填写的须与参保档案一致。"""

    def data_change(self) -> DataChange:
        """The line as the rules see it."""
        told = self.model_dump(include={"item"})["item"]
        before, after = getattr(self, "before", None), getattr(self, "after")  # noqa: B009
        return DataChange(ChangeItem(told), _text(after) or "", _text(before))


class NameChange(_ChangeBody):
    """姓名。"""

    item: Literal["name"]
    before: ShortText | None = None
    after: ShortText


class SexChange(_ChangeBody):
    """性别。"""

    item: Literal["sex"]
    before: Literal["男", "女"] | None = None
    after: Literal["男", "女"]


class CredentialChange(_ChangeBody):
    """证件类型及号码。"""

    item: Literal["credential"]
    before: CredentialBody | None = None
    after: CredentialBody


class BirthDateChange(_ChangeBody):
    """出生日期。"""

    item: Literal["birth-date"]
    before: Day | None = None
    after: Day


class TelephoneChange(_ChangeBody):
    """联系电话。"""

    item: Literal["telephone"]
    before: Telephone | None = None
    after: Telephone


class AddressChange(_ChangeBody):
    """户籍地址（居住证登记地）。"""

    item: Literal["address"]
    before: ShortText | None = None
    after: ShortText


class StatusChange(_ChangeBody):
    """申请人身份。"""

    item: Literal["applicant-status"]
    before: ApplicantStatus | None = None
    after: ApplicantStatus


class SubsidyChange(_ChangeBody):
    """财政补助对象。"""

    item: Literal["subsidy-kind"]
    before: SubsidyKind | None = None
    after: SubsidyKind


class WageChange(_ChangeBody):
    """申报工资（元/月）。"""

    item: Literal["declared-wage"]
    before: Yuan | None = None
    after: Yuan


_Common = NameChange | SexChange | CredentialChange | BirthDateChange | TelephoneChange | AddressChange
EmployeeDataChange = Annotated[_Common | WageChange, Field(discriminator="item")]
ResidentDataChange = Annotated[_Common | StatusChange | SubsidyChange, Field(discriminator="item")]
RecordVersion = Annotated[
    int | None, Field(default=None, ge=1, description="查询到的档案版本；档案已被他人变更时不办理")
]


class EmployeeChangeRow(Body):
    """变更登记表的一人：现用证件，和要变更的各项。"""

    person: PersonBody = Field(description="参保人，填变更前的姓名和证件")
    changes: list[EmployeeDataChange] = Field(min_length=1, max_length=MOST_CHANGES)
    version: RecordVersion = None


class EmployeeChangePayload(Body):
    """职工参保信息变更登记；不填单位的为本人申请（含灵活就业人员）。"""

    kind: Literal["employee_change"] = "employee_change"
    employer_credit_code: CreditCode | None = Field(default=None, description="统一社会信用代码")
    people: list[EmployeeChangeRow] = Field(min_length=1, max_length=MOST_PEOPLE)


class ResidentChangeRow(Body):
    """变更登记表的一人；中止、终止参保的填末日和原因。"""

    person: PersonBody = Field(description="参保人，填变更前的姓名和证件")
    changes: list[ResidentDataChange] = Field(default=[], max_length=MOST_CHANGES)
    last_day: Day | None = Field(default=None, description="中止、终止参保的末日")
    reason: (
        Literal[
            StopReason.MOVED_AWAY,
            StopReason.EMIGRATED,
            StopReason.ENLISTED,
            StopReason.GAVE_UP,
            StopReason.OTHER,
        ]
        | None
    ) = Field(default=None, description="终止参保的原因")
    version: RecordVersion = None


class ResidentChangePayload(Body):
    """城乡居民参保信息变更登记：变更信息，或办理中止、终止参保。"""

    kind: Literal["resident_change"] = "resident_change"
    business: Literal["change", "suspend", "terminate"] = Field(
        default="change", description="信息变更、中止、终止"
    )
    people: list[ResidentChangeRow] = Field(min_length=1, max_length=MOST_PEOPLE)

    @model_validator(mode="after")
    def _rows_fit_the_business(self) -> Self:
        changing, ending = self.business == "change", self.business == "terminate"
        for number, row in enumerate(self.people, start=1):
            if bool(row.changes) != changing:
                raise ValueError(f"第{number}人：信息变更须填写变更项目（changes），中止、终止不填。")
            if (row.last_day is None) != changing:
                raise ValueError(f"第{number}人：中止、终止须填写末日（last_day），信息变更不填。")
            if (row.reason is not None) != ending:
                raise ValueError(f"第{number}人：只有终止填写原因（reason），且必填。")
        return self


def _text(value: Value | None) -> str | None:
    if isinstance(value, CredentialBody):
        return value.credential.canonical
    return value.isoformat() if isinstance(value, dt.date) else value
