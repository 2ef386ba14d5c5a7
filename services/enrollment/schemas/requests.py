"""What can be asked of the service."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from libs.identifiers import credentials
from libs.identifiers.credentials import Credential, CredentialType
from libs.money.amounts import fen_of
from services.enrollment.domain.contributing import NewMonth
from services.enrollment.domain.enrolling import NewEnrolment
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.people import NewPerson
from services.enrollment.domain.stops import StopReason
from services.enrollment.schemas.values import (
    CreditCode,
    Day,
    Line,
    MonthText,
    RegionCode,
    Telephone,
    Yuan,
)

# Fifty years: more than anybody contributes, and a bound on one transaction.
MOST_MONTHS = 600


class Body(BaseModel):
    """A request body: unknown fields are refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class CredentialBody(Body):
    """A credential (证件); the number is checked for its type, spaces and full width put right."""

    type: CredentialType = CredentialType.RESIDENT_ID
    number: Annotated[str, StringConstraints(min_length=1, max_length=40)]

    @field_validator("number")
    @classmethod
    def _right_for_its_type(cls, number: str, info: ValidationInfo) -> str:
        if "type" not in info.data:
            return number  # the type is at fault and is told
        faults = credentials.faults_of(info.data["type"], number, "")
        if faults:
            raise ValueError("".join(fault.message for fault in faults))
        return credentials.clean(number)

    def credential(self) -> Credential:
        return Credential(self.type, self.number)


class NewEmployerBody(Body):
    """单位参保登记."""

    region_code: RegionCode
    credit_code: CreditCode
    name: Line


class NewPersonBody(Body):
    """人员建档. Sex and birth date may be left out where the number carries them."""

    region_code: RegionCode
    credential: CredentialBody
    name: Line
    telephone: Telephone | None = None
    sex: Literal["男", "女"] | None = None
    birth_date: Day | None = None

    def new_person(self) -> NewPerson:
        return NewPerson(
            region_code=self.region_code,
            credential=self.credential.credential(),
            name=self.name,
            telephone=self.telephone,
            sex=self.sex,
            birth_date=self.birth_date,
        )


class PersonSearchBody(Body):
    """By credential, in the body: identity numbers stand in no URL and so in no access log."""

    region_code: RegionCode
    credential: CredentialBody


class NewEnrolmentBody(Body):
    """参保登记. ``started_on`` is the first day insured."""

    person_id: UUID
    insurance_kind: InsuranceKind
    person_kind: PersonKind
    employer_id: UUID | None = None
    started_on: Day

    def new_enrolment(self) -> NewEnrolment:
        return NewEnrolment(
            person_id=self.person_id,
            insurance_kind=self.insurance_kind,
            person_kind=self.person_kind,
            employer_id=self.employer_id,
            started_on=self.started_on,
        )


class StopBody(Body):
    """停保. ``stopped_on`` is the last day insured."""

    stopped_on: Day
    reason: StopReason


class ContributionBody(Body):
    """One month: contribution base and what of it goes to the personal account."""

    month: MonthText
    base_yuan: Yuan
    account_yuan: Yuan = "0.00"

    @field_validator("base_yuan")
    @classmethod
    def _more_than_nothing(cls, base: str) -> str:
        if fen_of(base) == 0:
            raise ValueError("缴费基数应大于0.00。")
        return base


class ContributionsBody(Body):
    """缴费记录 of one person and kind, all recorded or none; months sent again change nothing."""

    person_id: UUID
    insurance_kind: InsuranceKind
    months: Annotated[list[ContributionBody], Field(min_length=1, max_length=MOST_MONTHS)]

    def new_months(self) -> list[NewMonth]:
        return [
            NewMonth(month.month, fen_of(month.base_yuan), fen_of(month.account_yuan))
            for month in self.months
        ]
