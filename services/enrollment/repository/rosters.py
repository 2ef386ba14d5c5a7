"""Rosters, their files and rows: taken up by one worker at a time, each step fenced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.rosters import Outcome, RosterState
from services.enrollment.models import Roster, RosterFile, RosterRow

# By the database's clock, as all leases: machines' clocks differ. A worker that was killed holds
# its roster up until the lease has ended.
_TAKE = text(
    """
    UPDATE rosters SET state = 'running', version = version + 1, started_at = coalesce(started_at, :now),
        leased_by = :worker, leased_until = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE id = (
        SELECT id FROM rosters
        WHERE state = 'ready' OR (state = 'running' AND leased_until < clock_timestamp())
        ORDER BY submitted_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id, region_code
    """
)
_STILL_OURS = text(
    """
    SELECT 1 FROM rosters
    WHERE id = :id AND leased_by = :worker AND state = 'running' AND next_row = :next_row
    FOR NO KEY UPDATE
    """
)
_ADVANCE = text(
    """
    UPDATE rosters SET version = version + 1, next_row = :next_row,
        rows_done = rows_done + :enrolled + :already_enrolled + :refused,
        enrolled = enrolled + :enrolled, already_enrolled = already_enrolled + :already_enrolled,
        refused = refused + :refused, state = CAST(:state AS text),
        finished_at = CASE WHEN CAST(:state AS text) = 'finished' THEN CAST(:now AS timestamptz) END,
        leased_until = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE id = :id
    """
)


async def add(session: AsyncSession, roster: Roster, sealed: bytes) -> bool:
    """Store a roster with its file; False if the same file of this region and kind was taken before."""
    statement = insert(Roster).values(roster.values()).on_conflict_do_nothing().returning(Roster.id)
    if await session.scalar(statement) is None:
        return False
    file = {"roster_id": roster.id, "region_code": roster.region_code, "content": sealed}
    await session.execute(insert(RosterFile).values(file))
    return True


async def find(session: AsyncSession, roster_id: UUID, *, lock: bool = False) -> Roster | None:
    """The roster with this key, as it is now."""
    query = select(Roster).where(Roster.id == roster_id).execution_options(populate_existing=True)
    return (await session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


async def find_same(session: AsyncSession, region_code: str, kind: str, digest: str) -> Roster | None:
    """The roster that holds the same file already."""
    query = select(Roster).where(
        Roster.region_code == region_code,
        Roster.kind == kind,
        Roster.digest == digest,
        Roster.state != RosterState.FAILED.value,
    )
    return (await session.execute(query)).scalar_one_or_none()


async def newest(
    session: AsyncSession, region_code: str, before: tuple[dt.datetime, UUID] | None, limit: int
) -> Sequence[Roster]:
    """A page of a region's rosters, newest first."""
    query = select(Roster).where(Roster.region_code == region_code)
    if before is not None:
        query = query.where(tuple_(Roster.submitted_at, Roster.id) < before)
    query = query.order_by(Roster.submitted_at.desc(), Roster.id.desc()).limit(limit)
    return (await session.execute(query)).scalars().all()


async def content_of(session: AsyncSession, roster_id: UUID) -> bytes:
    """The sealed file."""
    query = select(RosterFile.content).where(RosterFile.roster_id == roster_id)
    return (await session.execute(query)).scalar_one()


async def release(session: AsyncSession, roster_id: UUID, case_no: str | None) -> None:
    """Hand a received roster to the workers."""
    await session.execute(
        update(Roster)
        .where(Roster.id == roster_id)
        .values(state=RosterState.READY.value, case_no=case_no, version=Roster.version + 1)
    )


async def take(session: AsyncSession, worker: UUID, now: dt.datetime, lease_s: float) -> UUID | None:
    """The roster that has waited longest, or that a worker has left, now this worker's."""
    row = (await session.execute(_TAKE, {"worker": worker, "now": now, "lease_s": lease_s})).one_or_none()
    return None if row is None else row.id


async def is_still_ours(session: AsyncSession, roster_id: UUID, worker: UUID, next_row: int) -> bool:
    """Whether this worker still has the roster, at this row; if so nobody takes it before we commit."""
    wanted = {"id": roster_id, "worker": worker, "next_row": next_row}
    return await session.scalar(_STILL_OURS, wanted) is not None


async def advance(
    session: AsyncSession,
    roster_id: UUID,
    next_row: int,
    counts: dict[Outcome, int],
    state: RosterState,
    now: dt.datetime,
    lease_s: float,
) -> None:
    """The rows before ``next_row`` are done, these many of each outcome more."""
    numbers = {outcome.value: counts.get(outcome, 0) for outcome in Outcome}
    values = {"id": roster_id, "next_row": next_row, "state": state.value, "now": now, "lease_s": lease_s}
    await session.execute(_ADVANCE, {**values, **numbers})


async def fail(session: AsyncSession, roster_id: UUID, worker: UUID, now: dt.datetime) -> None:
    """Give a roster up where it stands; the rows done stay done."""
    await session.execute(
        update(Roster)
        .where(Roster.id == roster_id, Roster.leased_by == worker, Roster.state == RosterState.RUNNING.value)
        .values(state=RosterState.FAILED.value, finished_at=now, version=Roster.version + 1)
    )


async def rows_of(
    session: AsyncSession, roster_id: UUID, outcome: Outcome | None, after: int, limit: int | None
) -> Sequence[RosterRow]:
    """Rows in the order of the file after row ``after``, all or of one outcome."""
    query = select(RosterRow).where(RosterRow.roster_id == roster_id, RosterRow.row_no > after)
    if outcome is not None:
        query = query.where(RosterRow.outcome == outcome.value)
    return (await session.execute(query.order_by(RosterRow.row_no).limit(limit))).scalars().all()


async def fault_counts(session: AsyncSession, roster_id: UUID) -> list[tuple[str, int]]:
    """How many rows were refused for each kind of fault, most frequent first."""
    code = func.jsonb_array_elements_text(RosterRow.codes).label("code")
    query = (
        select(code, func.count())
        .where(RosterRow.roster_id == roster_id, RosterRow.outcome == Outcome.REFUSED.value)
        .group_by(code)
        .order_by(func.count().desc(), code)
    )
    return [(found, count) for found, count in await session.execute(query)]
