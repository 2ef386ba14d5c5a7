"""What time does to cases by itself, once."""

from __future__ import annotations

import datetime as dt

import chinese_calendar.constants as announced
import pytest

from libs.casebook import clocks
from libs.casebook.cases import Case, Move
from libs.casework import working_days
from libs.casework.clock import SHANGHAI
from libs.casework.deadlines import CaseClock, TimeAllowed
from libs.casework.lifecycle import Action
from libs.catalogue.schema import Unit
from libs.webapp.database import ALL_REGIONS
from tests.libs.casebook.conftest import CLERK, NOW, Desk

NINE_DAYS = TimeAllowed(9, Unit.WORKING_DAY)


async def accepted(desk: Desk, on: dt.date = NOW.date(), *, action: Action = Action.ACCEPT) -> Case:
    case = await desk.open()
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        step = Move(action, CLERK, NOW, "checking")
        return await desk.book.move(session, case, step, clock=CaseClock.start(NINE_DAYS, on))


async def round_on(desk: Desk, day: dt.date) -> list[str]:
    """One round of the timer; names of what was said."""
    at = dt.datetime(day.year, day.month, day.day, 9, tzinfo=SHANGHAI)
    before = len(await desk.facts())
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        for case_id in await clocks.case_ids_to_remind(session, day):
            case = await desk.book.load_by_id(session, case_id, lock=True)
            await clocks.remind(desk.book, session, case, at)
    return [fact.action_name for fact in (await desk.facts())[before:]]


async def test_each_reminder_is_said_on_its_day_and_once(desk: Desk) -> None:
    """Due on 20 March 2026."""
    await accepted(desk)
    said = {day: await round_on(desk, dt.date(2026, 3, day)) for day in range(16, 25)}
    assert {day: names for day, names in said.items() if names} == {18: ["时限提醒"], 21: ["超期督办"]}


async def test_a_timer_that_slept_says_only_what_is_true_now(desk: Desk) -> None:
    await accepted(desk)
    assert await round_on(desk, dt.date(2026, 4, 20)) == ["超期督办"]


async def test_before_a_long_holiday_the_reminder_is_not_missed(desk: Desk) -> None:
    """Due on 8 October, after the National Day: two working days ahead is 29 September."""
    await accepted(desk, dt.date(2026, 9, 18))
    assert await round_on(desk, dt.date(2026, 9, 28)) == []
    assert await round_on(desk, dt.date(2026, 9, 29)) == ["时限提醒"]


async def test_neither_a_case_that_ended_nor_one_without_a_clock_is_spoken_of(desk: Desk) -> None:
    await desk.open()
    await accepted(desk, action=Action.WITHDRAW)
    assert await round_on(desk, dt.date(2026, 12, 1)) == []


async def test_what_changed_before_it_was_locked_is_left_alone(desk: Desk) -> None:
    """Found by one look, ended by somebody else, then locked: nothing is said."""
    case = await accepted(desk)
    ended = await desk.move(case, Action.WITHDRAW)
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        late = dt.datetime(2026, 12, 1, 9, tzinfo=SHANGHAI)
        assert await clocks.remind(desk.book, session, ended, late) is None
        assert await clocks.recompute(desk.book, session, ended, late) is None


async def test_provisional_dates_are_counted_again_when_the_year_is_announced(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await accepted(desk, dt.date(2026, 12, 25))
    await accepted(desk)
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        assert await clocks.case_ids_to_recompute(session) == []
    for holiday in (dt.date(2027, 1, 1), dt.date(2027, 1, 4), dt.date(2027, 10, 1)):
        monkeypatch.setitem(announced.holidays, holiday, "test")
    monkeypatch.setattr(working_days, "LAST_ANNOUNCED_YEAR", 2027)
    monkeypatch.setattr(working_days, "SETTLED_UNTIL", dt.date(2027, 12, 28))

    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        assert await clocks.case_ids_to_recompute(session) == [case.id]
        moved = await clocks.recompute(desk.book, session, case, NOW)
        assert await clocks.case_ids_to_recompute(session) == []

    assert moved is not None
    fact = (await desk.facts())[-1]
    assert (fact.action_name, fact.due_on, fact.due_provisional) == (
        "办理时限重算",
        dt.date(2027, 1, 11),
        False,
    )
    assert fact.reason == "节假日安排已公布，办理时限由2027-01-08（暂定）重算为2027-01-11。"
