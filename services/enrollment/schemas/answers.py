"""What the service answers. Amounts are yuan as text, dates of law, names beside every code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel

from libs.contracts.enrollment import ContributionPeriod
from libs.identifiers import credentials
from libs.identifiers.credentials import CREDENTIAL_NAMES, CredentialType
from libs.ledger.accounts import Balance, StatementLine
from libs.money.amounts import yuan_of
from libs.regions import names
from services.enrollment.domain.contributing import OWN, KnownMonth, NewMonth
from services.enrollment.domain.kinds import INSURANCE_NAMES, PERSON_KIND_NAMES, InsuranceKind, PersonKind
from services.enrollment.domain.people import PersonalData
from services.enrollment.domain.purposes import PURPOSE_NAMES, Purpose
from services.enrollment.domain.stops import STOP_REASON_NAMES, StopReason
from services.enrollment.models import Employer, Enrolment, Person
from services.enrollment.models.rows import EmployerRow, EnrolmentRow, PersonRow
from services.enrollment.schemas.values import SignedYuan, Yuan


class EmployerReference(BaseModel):
    id: UUID
    name: str


class EnrolmentAnswer(BaseModel):
    """An enrolment; ``stopped_on`` is its last day, null while it is active."""

    id: UUID
    person_id: UUID
    region_code: str
    insurance_kind: InsuranceKind
    insurance_name: str
    person_kind: PersonKind
    person_kind_name: str
    employer: EmployerReference | None
    started_on: dt.date
    stopped_on: dt.date | None
    stop_reason: StopReason | None
    stop_reason_name: str | None
    transferred_out_on: dt.date | None
    version: int

    @classmethod
    def of(cls, enrolment: Enrolment | EnrolmentRow, employer: Employer | EmployerRow | None) -> Self:
        kind, person_kind = InsuranceKind(enrolment.insurance_kind), PersonKind(enrolment.person_kind)
        reason = StopReason(enrolment.stop_reason) if enrolment.stop_reason else None
        return cls(
            id=enrolment.id,
            person_id=enrolment.person_id,
            region_code=enrolment.region_code,
            insurance_kind=kind,
            insurance_name=INSURANCE_NAMES[kind],
            person_kind=person_kind,
            person_kind_name=PERSON_KIND_NAMES[person_kind],
            employer=EmployerReference(id=employer.id, name=employer.name) if employer else None,
            started_on=enrolment.started_on,
            stopped_on=enrolment.stopped_on,
            stop_reason=reason,
            stop_reason_name=reason and STOP_REASON_NAMES[reason],
            transferred_out_on=enrolment.transferred_out_on,
            version=enrolment.version,
        )


class CredentialAnswer(BaseModel):
    type: CredentialType
    type_name: str
    number: str


class PersonAnswer(BaseModel):
    """A person's file. Number and telephone are masked but for the person and reviewers."""

    id: UUID
    region_code: str
    region_name: str
    credential: CredentialAnswer
    name: str
    telephone: str | None
    sex: Literal["男", "女"]
    birth_date: dt.date
    version: int
    enrolments: list[EnrolmentAnswer]

    @classmethod
    def of(
        cls,
        person: Person | PersonRow,
        enrolments: Iterable[tuple[EnrolmentRow, EmployerRow | None]],
        data: PersonalData,
        *,
        in_full: bool,
    ) -> Self:
        return cls(
            id=person.id,
            region_code=person.region_code,
            region_name=names.name_of(person.region_code),
            credential=_credential(data, in_full),
            name=data.name,
            telephone=data.telephone if in_full or data.telephone is None else mask_telephone(data.telephone),
            sex="男" if person.sex == "男" else "女",
            birth_date=person.birth_date,
            version=person.version,
            enrolments=[EnrolmentAnswer.of(*pair) for pair in enrolments],
        )


