"""Due dates: units, warnings, overdue, pauses, holidays announced later."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import chinese_calendar.constants as announced
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.casework import working_days
from libs.casework.deadlines import CaseClock, Reminder, TimeAllowed, allowed_by
from libs.casework.working_days import DueDate, working_days_between
from libs.catalogue.schema import TimeLimit, Unit, When
from libs.catalogue.situation import Situation
from tests.libs.casework.items import item

MONDAY = dt.date(2026, 3, 9)
NINE_DAYS = TimeAllowed(9, Unit.WORKING_DAY)  # due on Friday 20 March


def march(day: int) -> dt.date:
    return dt.date(2026, 3, day)


@pytest.mark.parametrize(
    ("allowed", "start", "due", "said"),
    [
        (TimeAllowed(0, Unit.IMMEDIATE), MONDAY, MONDAY, "即时办结"),
        (TimeAllowed(9, Unit.WORKING_DAY), MONDAY, march(20), "9个工作日"),
        (TimeAllowed(10, Unit.NATURAL_DAY), MONDAY, march(19), "10日"),
        (TimeAllowed(3, Unit.MONTH), MONDAY, dt.date(2026, 6, 9), "3个月"),
        (TimeAllowed(1, Unit.MONTH), dt.date(2026, 1, 31), dt.date(2026, 2, 28), "1个月"),
        (TimeAllowed(1, Unit.MONTH), dt.date(2028, 1, 31), dt.date(2028, 2, 29), "1个月"),
        (TimeAllowed(1, Unit.MONTH), dt.date(2026, 10, 31), dt.date(2026, 11, 30), "1个月"),
        (TimeAllowed(1, Unit.MONTH), dt.date(2026, 11, 30), dt.date(2026, 12, 30), "1个月"),
        (TimeAllowed(2, Unit.MONTH), dt.date(2026, 10, 31), dt.date(2026, 12, 31), "2个月"),
        (TimeAllowed(3, Unit.MONTH), dt.date(2026, 11, 30), dt.date(2027, 2, 28), "3个月"),
        (TimeAllowed(12, Unit.MONTH), dt.date(2028, 2, 29), dt.date(2029, 2, 28), "12个月"),
    ],
)
def test_each_unit_is_counted_its_own_way(
    allowed: TimeAllowed, start: dt.date, due: dt.date, said: str
) -> None:
    assert (allowed.from_day(start).on, allowed.in_chinese()) == (due, said)


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)), st.integers(0, 400))
def test_months_later_is_the_same_day_or_the_last_of_its_month(start: dt.date, months: int) -> None:
    later = TimeAllowed(months, Unit.MONTH).from_day(start).on
    assert (later.year - start.year) * 12 + later.month - start.month == months
    assert later.day == start.day or (later + dt.timedelta(days=1)).month != later.month
    assert later.day <= start.day


@pytest.mark.parametrize(
    ("day", "warns", "overdue"),
    [(17, False, False), (18, True, False), (19, True, False), (20, True, False), (21, False, True)],
)
def test_warned_two_working_days_ahead_overdue_the_day_after(day: int, warns: bool, overdue: bool) -> None:
    clock = CaseClock.start(NINE_DAYS, MONDAY)
    assert (clock.warns_on(march(day)), clock.is_overdue(march(day))) == (warns, overdue)


def test_a_holiday_between_brings_the_warning_forward() -> None:
    """Due on 8 October, the first working day after the National Day: warned on 29 September."""
    clock = CaseClock.start(TimeAllowed(5, Unit.WORKING_DAY), dt.date(2026, 9, 23))
    assert clock.due.on == dt.date(2026, 10, 8)
    assert [clock.warns_on(dt.date(2026, 9, day)) for day in (28, 29, 30)] == [False, True, True]


def test_each_reminder_is_due_once() -> None:
    clock = CaseClock.start(NINE_DAYS, MONDAY)
    assert clock.reminder_on(march(17)) is None
    assert clock.reminder_on(march(18)) is Reminder.SOON
    assert replace(clock, reminded=Reminder.SOON).reminder_on(march(19)) is None
    assert replace(clock, reminded=Reminder.SOON).reminder_on(march(21)) is Reminder.OVERDUE
    assert clock.reminder_on(march(21)) is Reminder.OVERDUE
    assert replace(clock, reminded=Reminder.OVERDUE).reminder_on(march(30)) is None


def test_while_the_applicant_supplements_the_clock_stands_still() -> None:
    """Two of nine days are used on Wednesday; the seven left begin after the 18th."""
    paused = CaseClock.start(NINE_DAYS, MONDAY).pause(march(11))
    assert not paused.is_overdue(dt.date(2027, 1, 1))
    assert not paused.warns_on(march(18))

    going_on = paused.resume(march(18))

    assert (going_on.due.on, going_on.paused_on, going_on.started_on) == (march(27), None, MONDAY)


def test_pausing_twice_and_resuming_twice_change_nothing() -> None:
    clock = CaseClock.start(NINE_DAYS, MONDAY)
    paused = clock.pause(march(11))
    assert paused.pause(march(13)) == paused
    assert clock.resume(march(13)) == clock


def test_a_pause_within_a_day_costs_nothing() -> None:
    clock = CaseClock.start(NINE_DAYS, MONDAY)
    assert clock.pause(march(11)).resume(march(11)).due == clock.due


def test_what_was_overdue_stays_overdue_after_a_supplement() -> None:
    resumed = CaseClock.start(NINE_DAYS, MONDAY).pause(march(23)).resume(march(24))
    assert resumed.due.on == march(20)
    assert resumed.is_overdue(march(24))


def test_paused_on_the_last_day_it_is_due_on_the_day_it_goes_on() -> None:
    resumed = CaseClock.start(NINE_DAYS, MONDAY).pause(march(20)).resume(march(25))
    assert resumed.due.on == march(25)


def test_a_resumed_clock_is_warned_of_anew() -> None:
    warned = replace(CaseClock.start(NINE_DAYS, MONDAY), reminded=Reminder.SOON)
    assert warned.pause(march(19)).resume(march(30)).reminded is None


def test_natural_days_are_prolonged_by_natural_days() -> None:
    clock = CaseClock.start(TimeAllowed(10, Unit.NATURAL_DAY), MONDAY).pause(march(11)).resume(march(15))
    assert clock.due == DueDate(march(23), provisional=False)


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=4))
def test_pauses_never_cost_a_working_day(amount: int, pauses: list[tuple[int, int]]) -> None:
    """The clock runs as many working days as are allowed, however often it stood still.

    Paused with none left it is due on the day it goes on, or the next one worked: a day more.
    """
    clock = CaseClock.start(TimeAllowed(amount, Unit.WORKING_DAY), MONDAY)
    ran, since, today = 0, MONDAY, MONDAY
    for before, during in pauses:
        today = min(today + dt.timedelta(days=before), clock.due.on)
        ran += working_days_between(since, today)
        clock = clock.pause(today)
        today = since = today + dt.timedelta(days=during)
        clock = clock.resume(today)
    ran += working_days_between(since, clock.due.on)
    assert amount <= ran <= amount + len(pauses)


@pytest.fixture
def a_longer_new_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """2027 is announced, with 4 January free."""
    for holiday in (dt.date(2027, 1, 1), dt.date(2027, 1, 4), dt.date(2027, 10, 1)):
        monkeypatch.setitem(announced.holidays, holiday, "test")
    monkeypatch.setattr(working_days, "LAST_ANNOUNCED_YEAR", 2027)
    monkeypatch.setattr(working_days, "SETTLED_UNTIL", dt.date(2027, 12, 28))


def provisional_clock() -> CaseClock:
    clock = CaseClock.start(NINE_DAYS, dt.date(2026, 12, 25))
    assert clock.due == DueDate(dt.date(2027, 1, 8), provisional=True)
    return clock


@pytest.fixture
def provisional() -> CaseClock:
    return provisional_clock()


def test_a_provisional_date_is_counted_again_once_the_year_is_announced(
    provisional: CaseClock, a_longer_new_year: None
) -> None:
    again = provisional.recomputed()
    assert again.due == DueDate(dt.date(2027, 1, 11), provisional=False)
    assert again.recomputed() == again


def test_counted_again_the_pauses_still_count(provisional: CaseClock, request: pytest.FixtureRequest) -> None:
    """Paused from the 28th to the 30th of December: two days more than without."""
    resumed = provisional.pause(dt.date(2026, 12, 28)).resume(dt.date(2026, 12, 30))
    assert resumed.due == DueDate(dt.date(2027, 1, 12), provisional=True)
    request.getfixturevalue("a_longer_new_year")
    assert resumed.recomputed().due == DueDate(dt.date(2027, 1, 13), provisional=False)


def test_a_paused_clock_is_counted_when_it_resumes(provisional: CaseClock, a_longer_new_year: None) -> None:
    paused = provisional.pause(dt.date(2026, 12, 28))
    assert paused.recomputed() == paused
    assert not paused.resume(dt.date(2026, 12, 30)).due.provisional


def test_a_date_that_stays_is_not_warned_of_again(provisional: CaseClock) -> None:
    warned = replace(provisional, reminded=Reminder.SOON)
    assert warned.recomputed().reminded is Reminder.SOON


def limit(amount: int, when: When | None = None, stage: str = "total") -> TimeLimit:
    return TimeLimit(
        text="…", at="L1", stage=stage, amount=amount, unit=Unit.WORKING_DAY, when=when or When()
    )


IN_PROVINCE = When(scope=["in_province"])
ONLINE_IN_PROVINCE = When(scope=["in_province"], channel=["online"])


@pytest.mark.parametrize(
    ("situation", "amount"),
    [
        (Situation(scope="cross_province"), 15),
        (Situation(scope="in_province"), 9),
        (Situation(scope="in_province", channel="online"), 2),
        (Situation(channel="online"), 15),
        (Situation(), 15),
    ],
)
def test_the_limit_with_the_most_conditions_that_hold_applies(situation: Situation, amount: int) -> None:
    limits = [
        limit(15),
        limit(9, IN_PROVINCE),
        limit(2, ONLINE_IN_PROVINCE),
        limit(1, stage="accept"),
    ]
    allowed = allowed_by(item(time_limits=limits), situation)
    assert allowed == TimeAllowed(amount, Unit.WORKING_DAY)


def test_a_stage_without_a_limit_has_none() -> None:
    assert allowed_by(item(time_limits=[limit(15)]), Situation(), "take_up") is None


def test_of_two_limits_alike_the_first_printed_applies() -> None:
    allowed = allowed_by(
        item(time_limits=[limit(9, IN_PROVINCE), limit(3, IN_PROVINCE)]), Situation(scope="in_province")
    )
    assert allowed == TimeAllowed(9, Unit.WORKING_DAY)
