"""Reading and writing the projection. Functions take the caller's session and never commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.tracking.models import ratings, tracked_cases, tracked_messages, tracked_moves

Rows = Sequence[Row[Any]]


@dataclass(frozen=True)
class Wanted:
    """Which cases; None leaves a dimension open. ``overdue_on``: owed before that day."""

    regions: tuple[str, ...] | None = None
    subject_key: str | None = None
    statuses: tuple[str, ...] | None = None
    operation: str | None = None
    item_key: str | None = None
    assignee: str | None = None
    due_by: dt.date | None = None
    overdue_on: dt.date | None = None


async def upsert_cases(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Each case once. A row older than what is stored changes nothing."""
    statement = insert(tracked_cases).values(list(rows))
    newer = {c.name: c for c in statement.excluded if c.name != "case_no"}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[tracked_cases.c.case_no],
            set_=newer,
            where=tracked_cases.c.version < statement.excluded.version,
        )
    )


async def add_moves(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Moves known already are left as they are."""
    await session.execute(insert(tracked_moves).values(list(rows)).on_conflict_do_nothing())


async def add_messages(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Messages known already are left as they are."""
    await session.execute(insert(tracked_messages).values(list(rows)).on_conflict_do_nothing())


async def add_rating(session: AsyncSession, row: dict[str, Any]) -> bool:
    """False where the case has its rating already."""
    statement = insert(ratings).values(row).on_conflict_do_nothing().returning(ratings.c.case_no)
    return (await session.scalar(statement)) is not None


async def find_case(session: AsyncSession, case_no: str) -> Row[Any] | None:
    """The case, if this transaction's regions may see it."""
    query = select(tracked_cases).where(tracked_cases.c.case_no == case_no)
    return (await session.execute(query)).one_or_none()


async def list_cases(
    session: AsyncSession, wanted: Wanted, after: tuple[dt.date, str] | None, limit: int
) -> Rows:
    """Cases by the day owed, then by number, behind the position ``after``."""
    cases = tracked_cases.c
    query = _filtered(wanted).order_by(cases.owed_by, cases.case_no).limit(limit)
    if after is not None:
        query = query.where(tuple_(cases.owed_by, cases.case_no) > tuple_(*after))
    rows: Rows = (await session.execute(query)).all()
    return rows


async def moves_of(session: AsyncSession, case_no: str) -> Rows:
    """All known moves, oldest version first."""
    query = select(tracked_moves).where(tracked_moves.c.case_no == case_no).order_by(tracked_moves.c.version)
    return (await session.execute(query)).all()


async def messages_of(session: AsyncSession, case_no: str) -> Rows:
    """All messages, oldest first."""
    messages = tracked_messages.c
    query = select(tracked_messages).where(messages.case_no == case_no).order_by(messages.at, messages.digest)
    return (await session.execute(query)).all()


async def rating_of(session: AsyncSession, case_no: str) -> Row[Any] | None:
    """The applicant's rating, if there is one."""
    return (await session.execute(select(ratings).where(ratings.c.case_no == case_no))).one_or_none()


async def last_notices(session: AsyncSession, case_nos: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Case number -> items of its newest notice; cases without one are left out."""
    moves = tracked_moves.c
    query = (
        select(moves.case_no, moves.notice)
        .ext(distinct_on(moves.case_no))
        .where(moves.case_no.in_(case_nos), func.jsonb_array_length(moves.notice) > 0)
        .order_by(moves.case_no, moves.version.desc())
    )
    return {row.case_no: row.notice for row in await session.execute(query)}


def _filtered(wanted: Wanted) -> Select[Any]:
    cases = tracked_cases.c
    conditions = {
        cases.subject_key: wanted.subject_key,
        cases.operation: wanted.operation,
        cases.item_key: wanted.item_key,
        cases.assignee: wanted.assignee,
    }
    query = select(tracked_cases).where(
        *(column == value for column, value in conditions.items() if value is not None)
    )
    if wanted.regions is not None:
        query = query.where(cases.region_code.in_(wanted.regions))
    if wanted.statuses is not None:
        query = query.where(cases.status.in_(wanted.statuses))
    if wanted.due_by is not None:
        query = query.where(cases.owed_by <= wanted.due_by)
    if wanted.overdue_on is not None:
        query = query.where(cases.owed_by < wanted.overdue_on)
    return query