class RecordedAnswer(BaseModel):
    """What came of recording contributions: months new, months known before with the same content."""

    person_id: UUID
    insurance_kind: InsuranceKind
    recorded_months: list[str]
    repeated_months: list[str]
    credited_yuan: Yuan
    balance_yuan: Yuan

    @classmethod
    def of(
        cls,
        person: Person,
        kind: InsuranceKind,
        fresh: Sequence[NewMonth],
        repeated: Sequence[NewMonth],
        balance_fen: int,
    ) -> Self:
        return cls(
            person_id=person.id,
            insurance_kind=kind,
            recorded_months=[new.month for new in fresh],
            repeated_months=[new.month for new in repeated],
            credited_yuan=yuan_of(sum(new.account_fen for new in fresh)),
            balance_yuan=yuan_of(balance_fen),
        )


class StatementLineAnswer(BaseModel):
    """One line of an account's statement; ``version`` counts them from 1."""

    version: int
    occurred_on: dt.date
    purpose: Purpose
    purpose_name: str
    amount_yuan: SignedYuan
    balance_after_yuan: Yuan
    transaction_id: UUID

    @classmethod
    def of(cls, line: StatementLine) -> Self:
        purpose = Purpose(line.purpose)
        return cls(
            version=line.version,
            occurred_on=line.occurred_on,
            purpose=purpose,
            purpose_name=PURPOSE_NAMES[purpose],
            amount_yuan=yuan_of(line.amount_fen),
            balance_after_yuan=yuan_of(line.balance_after_fen),
            transaction_id=line.transaction_id,
        )


class AccountAnswer(BaseModel):
    """个人账户: balance, what of it is on hold, and a page of its statement, oldest line first."""

    person_id: UUID
    insurance_kind: InsuranceKind
    insurance_name: str
    balance_yuan: Yuan
    held_yuan: Yuan
    available_yuan: Yuan
    version: int
    lines: list[StatementLineAnswer]
    next_cursor: str | None

    @classmethod
    def of(
        cls,
        person: PersonRow,
        kind: InsuranceKind,
        balance: Balance,
        lines: Sequence[StatementLine],
        next_cursor: str | None,
    ) -> Self:
        return cls(
            person_id=person.id,
            insurance_kind=kind,
            insurance_name=INSURANCE_NAMES[kind],
            balance_yuan=yuan_of(balance.balance_fen),
            held_yuan=yuan_of(balance.held_fen),
            available_yuan=yuan_of(balance.available_fen),
            version=balance.version,
            lines=[StatementLineAnswer.of(line) for line in lines],
            next_cursor=next_cursor,
        )


class MonthAnswer(BaseModel):
    """One month of contribution. The base of a month transferred in is not known here."""

    month: str
    insurance_kind: InsuranceKind
    base_yuan: Yuan | None
    account_yuan: Yuan
    source: Literal["own", "transferred_in"]
    origin_region_code: str
    origin_agency_name: str
    transferred_out: bool

    @classmethod
    def of(cls, known: KnownMonth) -> Self:
        return cls(
            month=known.month,
            insurance_kind=known.insurance_kind,
            base_yuan=None if known.base_fen is None else yuan_of(known.base_fen),
            account_yuan=yuan_of(known.account_fen),
            source="own" if known.source == OWN else "transferred_in",
            origin_region_code=known.origin_region_code,
            origin_agency_name=known.origin_agency_name,
            transferred_out=known.has_left,
        )


class ContributionsAnswer(BaseModel):
    """缴费记录: every month, and the periods of those that count here (per kind, gaps apart)."""

    person_id: UUID
    months_counted: int
    months: list[MonthAnswer]
    periods: list[ContributionPeriod]

    @classmethod
    def of(cls, person: PersonRow, months: Iterable[KnownMonth], periods: list[ContributionPeriod]) -> Self:
        return cls(
            person_id=person.id,
            months_counted=sum(period.months_paid for period in periods),
            months=[MonthAnswer.of(known) for known in months],
            periods=periods,
        )


def mask_telephone(number: str) -> str:
    """``199****0000``: enough to recognise one's own; of short ones (a landline's) the last two."""
    if len(number) < 9:
        return "*" * (len(number) - 2) + number[-2:]
    return number[:3] + "*" * (len(number) - 7) + number[-4:]


def _credential(data: PersonalData, in_full: bool) -> CredentialAnswer:
    number = data.credential.number
    return CredentialAnswer(
        type=data.credential.type,
        type_name=CREDENTIAL_NAMES[data.credential.type],
        number=number if in_full else credentials.masked(number),
    )
