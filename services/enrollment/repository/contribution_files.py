"""Files of the tax authority and their payments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, and_, case, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.payments import Outcome
from services.enrollment.domain.tax_files.rows import PaymentKind
from services.enrollment.models import ContributionFile, Payment

APPLYING, DONE = "applying", "done"

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('contribution_files'), hashtext(:region_code))")

# The oldest file of a region that is not done, and only that one: a red entry may refer to any
# payment before it. Another worker takes another region's.
_NEXT = text("""
    SELECT f.id FROM contribution_files f
    WHERE f.state = 'applying' AND NOT EXISTS (
        SELECT FROM contribution_files older
        WHERE older.region_code = f.region_code AND older.state = 'applying'
          AND (older.received_at, older.id) < (f.received_at, f.id))
    ORDER BY f.received_at, f.id LIMIT 1 FOR NO KEY UPDATE OF f SKIP LOCKED
""")


async def receive_alone(session: AsyncSession, region_code: str) -> None:
    """Until the transaction ends no other file of the region is received: serial numbers are looked up."""
    await session.execute(_ONE_AT_A_TIME, {"region_code": region_code})


async def add_file(session: AsyncSession, file: ContributionFile) -> None:
    """Store a new file."""
    await session.execute(insert(ContributionFile).values(file.values()))


async def find_file(session: AsyncSession, file_id: UUID) -> ContributionFile | None:
    """The file with this key."""
    return await session.get(ContributionFile, file_id)


async def find_file_by_no(session: AsyncSession, region_code: str, file_no: str) -> ContributionFile | None:
    """The region's file with this number."""
    query = select(ContributionFile).where(
        ContributionFile.region_code == region_code, ContributionFile.file_no == file_no
    )
    return (await session.execute(query)).scalar_one_or_none()


async def add_payments(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Store rows of a file; all have the same columns."""
    await session.execute(insert(Payment), rows)


async def serials_known(session: AsyncSession, region_code: str, serials: Collection[str]) -> set[str]:
    """Those of the serial numbers that the region has had before."""
    query = select(Payment.serial).where(
        Payment.region_code == region_code,
        Payment.serial.in_(serials),
        Payment.outcome != Outcome.REPEATED.value,
    )
    return set((await session.execute(query)).scalars())


async def progress_of(session: AsyncSession, file_id: UUID) -> dict[Outcome, tuple[int, int]]:
    """How many rows stand at each outcome, and their sum in fen."""
    total = func.sum(Payment.unit_fen + Payment.personal_fen + Payment.late_fee_fen)
    query = (
        select(Payment.outcome, func.count(), total)
        .where(Payment.file_id == file_id)
        .group_by(Payment.outcome)
    )
    return {Outcome(name): (count, int(fen)) for name, count, fen in await session.execute(query)}


async def page_of(
    session: AsyncSession, file_id: UUID, outcome: Outcome | None, after_row_no: int, limit: int
) -> Sequence[Payment]:
    """Rows after one, in order, of one outcome or of all."""
    query = select(Payment).where(Payment.file_id == file_id, Payment.row_no > after_row_no)
    if outcome is not None:
        query = query.where(Payment.outcome == outcome.value)
    return (await session.execute(query.order_by(Payment.row_no).limit(limit))).scalars().all()


async def next_file(session: AsyncSession) -> ContributionFile | None:
    """The file to work on, locked for this transaction; None if there is none that is free."""
    file_id = (await session.execute(_NEXT)).scalar_one_or_none()
    if file_id is None:
        return None
    return await session.get(ContributionFile, file_id, populate_existing=True)


async def next_payments(session: AsyncSession, file_id: UUID, limit: int) -> Sequence[Payment]:
    """The next rows that nothing has come of yet: red entries by themselves, and never after others.

    A red entry may take back the payment before it, and one transaction posts only once.
    """
    is_red = case((Payment.kind == PaymentKind.CORRECTION.value, 1), else_=0).cast(Integer)
    query = (
        select(Payment, is_red)
        .where(Payment.file_id == file_id, Payment.outcome == Outcome.PENDING.value)
        .order_by(Payment.row_no)
        .limit(limit)
    )
    rows = (await session.execute(query)).all()
    end = next((place for place, (_, red) in enumerate(rows) if red != rows[0][1]), len(rows))
    return [payment for payment, _ in rows[:end]]


async def lock_payment(session: AsyncSession, file_id: UUID, row_no: int) -> Payment | None:
    """One row, locked."""
    query = select(Payment).where(Payment.file_id == file_id, Payment.row_no == row_no)
    locked = query.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(locked)).scalar_one_or_none()


async def lock_originals(
    session: AsyncSession, region_code: str, serials: Collection[str]
) -> dict[str, Payment]:
    """Payments by serial number, locked in the order of their keys."""
    query = (
        select(Payment)
        .where(
            Payment.region_code == region_code,
            Payment.serial.in_(serials),
            Payment.outcome != Outcome.REPEATED.value,
        )
        .order_by(Payment.file_id, Payment.row_no)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {payment.serial: payment for payment in (await session.execute(query)).scalars()}


async def finish(session: AsyncSession, file: ContributionFile, at: dt.datetime) -> None:
    """Nothing of the file is pending any more."""
    await session.execute(
        update(ContributionFile)
        .where(and_(ContributionFile.id == file.id, ContributionFile.state == APPLYING))
        .values(state=DONE, finished_at=at)
    )
