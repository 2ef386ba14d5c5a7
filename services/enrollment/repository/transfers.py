"""One side of a move, by its conversation."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.transfers import State
from services.enrollment.models import Transfer


async def lock_transfer(session: AsyncSession, region_code: str, conversation: str) -> Transfer | None:
    """This region's side of a conversation, locked. Whoever locks the person too does that first."""
    query = (
        select(Transfer)
        .where(Transfer.region_code == region_code, Transfer.conversation == conversation)
        .with_for_update()
    )
    return (await session.execute(query)).scalar_one_or_none()


async def transfers_in(
    session: AsyncSession,
    region_code: str,
    person_key: str,
    kinds: Collection[str],
    states: Collection[State],
) -> Sequence[Transfer]:
    """The person's transfers here of these kinds of insurance that stand at one of ``states``."""
    query = select(Transfer).where(
        Transfer.region_code == region_code,
        Transfer.person_key == person_key,
        Transfer.insurance_kind.in_(kinds),
        Transfer.state.in_([state.value for state in states]),
    )
    return (await session.execute(query)).scalars().all()
