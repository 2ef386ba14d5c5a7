"""Chinese working days: weekends, statutory holidays and make-up working days (调休).

Years the State Council has announced come from chinesecalendar; later years are counted with
the holidays library's estimate, and the result says so (``provisional``) until announced.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache

import chinese_calendar
import holidays
from chinese_calendar import constants

FIRST_ANNOUNCED_YEAR: int = min(constants.holidays).year
LAST_ANNOUNCED_YEAR: int = max(constants.holidays).year
# The arrangement of a New Year can reach back into December: for 2019 it made 29 December 2018 a
# working Saturday and 31 December a holiday. Later days of the last announced year are not settled.
SETTLED_UNTIL = dt.date(LAST_ANNOUNCED_YEAR, 12, 28)
_SATURDAY = 5


@dataclass(frozen=True)
class DueDate:
    """Last day on which a thing is still in time; ``provisional`` while its holidays may yet change."""

    on: dt.date
    provisional: bool


def is_announced(year: int) -> bool:
    """Whether the State Council's arrangement for the year is known."""
    return FIRST_ANNOUNCED_YEAR <= year <= LAST_ANNOUNCED_YEAR


def is_settled(day: dt.date) -> bool:
    """Whether no announcement to come can change what kind of day this is."""
    return day.year >= FIRST_ANNOUNCED_YEAR and day <= SETTLED_UNTIL


def is_working_day(day: dt.date) -> bool:
    """Whether offices work on ``day``; estimated where the year is not announced."""
    if is_announced(day.year):
        announced: bool = chinese_calendar.is_workday(day)
        return announced
    return day.weekday() < _SATURDAY and day not in _estimated_holidays(day.year)


def add_working_days(start: dt.date, working_days: int) -> DueDate:
    """The date ``working_days`` (≥ 0) after ``start``; counting begins the day after ``start``.

    With 0 it is ``start`` itself if that is a working day, else the next one.
    """
    if working_days < 0:
        raise ValueError("working days are counted forward")
    day = start
    remaining = working_days
    if remaining == 0 and not is_working_day(day):
        remaining = 1
    while remaining > 0:
        day += dt.timedelta(days=1)
        remaining -= is_working_day(day)
    return DueDate(day, provisional=not (is_settled(start) and is_settled(day)))


def working_days_between(start: dt.date, end: dt.date) -> int:
    """Working days after ``start`` up to and including ``end``; 0 when ``end`` is not after ``start``."""
    days = (end - start).days
    return sum(is_working_day(start + dt.timedelta(days=n)) for n in range(1, days + 1))


@cache
def _estimated_holidays(year: int) -> frozenset[dt.date]:
    return frozenset(holidays.country_holidays("CN", years=year))
