"""What is answered about a month's reconciliation and about arrears. Amounts are yuan as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from libs.money.amounts import yuan_of
from services.enrollment.domain.kinds import INSURANCE_NAMES, InsuranceKind
from services.enrollment.domain.payments import OUTCOME_NAMES, Outcome
from services.enrollment.domain.reconciling import Arrears, Booked, Coverage, PaidFor, Reconciliation
from services.enrollment.domain.tax_files.rows import PaymentKind
from services.enrollment.schemas.values import SignedYuan

MOST_EMPLOYERS = 200


class BookedAnswer(BaseModel):
    """Rows of the month's files of one kind and outcome, and the bank mirror's sum for them."""

    insurance_kind: InsuranceKind
    insurance_name: str
    outcome: Outcome
    outcome_name: str
    rows: int
    total_yuan: SignedYuan
    ledger_yuan: SignedYuan


class PaidAnswer(BaseModel):
    """Payments for the month (residents: for its year) of one kind, outcome and first reason."""

    insurance_kind: InsuranceKind
    kind: PaymentKind | None
    outcome: Outcome
    outcome_name: str
    reason: str | None
    rows: int
    total_yuan: SignedYuan


class CoverageAnswer(BaseModel):
    """People expected to have paid: how many have, how many are in arrears, how many paid on another base
    than was declared."""

    insurance_kind: InsuranceKind
    insurance_name: str
    employer_id: UUID | None
    employer_name: str | None
    expected: int
    paid: int
    arrears: int
    base_differs: int


class ReconciliationAnswer(BaseModel):
    """A month. Both differences are 0.00 as long as the books are sound."""

    region_code: str
    month: str
    files: int
    rows: int
    total_yuan: SignedYuan
    difference_yuan: SignedYuan
    ledger_difference_yuan: SignedYuan
    booked: list[BookedAnswer]
    payments: list[PaidAnswer]
    coverage: list[CoverageAnswer]
    employers_to_look_at: list[CoverageAnswer]
    """Those with arrears or differing bases, the most arrears first, at most 200."""

    @classmethod
    def of(cls, told: Reconciliation) -> Self:
        employers = [row for row in told.coverage if row.arrears or row.base_differs]
        employers.sort(key=lambda row: (-row.arrears, row.insurance_kind, str(row.employer_id)))
        return cls(
            region_code=told.region_code,
            month=told.month,
            files=told.heads.files,
            rows=told.heads.rows,
            total_yuan=yuan_of(told.heads.total_fen),
            difference_yuan=yuan_of(told.difference_fen),
            ledger_difference_yuan=yuan_of(told.ledger_difference_fen),
            booked=[_booked(row) for row in told.books],
            payments=[_paid(row) for row in told.payments],
            coverage=_by_kind(told.coverage),
            employers_to_look_at=[_coverage(row) for row in employers[:MOST_EMPLOYERS]],
        )


class ArrearsAnswer(BaseModel):
    """Months of one relation that are due and not paid; ``employer_id`` is null where people pay
    themselves."""

    person_id: UUID
    enrolment_id: UUID
    insurance_kind: InsuranceKind
    insurance_name: str
    employer_id: UUID | None
    months: list[str]

    @classmethod
    def of(cls, owed: Arrears) -> Self:
        return cls(
            person_id=owed.person_id,
            enrolment_id=owed.enrolment_id,
            insurance_kind=owed.insurance_kind,
            insurance_name=INSURANCE_NAMES[owed.insurance_kind],
            employer_id=owed.employer_id,
            months=list(owed.months),
        )


def _booked(row: Booked) -> BookedAnswer:
    return BookedAnswer(
        insurance_kind=row.insurance_kind,
        insurance_name=INSURANCE_NAMES[row.insurance_kind],
        outcome=row.outcome,
        outcome_name=OUTCOME_NAMES[row.outcome],
        rows=row.rows,
        total_yuan=yuan_of(row.total_fen),
        ledger_yuan=yuan_of(row.ledger_fen),
    )


def _paid(row: PaidFor) -> PaidAnswer:
    return PaidAnswer(
        insurance_kind=row.insurance_kind,
        kind=row.kind,
        outcome=row.outcome,
        outcome_name=OUTCOME_NAMES[row.outcome],
        reason=row.reason,
        rows=row.rows,
        total_yuan=yuan_of(row.total_fen),
    )


def _coverage(row: Coverage) -> CoverageAnswer:
    return CoverageAnswer(
        insurance_kind=row.insurance_kind,
        insurance_name=INSURANCE_NAMES[row.insurance_kind],
        employer_id=row.employer_id,
        employer_name=row.employer_name,
        expected=row.expected,
        paid=row.paid,
        arrears=row.arrears,
        base_differs=row.base_differs,
    )


def _by_kind(rows: Sequence[Coverage]) -> list[CoverageAnswer]:
    """All employers of a kind together."""
    sums: dict[InsuranceKind, Counter[str]] = {}
    for row in rows:
        told = {"expected": row.expected, "paid": row.paid, "base_differs": row.base_differs}
        sums.setdefault(row.insurance_kind, Counter()).update(told)
    return [_coverage(Coverage(kind, None, None, **told)) for kind, told in sorted(sums.items())]
