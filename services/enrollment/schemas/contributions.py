"""What is answered about the tax authority's files, retirees' credits, reconciliation and arrears."""

from __future__ import annotations

import datetime as dt
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from libs.identifiers.credentials import masked
from libs.money.amounts import yuan_of
from services.enrollment.domain.kinds import INSURANCE_NAMES, PERSON_KIND_NAMES, InsuranceKind, PersonKind
from services.enrollment.domain.payments import OUTCOME_NAMES, Outcome
from services.enrollment.domain.tax_files.rows import PAYMENT_KIND_NAMES, PaymentKind
from services.enrollment.models import ContributionFile, Payment, RetireeRun
from services.enrollment.schemas.requests import Body
from services.enrollment.schemas.values import MonthText, RegionCode, SignedYuan


class OutcomeAnswer(BaseModel):
    """How many rows of a file stand at an outcome, and their sum."""

    outcome: Outcome
    outcome_name: str
    rows: int
    total_yuan: SignedYuan


class FileAnswer(BaseModel):
    """A file and how far it is; the outcomes' rows and sums add up to the file's."""

    id: UUID
    region_code: str
    file_no: str
    month: str
    rows: int
    total_yuan: SignedYuan
    state: str
    received_at: dt.datetime
    finished_at: dt.datetime | None
    outcomes: list[OutcomeAnswer]

    @classmethod
    def of(cls, file: ContributionFile, progress: dict[Outcome, tuple[int, int]]) -> Self:
        outcomes = [
            OutcomeAnswer(
                outcome=outcome,
                outcome_name=OUTCOME_NAMES[outcome],
                rows=progress[outcome][0],
                total_yuan=yuan_of(progress[outcome][1]),
            )
            for outcome in Outcome
            if outcome in progress
        ]
        return cls(
            id=file.id,
            region_code=file.region_code,
            file_no=file.file_no,
            month=file.month,
            rows=file.rows,
            total_yuan=yuan_of(file.total_fen),
            state=file.state,
            received_at=file.received_at,
            finished_at=file.finished_at,
            outcomes=outcomes,
        )


class ReasonAnswer(BaseModel):
    code: str
    message: str


class RowAnswer(BaseModel):
    """A row and what came of it. The credential's number is masked; the name stands in the person's file."""

    row_no: int
    serial: str
    outcome: Outcome
    outcome_name: str
    reasons: list[ReasonAnswer]
    kind: PaymentKind | None
    kind_name: str | None
    insurance_kind: InsuranceKind
    insurance_name: str
    person_kind: PersonKind | None
    person_kind_name: str | None
    credit_code: str | None
    credential_masked: str | None
    period: str | None
    base_yuan: str | None
    unit_yuan: SignedYuan
    personal_yuan: SignedYuan
    late_fee_yuan: SignedYuan
    corrects: str | None
    paid_on: dt.date | None
    person_id: UUID | None
    account_yuan: SignedYuan | None
    rule: str | None

    @classmethod
    def of(cls, row: Payment, number: str | None) -> Self:
        """``number`` is the credential's, in clear text."""
        outcome, kind = Outcome(row.outcome), InsuranceKind(row.insurance_kind)
        payment_kind = PaymentKind(row.kind) if row.kind else None
        person_kind = PersonKind(row.person_kind) if row.person_kind else None
        return cls(
            row_no=row.row_no,
            serial=row.serial,
            outcome=outcome,
            outcome_name=OUTCOME_NAMES[outcome],
            reasons=[ReasonAnswer(**reason) for reason in row.reasons],
            kind=payment_kind,
            kind_name=payment_kind and PAYMENT_KIND_NAMES[payment_kind],
            insurance_kind=kind,
            insurance_name=INSURANCE_NAMES[kind],
            person_kind=person_kind,
            person_kind_name=person_kind and PERSON_KIND_NAMES[person_kind],
            credit_code=row.credit_code,
            credential_masked=masked(number) if number else None,
            period=row.period,
            base_yuan=None if row.base_fen is None else yuan_of(row.base_fen),
            unit_yuan=yuan_of(row.unit_fen),
            personal_yuan=yuan_of(row.personal_fen),
            late_fee_yuan=yuan_of(row.late_fee_fen),
            corrects=row.corrects,
            paid_on=row.paid_on,
            person_id=row.person_id,
            account_yuan=None if row.account_fen is None else yuan_of(row.account_fen),
            rule=row.rule,
        )


class RetireeCreditsBody(Body):
    """退休人员个人账户月划入: which region's, for which month."""

    region_code: RegionCode
    month: MonthText


class RetireeCreditsAnswer(BaseModel):
    """A run and how far it is."""

    region_code: str
    month: str
    state: str
    asked_at: dt.datetime
    finished_at: dt.datetime | None
    people: int
    total_yuan: SignedYuan

    @classmethod
    def of(cls, run: RetireeRun, people: int, total_fen: int) -> Self:
        return cls(
            region_code=run.region_code,
            month=run.month,
            state=run.state,
            asked_at=run.asked_at,
            finished_at=run.finished_at,
            people=people,
            total_yuan=yuan_of(total_fen),
        )
