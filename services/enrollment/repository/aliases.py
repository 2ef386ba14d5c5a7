"""Keys a person was known by before: a credential that was changed, a record that was merged."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.models import Person, PersonAlias


async def find_person(session: AsyncSession, region_code: str, person_key: str) -> Person | None:
    """Whoever was known by this key in the region before."""
    query = (
        select(Person)
        .join(PersonAlias, (PersonAlias.person_id == Person.id))
        .where(PersonAlias.region_code == region_code, PersonAlias.person_key == person_key)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def put_alias(
    session: AsyncSession, region_code: str, person_key: str, person_id: UUID, at: dt.datetime
) -> None:
    """From now on the key stands for this person, whoever it stood for before."""
    statement = insert(PersonAlias).values(
        region_code=region_code, person_key=person_key, person_id=person_id, since=at
    )
    later = {"person_id": statement.excluded.person_id, "since": statement.excluded.since}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["region_code", "person_key"], set_=later)
    )


async def hand_over(session: AsyncSession, from_id: UUID, to_id: UUID) -> None:
    """Every key one record was known by before stands for the other now."""
    await session.execute(update(PersonAlias).where(PersonAlias.person_id == from_id).values(person_id=to_id))
