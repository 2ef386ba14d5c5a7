"""单位参保登记 (hubei-2022 form 1), 单位参保信息变更登记 (form 4), 参保单位参保信息查询."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from libs.casebook.schemas import Body, CredentialBody
from services.enrollment.domain.employers import RegistrationKind
from services.enrollment.domain.successions import SuccessionKind
from services.enrollment.schemas.employers import EmployerDetails
from services.enrollment.schemas.values import CreditCode, Day, Line

# A form of this many people has about 2 MB; whoever takes more of them takes the rest (takes_rest).
MOST_NAMED = 20_000
MOST_EMPLOYERS = 20


class NewRegistration(EmployerDetails):
    """新参保登记；暂停、注销过的单位以此恢复参保，未填的以原登记为准。"""

    registration_kind: Literal[RegistrationKind.NEW] = RegistrationKind.NEW
    credit_code: CreditCode
    name: Line
    insured_since: Day | None = Field(default=None, description="参保日期；不填为办理当日")
    established_on: Day | None = Field(default=None, description="设立日期，用于核对30日登记期限")


class Suspension(Body):
    """暂停登记：在职职工全部停保。"""

    registration_kind: Literal[RegistrationKind.SUSPEND]
    credit_code: CreditCode
    last_day: Day = Field(description="参保的最后一日")


class DeregistrationBody(Body):
    """注销：没有在职职工，或写明一并停保。"""

    last_day: Day = Field(description="参保的最后一日")
    stop_people: bool = Field(default=False, description="在职职工随注销一并停保")


class Deregistration(DeregistrationBody):
    """注销登记。"""

    registration_kind: Literal[RegistrationKind.DEREGISTER]
    credit_code: CreditCode


class SuccessorBody(EmployerDetails):
    """承继单位：已参保的只填代码，新设的填单位信息并随本次登记参保。"""

    credit_code: CreditCode


class ShareBody(SuccessorBody):
    """拆分、分立的承继单位和转入的人员。"""

    people: list[CredentialBody] = Field(default=[], max_length=MOST_NAMED, description="转入的人员")
    takes_rest: bool = Field(default=False, description="未列名的人员全部转入本单位")


class Division(Body):
    """拆分（原单位终止）和分立（原单位存续）。"""

    registration_kind: Literal[RegistrationKind.SPLIT, RegistrationKind.SEPARATE]
    credit_code: CreditCode = Field(description="原单位")
    effective_on: Day = Field(description="在承继单位参保的首日")
    successors: list[ShareBody] = Field(min_length=1, max_length=MOST_EMPLOYERS)

    @property
    def succession(self) -> SuccessionKind:
        return SuccessionKind(self.registration_kind.value)


class Merger(Body):
    """合并：原单位终止，人员全部转入承继单位。"""

    registration_kind: Literal[RegistrationKind.MERGE]
    predecessors: list[CreditCode] = Field(
        min_length=1, max_length=MOST_EMPLOYERS, description="被合并的单位"
    )
    effective_on: Day = Field(description="在承继单位参保的首日")
    successor: SuccessorBody

    @property
    def succession(self) -> SuccessionKind:
        return SuccessionKind.MERGE


Ending = Suspension | Deregistration
Succeeding = Division | Merger


class EmployerRegistrationPayload(Body):
    """单位参保登记：由 registration.registration_kind 说明登记类型。"""

    kind: Literal["employer_registration"] = "employer_registration"
    registration: Annotated[
        NewRegistration | Suspension | Deregistration | Division | Merger,
        Field(discriminator="registration_kind"),
    ]


class EmployerChangesBody(EmployerDetails):
    """变更后的内容；不变的不填。"""

    credit_code: CreditCode | None = Field(default=None, description="变更后的统一社会信用代码")


class EmployerChangePayload(Body):
    """单位参保信息变更登记。"""

    kind: Literal["employer_change"] = "employer_change"
    credit_code: CreditCode = Field(description="现统一社会信用代码")
    changes: EmployerChangesBody = EmployerChangesBody()
    changed_on: Day | None = Field(default=None, description="变更日期，用于核对申报期限")
    deregistration: DeregistrationBody | None = Field(default=None, description="目录的变更登记含注销的地区")


class EmployerQueryPayload(Body):
    """参保单位参保信息查询。"""

    kind: Literal["employer_query"] = "employer_query"
    credit_code: CreditCode
    with_people: bool = Field(default=False, description="附在保人员名单")
