"""The history of a person's record, and the region's people page by page."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.models import Change, Person


async def changes_of(
    session: AsyncSession, person_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Change]:
    """Changes of the record and of those merged into it, newest first (the keys grow with time)."""
    merged = select(cast(Person.id, Text)).where(Person.merged_into == person_id)
    query = (
        select(Change)
        .where(
            Change.subject_kind == "person",
            (Change.subject_id == str(person_id)) | Change.subject_id.in_(merged),
        )
        .order_by(Change.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(Change.id < after)
    return (await session.execute(query)).scalars().all()


async def people_of(
    session: AsyncSession, region_code: str, *, after: UUID | None, limit: int
) -> Sequence[Person]:
    """A page of the region's records, oldest first (the keys grow with time)."""
    query = select(Person).where(Person.region_code == region_code).order_by(Person.id).limit(limit)
    if after is not None:
        query = query.where(Person.id > after)
    return (await session.execute(query)).scalars().all()
