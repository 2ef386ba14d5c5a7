"""Deaths learned."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.deaths import NoticeState
from services.enrollment.models import DeathNotice, Enrolment, Person


async def persons_with_key(session: AsyncSession, person_key: str) -> Sequence[Person]:
    """The records of one person in all regions this transaction may see, locked in the regions' order."""
    query = (
        select(Person)
        .where(Person.person_key == person_key, Person.merged_into.is_(None))
        .order_by(Person.region_code)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalars().all()


async def add_notice(session: AsyncSession, notice: DeathNotice) -> bool:
    """Store a death; False if one stands already for this person."""
    statement = insert(DeathNotice).values(notice.values()).on_conflict_do_nothing()
    return await session.scalar(statement.returning(DeathNotice.id)) is not None


async def standing_notice(session: AsyncSession, person_id: UUID) -> DeathNotice | None:
    """The person's notice that is not revoked."""
    query = select(DeathNotice).where(
        DeathNotice.person_id == person_id, DeathNotice.state != NoticeState.REVOKED.value
    )
    return (await session.execute(query)).scalar_one_or_none()


async def find_notice(session: AsyncSession, notice_id: UUID, *, lock: bool = False) -> DeathNotice | None:
    """The notice with this key. Whoever locks the person too does that first."""
    query = select(DeathNotice).where(DeathNotice.id == notice_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(query)).scalar_one_or_none()


async def enrolments_with_keys(session: AsyncSession, keys: Sequence[UUID]) -> Sequence[Enrolment]:
    """These enrolments, oldest first."""
    query = select(Enrolment).where(Enrolment.id.in_(keys)).order_by(Enrolment.started_on, Enrolment.id)
    return (await session.execute(query)).scalars().all()
