"""A month's reconciliation, and arrears, as they are told. Amounts in fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.enrollment.domain.contribution_rules import contribution_rules
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.months import number_of, text_of
from services.enrollment.domain.payments import Outcome
from services.enrollment.domain.tax_files.rows import PaymentKind


@dataclass(frozen=True)
class Heads:
    """Number, rows and sum of files, as their heads say."""

    files: int
    rows: int
    total_fen: int


@dataclass(frozen=True)
class Booked:
    """Rows of one kind and outcome; ``ledger_fen`` is what the bank's mirror took in for them."""

    insurance_kind: InsuranceKind
    outcome: Outcome
    rows: int
    total_fen: int
    ledger_fen: int

    @property
    def difference_fen(self) -> int:
        """What the ledger lacks; nothing is booked of rows that are pending or came before."""
        if self.outcome in (Outcome.PENDING, Outcome.REPEATED):
            return 0
        return self.total_fen - self.ledger_fen


@dataclass(frozen=True)
class PaidFor:
    """Payments for a period of one kind, outcome and first reason."""

    insurance_kind: InsuranceKind
    outcome: Outcome
    kind: PaymentKind | None
    reason: str | None
    rows: int
    total_fen: int


@dataclass(frozen=True)
class Coverage:
    """People of one kind and employer (None: they pay themselves) who are expected to pay for a month."""

    insurance_kind: InsuranceKind
    employer_id: UUID | None
    employer_name: str | None
    expected: int
    paid: int
    base_differs: int

    @property
    def arrears(self) -> int:
        return self.expected - self.paid


@dataclass(frozen=True)
class Reconciliation:
    """Files booked in a month against the ledger, and people expected for it against payments.

    ``payments`` are those for the month (residents: for its year), whenever they were booked.
    """

    region_code: str
    month: str
    heads: Heads
    books: Sequence[Booked]
    payments: Sequence[PaidFor]
    coverage: Sequence[Coverage]

    @property
    def difference_fen(self) -> int:
        """What the files' heads say beyond what their rows add up to: 0."""
        return self.heads.total_fen - sum(row.total_fen for row in self.books)

    @property
    def ledger_difference_fen(self) -> int:
        """What rows and ledger differ by, kind by kind, none making up for another: 0."""
        return sum(abs(row.difference_fen) for row in self.books)


@dataclass(frozen=True)
class Arrears:
    """Months of a relation that are due and not paid; no employer where people pay themselves."""

    person_id: UUID
    enrolment_id: UUID
    insurance_kind: InsuranceKind
    employer_id: UUID | None
    months: Sequence[str]


@dataclass(frozen=True)
class Owed:
    """What an employer owes in all: of how many people, how many months (person by person), from when on."""

    people: int
    months: int
    first: str
    last: str

    def sentence(self, employer_name: str) -> str:
        """For the officer who decides whether the employer may end."""
        span = self.first if self.first == self.last else f"{self.first}至{self.last}"
        return f"单位“{employer_name}”有欠费：{self.people}人共{self.months}个月（{span}），须核对清缴情况"


@dataclass(frozen=True)
class Place:
    """Where a page of arrears ended."""

    person_id: UUID
    enrolment_id: UUID


def due_months(this_month: str) -> list[str]:
    """The months arrears are listed for, oldest first (contribution_rules.yaml)."""
    rules = contribution_rules()
    last = number_of(this_month) - rules.due_after_months
    return [text_of(number) for number in range(last - rules.listed_months + 1, last + 1)]
