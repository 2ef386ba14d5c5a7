"""Expected against paid, and who owes what: set by set, one statement a question."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.payments import Outcome
from services.enrollment.domain.reconciling import Arrears, Booked, Coverage, Heads, Owed, PaidFor, Place
from services.enrollment.domain.tax_files.rows import PaymentKind

# Somebody who changed employers within the month is expected from the later one. A month that stands
# in the books under what counts the same is paid: it cannot be paid twice.
_COVERAGE = text("""
    WITH expected AS (
        SELECT DISTINCT ON (e.person_id, e.insurance_kind)
               e.person_id, e.insurance_kind, e.counts_as, e.employer_id, e.declared_wage_fen
        FROM enrolments e
        WHERE e.region_code = :region_code AND e.person_kind <> 'retiree' AND e.transferred_out_on IS NULL
          AND e.started_on < :next_month AND (e.stopped_on IS NULL OR e.stopped_on >= :first_day)
        ORDER BY e.person_id, e.insurance_kind, e.started_on DESC
    )
    SELECT x.insurance_kind, x.employer_id, w.name AS employer_name, count(*) AS expected,
           count(m.person_id) AS paid,
           count(*) FILTER (WHERE m.base_fen <> x.declared_wage_fen) AS base_differs
    FROM expected x
    LEFT JOIN contribution_months m
        ON m.person_id = x.person_id AND m.counts_as = x.counts_as AND m.month = :month
    LEFT JOIN employers w ON w.id = x.employer_id
    GROUP BY x.insurance_kind, x.employer_id, w.name
""")

_PAYMENTS = text("""
    SELECT p.insurance_kind, p.outcome, p.kind, p.reasons -> 0 ->> 'code' AS reason, count(*) AS rows,
           sum(p.unit_fen + p.personal_fen + p.late_fee_fen)::bigint AS total_fen
    FROM contribution_payments p
    WHERE p.region_code = :region_code AND p.period = ANY(CAST(:periods AS text[]))
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
""")

_HEADS = text("""
    SELECT count(*) AS files, coalesce(sum(rows), 0)::bigint AS rows,
           coalesce(sum(total_fen), 0)::bigint AS total_fen
    FROM contribution_files WHERE region_code = :region_code AND month = :month
""")

# The posting without a step is the one that moves the bank's mirror (domain/purposes.py).
_BOOKS = text("""
    SELECT p.insurance_kind, p.outcome, count(*) AS rows,
           sum(p.unit_fen + p.personal_fen + p.late_fee_fen)::bigint AS total_fen,
           coalesce(-sum(CASE WHEN p.outcome <> 'repeated' THEN bank.amount_fen END), 0)::bigint AS ledger_fen
    FROM contribution_files f
    JOIN contribution_payments p ON p.file_id = f.id
    LEFT JOIN (
        ledger_transactions t
        JOIN ledger_entries bank ON bank.transaction_id = t.id
        JOIN ledger_accounts a ON a.id = bank.account_id AND a.kind = 'bank_mirror'
    ) ON t.source_id = 'tax:' || p.region_code || ':' || p.serial
    WHERE f.region_code = :region_code AND f.month = :month
    GROUP BY 1, 2 ORDER BY 1, 2
""")

# One relation after the other in the order of an index, each with its months, until the page is full:
# the aggregate inside keeps the planner from gathering a whole region's months first (70 ms, not 3.9 s,
# for a page in the middle of 100,000 people).
_ARREARS = """
    SELECT e.person_id, e.id AS enrolment_id, e.insurance_kind, e.employer_id, owed.months
    FROM enrolments e
    CROSS JOIN LATERAL (
        SELECT array_agg(due.month ORDER BY due.month) AS months
        FROM unnest(CAST(:months AS text[])) AS due (month)
        WHERE due.month >= to_char(e.started_on, 'YYYY-MM')
          AND (e.stopped_on IS NULL OR due.month <= to_char(e.stopped_on, 'YYYY-MM'))
          AND NOT EXISTS (
              SELECT FROM contribution_months m
              WHERE m.person_id = e.person_id AND m.counts_as = e.counts_as AND m.month = due.month)
          AND NOT EXISTS (
              SELECT FROM enrolments later
              WHERE later.person_id = e.person_id AND later.insurance_kind = e.insurance_kind
                AND later.started_on > e.started_on AND to_char(later.started_on, 'YYYY-MM') <= due.month)
    ) AS owed
    WHERE e.region_code = :region_code AND e.person_kind <> 'retiree' AND e.transferred_out_on IS NULL
      {which} AND (e.person_id, e.id) > (:after_person, :after_enrolment) AND owed.months IS NOT NULL
    ORDER BY e.person_id, e.id LIMIT CAST(:limit AS bigint)
