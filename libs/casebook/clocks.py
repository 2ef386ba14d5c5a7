"""What time does to cases by itself: a reminder before the due date, one after it, and due dates
counted anew when the holidays of a year are announced.

Each is one line of the case's record, once, and so one fact. ``…_ids`` looks without locks; what
is then done asks the case again, which the caller has locked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.cases import Case, Casebook, Move, clock_of
from libs.casebook.tables import cases
from libs.casework import working_days
from libs.casework.actors import SYSTEM
from libs.casework.clock import SHANGHAI
from libs.casework.deadlines import CaseClock, Reminder
from libs.casework.lifecycle import Action

REMINDER_NAMES = {Reminder.SOON: "时限提醒", Reminder.OVERDUE: "超期督办"}

# Two working days are never further off than this: the longest holiday has nine days with its weekends.
_FURTHEST_WARNING = dt.timedelta(days=14)


async def case_ids_to_remind(session: AsyncSession, today: dt.date) -> list[UUID]:
    """Open cases about which something is to be said today, the longest due first."""
    query = (
        select(cases)
        .where(
            cases.c.ended_at.is_(None),
            cases.c.clock_paused_on.is_(None),
            cases.c.due_on <= today + _FURTHEST_WARNING,
            cases.c.clock_reminded.is_distinct_from(Reminder.OVERDUE.value),
        )
        .order_by(cases.c.due_on, cases.c.id)
    )
    rows = (await session.execute(query)).all()
    return [row.id for row in rows if (clock := clock_of(row)) and clock.reminder_on(today)]


async def remind(casebook: Casebook, session: AsyncSession, case: Case, at: dt.datetime) -> Case | None:
    """Say of a locked case that it is nearly due or overdue; None if there is nothing (more) to say."""
    today = at.astimezone(SHANGHAI).date()
    reminder = case.clock.reminder_on(today) if case.clock and case.ended_at is None else None
    if case.clock is None or reminder is None:
        return None
    reason = f"办理时限为{case.clock.due.on}（{case.clock.allowed.in_chinese()}）"
    said = "将到期，请抓紧办理。" if reminder is Reminder.SOON else "已超期，请主管人员督办。"
    clock = replace(case.clock, reminded=reminder)
    return await _note(casebook, session, case, REMINDER_NAMES[reminder], f"{reason}，{said}", clock, at)


async def case_ids_to_recompute(session: AsyncSession) -> Sequence[UUID]:
    """Open cases whose due date was provisional and need not be any longer."""
    query = (
        select(cases.c.id)
        .where(
            cases.c.ended_at.is_(None),
            cases.c.clock_paused_on.is_(None),
            cases.c.due_provisional,
            cases.c.due_on <= working_days.SETTLED_UNTIL,
        )
        .order_by(cases.c.due_on, cases.c.id)
    )
    return (await session.execute(query)).scalars().all()


async def recompute(casebook: Casebook, session: AsyncSession, case: Case, at: dt.datetime) -> Case | None:
    """Count the due date of a locked case again; None where it does not change."""
    clock = case.clock.recomputed() if case.clock and case.ended_at is None else None
    if case.clock is None or clock is None or clock == case.clock:
        return None
    reason = f"节假日安排已公布，办理时限由{case.clock.due.on}（暂定）重算为{clock.due.on}。"
    return await _note(casebook, session, case, "办理时限重算", reason, clock, at)


async def _note(
    casebook: Casebook,
    session: AsyncSession,
    case: Case,
    name: str,
    reason: str,
    clock: CaseClock,
    at: dt.datetime,
) -> Case:
    step = Move(Action.NOTE, SYSTEM, at, case.stage, reason, action_name=name)
    return await casebook.move(session, case, step, clock=clock)
