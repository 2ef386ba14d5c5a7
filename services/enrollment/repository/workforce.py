"""The people of whole employers, read and written in a few statements however many they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Uuid,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.contributing import OWN
from services.enrollment.domain.successions import Member
from services.enrollment.models import Base, Change, Enrolment, Person, Succession

# The table itself: the mapper would look at each of tens of thousands of rows.
_CHANGES = Base.metadata.tables[Change.__tablename__]
_COLUMN_OF = {"enrolment_id": "id"}
_START = text("""
    INSERT INTO enrolments (id, region_code, version, person_id, person_key, insurance_kind, counts_as,
        person_kind, employer_id, started_on, declared_wage_fen, created_at)
    SELECT m.new_id, e.region_code, 1, e.person_id, e.person_key, e.insurance_kind, e.counts_as,
        e.person_kind, m.employer_id, :first_day, e.declared_wage_fen, :at
    FROM unnest(:old_ids, :new_ids, :employer_ids) AS m (old_id, new_id, employer_id)
    JOIN enrolments e ON e.id = m.old_id
""").bindparams(
    *(bindparam(name, type_=ARRAY(Uuid)) for name in ("old_ids", "new_ids", "employer_ids")),
    bindparam("first_day", type_=Date),
    bindparam("at", type_=DateTime(timezone=True)),
)
_AGAIN = text("""
    UPDATE persons AS p SET version = p.version + m.times
    FROM unnest(:ids, :times) AS m (id, times) WHERE p.id = m.id
    RETURNING p.id, p.version
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("times", type_=ARRAY(BigInteger)))


async def members_of(
    session: AsyncSession,
    employer_ids: Sequence[UUID],
    *,
    person_kind: str | None = None,
    lock: bool = False,
) -> list[Member]:
    """Active enrolments with these employers, by person.

    ``lock``: the people first, in the order everybody locks people in (``person_key``); what is
    read then stays as it is.
    """
    theirs: list[ColumnElement[bool]] = [
        Enrolment.employer_id.in_(employer_ids),
        Enrolment.stopped_on.is_(None),
    ]
    if person_kind is not None:
        theirs.append(Enrolment.person_kind == person_kind)
    if lock:
        people = select(Enrolment.person_id).where(*theirs)
        query = select(Person.id).where(Person.id.in_(people)).order_by(Person.person_key)
        await session.execute(query.with_for_update(key_share=True))
    columns = [getattr(Enrolment, _COLUMN_OF.get(one.name, one.name)) for one in fields(Member)]
    rows = await session.execute(select(*columns).where(*theirs).order_by(Enrolment.person_key, Enrolment.id))
    return [Member(*row) for row in rows]


async def paid_after(
    session: AsyncSession, employer_id: UUID, person_kind: str, month: str
) -> list[tuple[UUID, str]]:
    """People of the employer with own months after ``month``: who, and the last month paid."""
    query = text("""
        SELECT e.person_id, max(m.month) FROM enrolments e
        JOIN contribution_months m ON m.person_id = e.person_id AND m.insurance_kind = e.insurance_kind
        WHERE e.employer_id = :employer_id AND e.stopped_on IS NULL AND e.person_kind = :person_kind
          AND m.month > :month AND m.source = :own AND m.travels_with IS NULL
        GROUP BY e.person_id ORDER BY e.person_id
    """)
    wanted = {"employer_id": employer_id, "person_kind": person_kind, "month": month, "own": OWN}
    return [(person_id, last) for person_id, last in await session.execute(query, wanted)]


async def stop_all(session: AsyncSession, enrolment_ids: Sequence[UUID], last_day: dt.date, why: str) -> None:
    """Stop these active enrolments. All of them are active, or nothing happens (AssertionError)."""
    statement = (
        update(Enrolment)
        .where(Enrolment.id == text("ANY(:ids)").bindparams(bindparam("ids", type_=ARRAY(Uuid))))
        .where(Enrolment.stopped_on.is_(None))
        .values(stopped_on=last_day, stop_reason=why, version=Enrolment.version + 1)
        .execution_options(synchronize_session=False)
    )
    result = await session.execute(statement, {"ids": list(enrolment_ids)})
    assert result.rowcount == len(enrolment_ids), "their people are locked"  # type: ignore[attr-defined]


async def start_all(
    session: AsyncSession,
    moves: Sequence[tuple[UUID, UUID, UUID]],
    first_day: dt.date,
    at: dt.datetime,
) -> None:
    """For each (old enrolment, new key, employer) the same with that employer from ``first_day``."""
    old_ids, new_ids, employer_ids = ([move[place] for move in moves] for place in range(3))
    await session.execute(
        _START,
        {
            "old_ids": old_ids,
            "new_ids": new_ids,
            "employer_ids": employer_ids,
            "first_day": first_day,
            "at": at,
        },
    )


async def count_up(session: AsyncSession, times: Mapping[UUID, int]) -> dict[UUID, int]:
    """The people's versions grow by how many of their enrolments changed; what they are then."""
    rows = await session.execute(_AGAIN, {"ids": list(times), "times": list(times.values())})
    return {row.id: row.version for row in rows}


async def add_changes(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Lines of the history, many at once."""
    await session.execute(insert(_CHANGES), list(rows))


async def add_succession(session: AsyncSession, succession: Succession) -> None:
    """Who took over whose people."""
    session.add(succession)
