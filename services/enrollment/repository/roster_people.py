"""The people of a chunk of a roster, looked up and written all at once.

Locks are taken stage by stage (records, enrolments, keys of facts), within each in the order of the
blind index: transactions that touch the same people wait for one another and do not deadlock.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind, counts_as
from services.enrollment.domain.transfers import LEAVING

# One descent of the index a person, whatever the planner believes of a table that has just grown
# (it read the whole region for every chunk); and the locks are taken in the order of the keys.
_PEOPLE = text(
    """
    SELECT p.* FROM unnest(CAST(:keys AS text[])) AS wanted (person_key)
    CROSS JOIN LATERAL (
        SELECT id, person_key, name, sex, birth_date, deceased_on, subsidy_kind, version, merged_into
        FROM persons
        WHERE region_code = :region_code AND person_key = wanted.person_key
        LIMIT 1 FOR NO KEY UPDATE
    ) AS p
    """
)
_EARLIER = text(
    """
    SELECT person_key FROM person_aliases
    WHERE region_code = :region_code AND person_key = ANY (CAST(:keys AS text[]))
    """
)
_HERE = text(
    """
    SELECT e.person_key, e.region_code, e.insurance_kind, e.person_kind, e.started_on, e.stopped_on, e.id,
           e.employer_id, e.transferred_out_on, e.stop_reason, m.name AS employer_name
    FROM enrolments e LEFT JOIN employers m ON m.id = e.employer_id
    WHERE e.person_id = ANY (CAST(:ids AS uuid[])) ORDER BY e.started_on, e.id
    """
)
_ELSEWHERE = text(
    "SELECT * FROM enrolments_elsewhere_of(CAST(:keys AS text[]), :region_code, :counts_as, :from_day)"
)
_LEAVING = text(
    """
    SELECT person_key, case_no, side, counterpart_region_code FROM transfers
    WHERE region_code = :region_code AND person_key = ANY (CAST(:keys AS text[]))
      AND insurance_kind = :kind AND state = ANY (CAST(:states AS text[]))
    """
)
_TOUCH = text(
    """
    UPDATE persons p SET version = p.version + 1, subsidy_kind = coalesce(given.subsidy_kind, p.subsidy_kind)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:subsidies AS text[])) AS given (id, subsidy_kind)
    WHERE p.id = given.id
    """
)


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of somebody: ``record`` of the region or None, enrolments here and elsewhere.

    ``is_earlier``: nobody bears the credential any more, but somebody did.
    """

    record: Row[Any] | None
    is_earlier: bool
    spells: Sequence[Spell]
    leaving: Sequence[Row[Any]]


async def look_up(
    session: AsyncSession, region_code: str, keys: Sequence[str], kind: InsuranceKind, from_day: dt.date
) -> Mapping[str, Found]:
    """Everybody of ``keys``, their records locked, in five statements."""
    wanted = {"region_code": region_code, "keys": sorted(keys)}
    records = {row.person_key: row for row in await session.execute(_PEOPLE, wanted)}
    unknown = {**wanted, "keys": [key for key in wanted["keys"] if key not in records]}
    earlier = set(await session.scalars(_EARLIER, unknown))
    spells: defaultdict[str, list[Spell]] = defaultdict(list)
    for row in await session.execute(_HERE, {"ids": [row.id for row in records.values()]}):
        spells[row.person_key].append(_spell_here(row))
    elsewhere = {**wanted, "counts_as": counts_as(kind), "from_day": from_day}
    for row in await session.execute(_ELSEWHERE, elsewhere):
        spells[row.person_key].append(_spell(row))
    leaving: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    states = [state.value for state in LEAVING]
    for row in await session.execute(_LEAVING, {**wanted, "kind": kind.value, "states": states}):
        leaving[row.person_key].append(row)
    return {key: Found(records.get(key), key in earlier, spells[key], leaving[key]) for key in keys}


async def touch(session: AsyncSession, people: Mapping[UUID, str | None]) -> None:
    """Records whose people were enrolled: a version more, and the 财政补助对象 where one was told."""
    if people:
        await session.execute(_TOUCH, {"ids": list(people), "subsidies": list(people.values())})


def _spell(row: Row[Any]) -> Spell:
    return Spell(
        region_code=row.region_code,
        insurance_kind=InsuranceKind(row.insurance_kind),
        person_kind=PersonKind(row.person_kind),
        started_on=row.started_on,
        stopped_on=row.stopped_on,
    )


def _spell_here(row: Row[Any]) -> Spell:
    return Spell(
        region_code=row.region_code,
        insurance_kind=InsuranceKind(row.insurance_kind),
        person_kind=PersonKind(row.person_kind),
        started_on=row.started_on,
        stopped_on=row.stopped_on,
        enrolment_id=str(row.id),
        employer_name=row.employer_name,
        transferred_out_on=row.transferred_out_on,
        employer_id=row.employer_id,
        stop_reason=row.stop_reason,
    )
