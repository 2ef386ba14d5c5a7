"""Contribution months: each stands once per person, wherever it came from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

from services.enrollment.domain.contributing import OWN, TRANSFERRED_IN, KnownMonth, NewMonth
from services.enrollment.domain.kinds import InsuranceKind, counts_as
from services.enrollment.domain.months import Month, agency_name_of
from services.enrollment.models import ContributionMonth, Person

# Months that left for good with an earlier transfer and now come back count here again.
_REVIVE = text("""
    UPDATE contribution_months AS m SET insurance_kind = c.insurance_kind, base_fen = NULL, account_fen = 0,
        source = 'transferred_in', origin_region_code = c.region_code, origin_agency_name = c.agency_name,
        arrived_with = :conversation, travels_with = NULL, recorded_at = :at
    FROM unnest(:months, :groups, :kinds, :regions, :agencies)
             AS c (month, counts_as, insurance_kind, region_code, agency_name), transfers t
    WHERE m.person_id = :person_id AND m.month = c.month AND m.counts_as = c.counts_as
      AND t.region_code = m.region_code AND t.conversation = m.travels_with AND t.state = 'completed'
    RETURNING m.month
""").bindparams(
    *(bindparam(name, type_=ARRAY(Text)) for name in ("months", "groups", "kinds", "regions", "agencies"))
)


async def known_months(
    session: AsyncSession, person_id: UUID, kind: InsuranceKind, months: Collection[str]
) -> dict[str, KnownMonth]:
    """Those of the months that stand in the books under ``kind`` or what counts the same."""
    query = select(ContributionMonth).where(
        ContributionMonth.person_id == person_id,
        ContributionMonth.counts_as == counts_as(kind),
        ContributionMonth.month.in_(months),
    )
    return {row.month: known_of(row) for row in (await session.execute(query)).scalars()}


async def own_months(session: AsyncSession, person_id: UUID, kind: InsuranceKind) -> Sequence[str]:
    """Months of this kind the person paid here and that are still here."""
    query = select(ContributionMonth.month).where(
        ContributionMonth.person_id == person_id,
        ContributionMonth.insurance_kind == kind.value,
        ContributionMonth.source == OWN,
        ContributionMonth.travels_with.is_(None),
    )
    return (await session.execute(query)).scalars().all()


async def add_own_months(
    session: AsyncSession, person: Person, kind: InsuranceKind, months: Sequence[NewMonth], at: dt.datetime
) -> None:
    """Store months paid here. The caller holds the person's lock and has looked."""
    if not months:
        return
    common = {
        **_common(person, at),
        "counts_as": counts_as(kind),
        "insurance_kind": kind.value,
        "source": OWN,
        "origin_region_code": person.region_code,
        "origin_agency_name": agency_name_of(person.region_code),
    }
    rows = [
        {**common, "month": new.month, "base_fen": new.base_fen, "account_fen": new.account_fen}
        for new in months
    ]
    await session.execute(insert(ContributionMonth).values(rows))


async def add_arriving_months(
    session: AsyncSession, person: Person, months: Sequence[Month], conversation: str, at: dt.datetime
) -> int:
    """Store months from elsewhere; those that count here already stay as they are. How many were added."""
    if not months:
        return 0
    common = {**_common(person, at), "source": TRANSFERRED_IN, "arrived_with": conversation, "account_fen": 0}
    rows = [{**common, **_arriving(month)} for month in months]
    statement = insert(ContributionMonth).values(rows).on_conflict_do_nothing()
    added = await session.execute(statement.returning(ContributionMonth.month))
    revived = await session.execute(_REVIVE, _revive_parameters(person, months, conversation, at))
    return len(added.all()) + len(revived.all())


async def send_along(
    session: AsyncSession, person_id: UUID, kind: InsuranceKind, conversation: str
) -> list[Month]:
    """The months of this kind that are here travel with a transfer from now on; which they are."""
    statement = (
        update(ContributionMonth)
        .where(
            ContributionMonth.person_id == person_id,
            ContributionMonth.insurance_kind == kind.value,
            ContributionMonth.travels_with.is_(None),
        )
        .values(travels_with=conversation)
        .returning(
            ContributionMonth.month,
            ContributionMonth.insurance_kind,
            ContributionMonth.origin_region_code,
            ContributionMonth.origin_agency_name,
        )
    )
    return [Month(row[0], InsuranceKind(row[1]), row[2], row[3]) for row in await session.execute(statement)]


async def bring_back(session: AsyncSession, person_id: UUID, conversation: str) -> None:
    """The transfer was cancelled: its months are here as before."""
    await session.execute(
        update(ContributionMonth)
        .where(ContributionMonth.person_id == person_id, ContributionMonth.travels_with == conversation)
        .values(travels_with=None)
    )


def _common(person: Person, at: dt.datetime) -> dict[str, Any]:
    return {"person_id": person.id, "region_code": person.region_code, "recorded_at": at}


def _arriving(month: Month) -> dict[str, Any]:
    return {
        "counts_as": counts_as(month.insurance_kind),
        "insurance_kind": month.insurance_kind.value,
        "month": month.month,
        "origin_region_code": month.region_code,
        "origin_agency_name": month.agency_name,
    }


def _revive_parameters(
    person: Person, months: Sequence[Month], conversation: str, at: dt.datetime
) -> dict[str, Any]:
    return {
        "person_id": person.id,
        "conversation": conversation,
        "at": at,
        "months": [month.month for month in months],
        "groups": [counts_as(month.insurance_kind) for month in months],
        "kinds": [month.insurance_kind.value for month in months],
        "regions": [month.region_code for month in months],
        "agencies": [month.agency_name for month in months],
    }


def known_of(row: ContributionMonth, *, has_left: bool = False) -> KnownMonth:
    """A month as the rules see it."""
    return KnownMonth(
        month=row.month,
        insurance_kind=InsuranceKind(row.insurance_kind),
        base_fen=row.base_fen,
        account_fen=row.account_fen,
        source=row.source,
        origin_region_code=row.origin_region_code,
        origin_agency_name=row.origin_agency_name,
        is_leaving=row.travels_with is not None,
        has_left=has_left,
    )
