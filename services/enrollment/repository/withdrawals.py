"""Withdrawals, payout batches and their lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.payouts import ENDED, State
from services.enrollment.models import PayoutBatch, PayoutLine, Withdrawal

_ENDED = [state.value for state in ENDED]


async def add_withdrawal(session: AsyncSession, withdrawal: Withdrawal) -> bool:
    """Store a new withdrawal; False if the person has another open one."""
    statement = insert(Withdrawal).values(withdrawal.values()).on_conflict_do_nothing()
    return await session.scalar(statement.returning(Withdrawal.case_no)) is not None


async def find_withdrawal(session: AsyncSession, case_no: str, *, lock: bool = False) -> Withdrawal | None:
    """The withdrawal of this case; whoever locks it locks the case first."""
    query = select(Withdrawal).where(Withdrawal.case_no == case_no)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(query)).scalar_one_or_none()


async def open_withdrawal_of(session: AsyncSession, person_id: UUID) -> Withdrawal | None:
    """The person's withdrawal that has not ended."""
    query = select(Withdrawal).where(Withdrawal.person_id == person_id, Withdrawal.state.not_in(_ENDED))
    return (await session.execute(query)).scalar_one_or_none()


async def take_payable(
    session: AsyncSession, region_code: str, *, cashier: str, at_most: int
) -> Sequence[Withdrawal]:
    """Withdrawals to be paid that ``cashier`` neither checked nor approved, locked, in the order of cases.

    Those another batch is taking at this moment are passed over: no line stands in two batches.
    """
    query = (
        select(Withdrawal)
        .where(Withdrawal.region_code == region_code, Withdrawal.state == State.PAYABLE.value)
        .where(_not_by(cashier))
        .order_by(Withdrawal.case_no)
        .limit(at_most)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalars().all()


async def has_payable(session: AsyncSession, region_code: str) -> bool:
    """Whether anything waits to be paid, whoever checked it."""
    query = select(Withdrawal.case_no).where(
        Withdrawal.region_code == region_code, Withdrawal.state == State.PAYABLE.value
    )
    return (await session.execute(query.limit(1))).first() is not None


async def find_batch(session: AsyncSession, batch_id: UUID) -> PayoutBatch | None:
    """The batch with this key; it never changes."""
    return await session.get(PayoutBatch, batch_id)


async def lines_of_batch(
    session: AsyncSession, batch_id: UUID, *, lock: bool = False
) -> Sequence[PayoutLine]:
    """All lines of a batch in the file's order; locked, results are taken one message after the other."""
    query = (
        select(PayoutLine)
        .where(PayoutLine.batch_id == batch_id)
        .order_by(PayoutLine.ordinal)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query.with_for_update() if lock else query)).scalars().all()


async def lines_of_case(session: AsyncSession, case_no: str) -> Sequence[PayoutLine]:
    """All lines a withdrawal ever had, oldest first."""
    query = select(PayoutLine).where(PayoutLine.case_no == case_no).order_by(PayoutLine.end_to_end_id)
    return (await session.execute(query)).scalars().all()


def _not_by(cashier: str) -> Any:
    by_others = [
        or_(column.is_(None), column != cashier) for column in (Withdrawal.checked_by, Withdrawal.approved_by)
    ]
    return by_others[0] & by_others[1]
