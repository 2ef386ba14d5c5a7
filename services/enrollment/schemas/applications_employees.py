"""职工参保登记 (hubei-2022 form 2): six kinds of change, many people in one form."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from libs.casebook.schemas import Body, ShortText
from services.enrollment.domain.employment import ChangeKind
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.stops import StopReason
from services.enrollment.schemas.people import InsuredPersonBody
from services.enrollment.schemas.values import CreditCode, Day, Yuan

# More people than a form is read with; larger employers hand in a roster.
MOST_PEOPLE = 200

EmploymentInsurance = Literal[InsuranceKind.EMPLOYEE, InsuranceKind.LARGE_AMOUNT, InsuranceKind.MATERNITY]


class EmployeeRow(Body):
    """登记表的一行。"""

    person: InsuredPersonBody
    change: ChangeKind = Field(description="变更类别")
    effective_on: Day = Field(description="增加、恢复、退休、转移为首日；中断、终止为末日")
    declared_wage_yuan: Yuan | None = Field(default=None, description="申报工资（元/月）")
    reason: StopReason | None = Field(default=None, description="终止的原因")
    to_credit_code: CreditCode | None = Field(default=None, description="统筹地区内转移的新单位")
    remark: ShortText | None = None


class EmployeeRegistrationPayload(Body):
    """职工参保登记；不填单位的为灵活就业人员。"""

    kind: Literal["employee_registration"]
    employer_credit_code: CreditCode | None = Field(default=None, description="统一社会信用代码")
    insurance_kinds: list[EmploymentInsurance] = Field(
        default=[InsuranceKind.EMPLOYEE], min_length=1, max_length=3, description="险种类型，国家医保编码"
    )
    people: list[EmployeeRow] = Field(min_length=1, max_length=MOST_PEOPLE)
