"""城乡居民参保登记 (hubei-2022 form 3)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from libs.casebook.schemas import Body, ShortText
from services.enrollment.domain.rules import rules
from services.enrollment.schemas.people import InsuredPersonBody
from services.enrollment.schemas.values import Day


def _one_of(names: dict[str, str]) -> AfterValidator:
    def check(key: str) -> str:
        if key not in names:
            told = "、".join(f"{known}（{name}）" for known, name in names.items())
            raise ValueError(f"应为以下之一：{told}。")
        return key

    return AfterValidator(check)


_STATUSES = {key: status.name for key, status in rules().applicant_statuses.items()}
_SUBSIDIES = rules().subsidy_kinds

ApplicantStatus = Annotated[
    str, _one_of(_STATUSES), WithJsonSchema({"type": "string", "enum": list(_STATUSES)})
]
SubsidyKind = Annotated[
    str, _one_of(_SUBSIDIES), WithJsonSchema({"type": "string", "enum": list(_SUBSIDIES)})
]


class ResidentRegistrationPayload(Body):
    """城乡居民参保登记：为本人，或为家庭成员（填 person 和 relation）。"""

    kind: Literal["resident_registration"]
    person: InsuredPersonBody | None = Field(default=None, description="参保人；不填为申请人本人")
    relation: ShortText | None = Field(default=None, description="申请人与参保人的关系，如父亲、监护人")
    household_address: ShortText | None = Field(default=None, description="户籍地址（居住证登记地）")
    applicant_status: ApplicantStatus | None = Field(default=None, description="申请人身份")
    subsidy_kind: SubsidyKind | None = Field(default=None, description="财政补助对象")
    started_on: Day = Field(description="参保起始日期")
