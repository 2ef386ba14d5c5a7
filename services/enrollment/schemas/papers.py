"""Papers on the wire: 个人权益记录 as data, and what a seal's verification found."""

from __future__ import annotations

import datetime as dt
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from libs.documents.verification import SealReport
from libs.identifiers.credentials import CREDENTIAL_NAMES, masked
from libs.money.amounts import yuan_of
from libs.regions import names
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import INSURANCE_NAMES, PERSON_KIND_NAMES, InsuranceKind, PersonKind
from services.enrollment.domain.papers.rights import Movement, RightsRecord, YearAccount
from services.enrollment.domain.purposes import PURPOSE_NAMES, Purpose
from services.enrollment.schemas.answers import CredentialAnswer, MonthAnswer
from services.enrollment.schemas.values import SignedYuan


class SpellAnswer(BaseModel):
    """A stretch of insurance that touches the year; ``stopped_on`` is its last day."""

    insurance_kind: InsuranceKind
    insurance_name: str
    person_kind: PersonKind
    person_kind_name: str
    employer_name: str | None
    started_on: dt.date
    stopped_on: dt.date | None
    transferred_out_on: dt.date | None

    @classmethod
    def of(cls, spell: Spell) -> Self:
        return cls(
            insurance_kind=spell.insurance_kind,
            insurance_name=INSURANCE_NAMES[spell.insurance_kind],
            person_kind=spell.person_kind,
            person_kind_name=PERSON_KIND_NAMES[spell.person_kind],
            employer_name=spell.employer_name,
            started_on=spell.started_on,
            stopped_on=spell.stopped_on,
            transferred_out_on=spell.transferred_out_on,
        )


class MovementAnswer(BaseModel):
    occurred_on: dt.date
    purpose: Purpose
    purpose_name: str
    amount_yuan: SignedYuan

    @classmethod
    def of(cls, movement: Movement) -> Self:
        purpose = Purpose(movement.purpose)
        return cls(
            occurred_on=movement.on,
            purpose=purpose,
            purpose_name=PURPOSE_NAMES[purpose],
            amount_yuan=yuan_of(movement.amount_fen),
        )


class YearAccountAnswer(BaseModel):
    """个人账户 of the year: opening + credits − debits = closing."""

    insurance_kind: InsuranceKind
    insurance_name: str
    opening_yuan: SignedYuan
    credits_yuan: SignedYuan
    debits_yuan: SignedYuan
    closing_yuan: SignedYuan
    movements: list[MovementAnswer]

    @classmethod
    def of(cls, account: YearAccount) -> Self:
        return cls(
            insurance_kind=account.insurance_kind,
            insurance_name=INSURANCE_NAMES[account.insurance_kind],
            opening_yuan=yuan_of(account.opening_fen),
            credits_yuan=yuan_of(account.credits_fen),
            debits_yuan=yuan_of(account.debits_fen),
            closing_yuan=yuan_of(account.closing_fen),
            movements=[MovementAnswer.of(movement) for movement in account.movements],
        )


class CountedMonthsAnswer(BaseModel):
    insurance_kind: InsuranceKind
    insurance_name: str
    months: int


class RightsRecordAnswer(BaseModel):
    """个人权益记录 of a calendar year; a year still running goes up to ``until`` (截至日期)."""

    person_id: UUID
    name: str
    credential: CredentialAnswer
    region_code: str
    region_name: str
    year: int
    until: dt.date
    is_running: bool
    insurance_kinds: list[InsuranceKind]
    spells: list[SpellAnswer]
    months: list[MonthAnswer]
    accounts: list[YearAccountAnswer]
    cumulative_months: list[CountedMonthsAnswer]

    @classmethod
    def of(cls, person_id: UUID, record: RightsRecord, *, in_full: bool) -> Self:
        credential = record.person.credential
        return cls(
            person_id=person_id,
            name=record.person.name,
            credential=CredentialAnswer(
                type=credential.type,
                type_name=CREDENTIAL_NAMES[credential.type],
                number=credential.number if in_full else masked(credential.number),
            ),
            region_code=record.region_code,
            region_name=names.name_of(record.region_code),
            year=record.year,
            until=record.until,
            is_running=record.is_running,
            insurance_kinds=record.kinds,
            spells=[SpellAnswer.of(spell) for spell in record.spells],
            months=[MonthAnswer.of(known) for known in record.months],
            accounts=[YearAccountAnswer.of(account) for account in record.accounts],
            cumulative_months=[
                CountedMonthsAnswer(insurance_kind=kind, insurance_name=INSURANCE_NAMES[kind], months=months)
                for kind, months in record.cumulative.items()
            ],
        )


class SealReportAnswer(BaseModel):
    """What was found about a paper's seal; ``conclusion`` in one sentence, ``faults`` all of them."""

    genuine: bool
    conclusion: str
    sealed_by: str | None
    sealed_at: dt.datetime | None
    intact: bool
    covers_all: bool
    trusted: bool
    faults: list[str]

    @classmethod
    def of(cls, report: SealReport) -> Self:
        conclusion = "核验未通过。"
        if report.genuine and report.sealed_at is not None:
            when = f"{report.sealed_at:%Y年%m月%d日%H时%M分}"
            conclusion = f"核验通过：由{report.sealed_by}于{when}签章，内容完整，未被改动。"
        return cls(
            genuine=report.genuine,
            conclusion=conclusion,
            sealed_by=report.sealed_by,
            sealed_at=report.sealed_at,
            intact=report.intact,
            covers_all=report.covers_all,
            trusted=report.trusted,
            faults=list(report.faults),
        )