"""
_OWED = (
    """
    SELECT count(DISTINCT owing.person_id) AS people, min(owing.months[1]) AS first,
           max(owing.months[cardinality(owing.months)]) AS last,
           coalesce(sum(cardinality(owing.months)), 0)::bigint AS months
    FROM ("""
    + _ARREARS
    + """) AS owing
"""
)
NOBODY = UUID(int=0)
_WHICH = {
    "region": "",
    "employer": "AND e.employer_id = :employer_id",
    "person": "AND e.person_id = :person_id",
}


@dataclass(frozen=True)
class ArrearsPage:
    """Whose arrears of which months (one employer's, one person's, or all), after which of them."""

    region_code: str
    months: Sequence[str]
    employer_id: UUID | None
    person_id: UUID | None
    after: Place | None
    limit: int


async def owed_by(
    session: AsyncSession, region_code: str, employer_id: UUID, months: Sequence[str]
) -> Owed | None:
    """What an employer owes of these months, all its people together; None where nothing."""
    wanted = {
        "region_code": region_code,
        "employer_id": employer_id,
        "months": list(months),
        "after_person": NOBODY,
        "after_enrolment": NOBODY,
        "limit": None,
    }
    row = (await session.execute(text(_OWED.format(which=_WHICH["employer"])), wanted)).one()
    return Owed(row.people, row.months, row.first, row.last) if row.people else None


async def coverage(
    session: AsyncSession, region_code: str, month: str, first_day: dt.date, next_month: dt.date
) -> list[Coverage]:
    """By kind and employer: how many are expected, paid, and paid on another base than declared."""
    wanted = {"region_code": region_code, "month": month, "first_day": first_day, "next_month": next_month}
    return [
        Coverage(InsuranceKind(kind), *others) for kind, *others in await session.execute(_COVERAGE, wanted)
    ]


async def payments(session: AsyncSession, region_code: str, periods: Sequence[str]) -> list[PaidFor]:
    """What was paid for these periods, by what came of it and the first reason."""
    wanted = {"region_code": region_code, "periods": list(periods)}
    return [
        PaidFor(InsuranceKind(insurance), Outcome(outcome), kind and PaymentKind(kind), *others)
        for insurance, outcome, kind, *others in await session.execute(_PAYMENTS, wanted)
    ]


async def heads(session: AsyncSession, region_code: str, month: str) -> Heads:
    """The files booked in a month, as their heads say."""
    return Heads(*(await session.execute(_HEADS, {"region_code": region_code, "month": month})).one())


async def books(session: AsyncSession, region_code: str, month: str) -> list[Booked]:
    """The same by kind and outcome, from the rows, beside what the ledger's bank mirror says of them."""
    rows = await session.execute(_BOOKS, {"region_code": region_code, "month": month})
    return [Booked(InsuranceKind(kind), Outcome(outcome), *others) for kind, outcome, *others in rows]


async def arrears(session: AsyncSession, page: ArrearsPage) -> list[Arrears]:
    """Months not paid, by person and relation. Nobody's who has left; none of retirees."""
    which = "person" if page.person_id else "employer" if page.employer_id else "region"
    after = page.after
    wanted = {
        "region_code": page.region_code,
        "months": list(page.months),
        "after_person": after.person_id if after else NOBODY,
        "after_enrolment": after.enrolment_id if after else NOBODY,
        "limit": page.limit,
    }
    if page.person_id:
        wanted["person_id"] = page.person_id
    elif page.employer_id:
        wanted["employer_id"] = page.employer_id
    rows = await session.execute(text(_ARREARS.format(which=_WHICH[which])), wanted)
    return [
        Arrears(person, enrolment, InsuranceKind(kind), employer, months)
        for person, enrolment, kind, employer, months in rows
    ]
