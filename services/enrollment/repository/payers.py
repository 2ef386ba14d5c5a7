"""What is known of many people at once, for the payments of a chunk: one statement a question."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.contributing import OWN, NewMonth
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, counts_as
from services.enrollment.domain.months import agency_name_of
from services.enrollment.domain.payments import Outcome
from services.enrollment.domain.transfers import LEAVING
from services.enrollment.models import ContributionMonth, Employer, Enrolment, Payment, Transfer
from services.enrollment.repository.enrolments import spell_of

# Where two records of somebody were merged, the one that goes on is meant. Two statements: joined in
# one, the planner may compare every record with every key (0.6 s for 500 keys among 2,000 people).
_FIND = text("""
    SELECT person_key, coalesce(merged_into, id) AS id FROM persons
    WHERE region_code = :region_code AND person_key = ANY(CAST(:keys AS text[]))
""")

# A credential that was changed: the tax authority may learn of it later than we do.
_FIND_EARLIER = text("""
    SELECT a.person_key, coalesce(p.merged_into, p.id) AS id
    FROM person_aliases a JOIN persons p ON p.id = a.person_id
    WHERE a.region_code = :region_code AND a.person_key = ANY(CAST(:keys AS text[]))
""")

# In the order of the keys, as every transaction that locks several people does.
_LOCK = text("""
    SELECT id, person_key, name, birth_date, region_code, merged_into FROM persons
    WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY person_key FOR NO KEY UPDATE
""")

_LEADS_TO = text(
    "SELECT id, coalesce(merged_into, id) AS kept FROM persons WHERE id = ANY(CAST(:ids AS uuid[]))"
)

_TAKE_BACK = text("SELECT contribution_months_take_back(:region_code, CAST(:serials AS text[]))")


Asked = TypeVar("Asked", str, UUID)


@dataclass(frozen=True)
class LockedPerson:
    """A person's record, locked; ``name`` is encrypted."""

    id: UUID
    person_key: str
    name: str
    birth_date: dt.date
    region_code: str


@dataclass(frozen=True)
class MonthToAdd:
    """A month a payment pays, and what it says of it."""

    person_id: UUID
    kind: InsuranceKind
    new: NewMonth
    has_base: bool
    serial: str
    rule: str | None


async def lock_people(
    session: AsyncSession, region_code: str, person_keys: Collection[str]
) -> dict[str, LockedPerson]:
    """The region's records by the blind indexes asked for; present keys go before earlier ones."""
    keys = sorted(set(person_keys))

    async def find() -> dict[str, UUID]:
        found = await session.execute(_FIND, {"region_code": region_code, "keys": keys})
        ids: dict[str, UUID] = {row.person_key: row.id for row in found}
        unknown = [key for key in keys if key not in ids]
        if unknown:
            earlier = await session.execute(_FIND_EARLIER, {"region_code": region_code, "keys": unknown})
            ids |= {row.person_key: row.id for row in earlier}
        return ids

    return await _locked(session, find)


async def lock_records(session: AsyncSession, person_ids: Collection[UUID]) -> dict[UUID, LockedPerson]:
    """The records with these keys; of a record that was merged, the one that goes on."""
    ids = sorted(set(person_ids))

    async def find() -> dict[UUID, UUID]:
        return {row.id: row.kept for row in await session.execute(_LEADS_TO, {"ids": ids})}

    return await _locked(session, find)


async def _locked(
    session: AsyncSession, find: Callable[[], Awaitable[Mapping[Asked, UUID]]]
) -> dict[Asked, LockedPerson]:
    """Find and lock; again where somebody was merged while we waited: nothing goes to an ended record."""
    while True:
        found = await find()
        rows = (await session.execute(_LOCK, {"ids": sorted(set(found.values()))})).all()
        if all(row.merged_into is None for row in rows):
            records = {row.id: LockedPerson(*row[:-1]) for row in rows}
            return {asked: records[person_id] for asked, person_id in found.items()}


