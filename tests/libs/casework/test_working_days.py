"""Working days: make-up days, holidays, and the year nobody has announced yet."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.casework.working_days import (
    FIRST_ANNOUNCED_YEAR,
    LAST_ANNOUNCED_YEAR,
    SETTLED_UNTIL,
    add_working_days,
    is_announced,
    is_settled,
    is_working_day,
    working_days_between,
)


def day(month: int, day_of_month: int, year: int = 2026) -> dt.date:
    return dt.date(year, month, day_of_month)


@pytest.mark.parametrize(
    "saturday_or_sunday",
    [day(1, 4), day(2, 14), day(2, 28), day(5, 9), day(9, 20), day(10, 10)],
)
def test_make_up_days_of_2026_are_worked(saturday_or_sunday: dt.date) -> None:
    assert saturday_or_sunday.isoweekday() in (6, 7)
    assert is_working_day(saturday_or_sunday)


@pytest.mark.parametrize(
    "holiday",
    [
        day(1, 1),
        day(1, 2),
        *(day(2, number) for number in range(15, 24)),
        day(4, 6),
        day(5, 1),
        day(5, 5),
        day(6, 19),
        day(9, 25),
        *(day(10, number) for number in range(1, 8)),
    ],
)
def test_holidays_of_2026_are_free(holiday: dt.date) -> None:
    assert not is_working_day(holiday)


@pytest.mark.parametrize(
    ("start", "working_days", "due"),
    [
        (day(2, 13), 1, day(2, 14)),  # the Saturday before the Spring Festival is worked
        (day(2, 13), 2, day(2, 24)),
        (day(2, 27), 1, day(2, 28)),
        (day(9, 30), 1, day(10, 8)),
        (day(9, 30), 3, day(10, 10)),
        (day(3, 9), 9, day(3, 20)),
        (day(3, 9), 0, day(3, 9)),
        (day(3, 7), 0, day(3, 9)),  # a Saturday: the next working day
        (day(3, 7), 1, day(3, 9)),
    ],
)
def test_counting_begins_the_day_after(start: dt.date, working_days: int, due: dt.date) -> None:
    counted = add_working_days(start, working_days)
    assert (counted.on, counted.provisional) == (due, False)


def test_into_an_unannounced_year_the_date_is_provisional() -> None:
    """1 January 2027 is a holiday whatever is announced; the rest is the estimate."""
    assert not is_announced(2027)
    counted = add_working_days(day(12, 28), 5)
    assert (counted.on, counted.provisional) == (dt.date(2027, 1, 5), True)


def test_the_last_days_of_the_last_announced_year_are_not_settled() -> None:
    """The arrangement of a New Year may reach back to 29 December, as it did for 2019."""
    assert is_working_day(dt.date(2018, 12, 29))  # a Saturday
    assert not is_working_day(dt.date(2018, 12, 31))  # a Monday
    assert dt.date(LAST_ANNOUNCED_YEAR, 12, 28) == SETTLED_UNTIL
    assert [add_working_days(SETTLED_UNTIL, days).provisional for days in (0, 1)] == [False, True]


def test_before_the_first_announced_year_nothing_is_settled() -> None:
    assert not is_settled(dt.date(FIRST_ANNOUNCED_YEAR - 1, 6, 1))
    assert add_working_days(dt.date(FIRST_ANNOUNCED_YEAR - 1, 12, 30), 30).provisional


def test_an_unannounced_year_has_free_weekends_and_its_fixed_holidays() -> None:
    far = LAST_ANNOUNCED_YEAR + 1
    assert not is_working_day(dt.date(far, 10, 1))
    assert not any(
        is_working_day(dt.date(far, 3, 1) + dt.timedelta(days=n))
        for n in range(31)
        if (dt.date(far, 3, 1) + dt.timedelta(days=n)).isoweekday() > 5
    )


def test_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        add_working_days(day(3, 9), -1)


@given(st.dates(day(1, 1, 2020), day(12, 31, 2027)), st.integers(1, 60))
def test_what_was_added_lies_between(start: dt.date, working_days: int) -> None:
    due = add_working_days(start, working_days).on
    assert is_working_day(due)
    assert working_days_between(start, due) == working_days


@given(st.dates(day(1, 1, 2020), day(12, 31, 2027)), st.integers(-60, 0))
def test_nothing_lies_between_a_day_and_an_earlier_one(start: dt.date, days: int) -> None:
    assert working_days_between(start, start + dt.timedelta(days=days)) == 0