async def spells_of(
    session: AsyncSession, person_ids: Collection[UUID]
) -> dict[UUID, list[tuple[Spell, str | None]]]:
    """All stretches of enrolment here, oldest first, each with its employer's credit code."""
    query = (
        select(Enrolment, Employer)
        .outerjoin(Employer, Employer.id == Enrolment.employer_id)
        .where(Enrolment.person_id.in_(person_ids))
        .order_by(Enrolment.started_on, Enrolment.id)
        .execution_options(populate_existing=True)
    )
    found: dict[UUID, list[tuple[Spell, str | None]]] = defaultdict(list)
    for enrolment, employer in await session.execute(query):
        code = employer.credit_code if employer else None
        found[enrolment.person_id].append((spell_of(enrolment, employer), code))
    return found


async def months_of(
    session: AsyncSession, person_ids: Collection[UUID], months: Collection[str]
) -> Sequence[ContributionMonth]:
    """Those of the months that stand in these people's books, of whatever kind."""
    query = (
        select(ContributionMonth)
        .where(ContributionMonth.person_id.in_(person_ids), ContributionMonth.month.in_(months))
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalars().all()


async def years_paid(
    session: AsyncSession, person_ids: Collection[UUID], years: Collection[str]
) -> list[tuple[UUID, InsuranceKind, str]]:
    """Person, kind and year of those that have been paid."""
    if not years:
        return []
    query = select(Payment.person_id, Payment.insurance_kind, Payment.period).where(
        Payment.person_id.in_(person_ids),
        Payment.period.in_(years),
        Payment.outcome == Outcome.MATCHED.value,
    )
    rows = await session.execute(query)
    return [(row[0], InsuranceKind(row[1]), row[2]) for row in rows if row[0] and row[2]]


async def leaving_of(
    session: AsyncSession, region_code: str, person_keys: Collection[str]
) -> Sequence[Transfer]:
    """Transfers that are taking a relation of one of these people away."""
    query = select(Transfer).where(
        Transfer.region_code == region_code,
        Transfer.person_key.in_(person_keys),
        Transfer.state.in_([state.value for state in LEAVING]),
    )
    return (await session.execute(query.execution_options(populate_existing=True))).scalars().all()


async def add_months(
    session: AsyncSession, region_code: str, months: Sequence[MonthToAdd], at: dt.datetime
) -> None:
    """Store months; the caller holds the people's locks and has looked."""
    if not months:
        return
    common = {
        "region_code": region_code,
        "source": OWN,
        "origin_region_code": region_code,
        "origin_agency_name": agency_name_of(region_code),
        "recorded_at": at,
    }
    await session.execute(insert(ContributionMonth), [{**common, **_columns(month)} for month in months])


def _columns(month: MonthToAdd) -> dict[str, Any]:
    return {
        "person_id": month.person_id,
        "counts_as": counts_as(month.kind),
        "insurance_kind": month.kind.value,
        "month": month.new.month,
        "base_fen": month.new.base_fen if month.has_base else None,
        "account_fen": month.new.account_fen,
        "paid_with": month.serial,
        "credit_rule": month.rule,
    }


async def months_paid_with(
    session: AsyncSession, region_code: str, serials: Collection[str]
) -> Sequence[ContributionMonth]:
    """The months these payments pay."""
    query = select(ContributionMonth).where(
        ContributionMonth.region_code == region_code, ContributionMonth.paid_with.in_(serials)
    )
    return (await session.execute(query.execution_options(populate_existing=True))).scalars().all()


async def take_back(session: AsyncSession, region_code: str, serials: Collection[str]) -> None:
    """The months these payments paid are not paid any more; their keys are free again.

    Only of payments that are settled as reversed (migration 0004): others keep theirs.
    """
    if serials:
        await session.execute(_TAKE_BACK, {"region_code": region_code, "serials": sorted(serials)})
