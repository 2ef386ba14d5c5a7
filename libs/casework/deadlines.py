"""Due dates of a case: limit, pauses, warnings.

Counted from the day after acceptance (domain.md §2); while the applicant supplements, the
clock stands still; a warning two working days ahead; overdue from the day after the due date.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum

from libs.casework.working_days import DueDate, add_working_days, working_days_between
from libs.catalogue.schema import ServiceItem, Unit
from libs.catalogue.situation import Situation

WARNING_WORKING_DAYS = 2


@dataclass(frozen=True)
class TimeAllowed:
    """An amount of time as a catalogue states it, e.g. 9 working days."""

    amount: int
    unit: Unit

    def from_day(self, start: dt.date) -> DueDate:
        """Due date counted from the day after ``start``."""
        match self.unit:
            case Unit.IMMEDIATE:
                return DueDate(start, provisional=False)
            case Unit.WORKING_DAY:
                return add_working_days(start, self.amount)
            case Unit.NATURAL_DAY:
                return DueDate(start + dt.timedelta(days=self.amount), provisional=False)
            case Unit.MONTH:
                return DueDate(_months_later(start, self.amount), provisional=False)

    def in_chinese(self) -> str:
        """``9个工作日``, ``3个月``, ``即时办结``."""
        if self.unit is Unit.IMMEDIATE:
            return "即时办结"
        return f"{self.amount}{_UNIT_NAMES[self.unit]}"


_UNIT_NAMES = {Unit.WORKING_DAY: "个工作日", Unit.NATURAL_DAY: "日", Unit.MONTH: "个月"}


class Reminder(StrEnum):
    """What is said once about a clock: little time is left, then none."""

    SOON = "soon"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class CaseClock:
    """The running or paused clock of one case. Immutable; moves return a new one.

    ``started_on`` is the day of acceptance. ``left`` of the allowed amount were left on
    ``running_since`` (the start, or the last resumption): so a due date can be counted again
    when holidays are announced, pauses and all.
    """

    allowed: TimeAllowed
    started_on: dt.date
    due: DueDate
    running_since: dt.date
    left: int
    paused_on: dt.date | None = None
    reminded: Reminder | None = None

    @classmethod
    def start(cls, allowed: TimeAllowed, on: dt.date) -> CaseClock:
        """Start counting on the day of acceptance (day 0)."""
        return cls(allowed, on, allowed.from_day(on), running_since=on, left=allowed.amount)

    def pause(self, on: dt.date) -> CaseClock:
        """Stand still from ``on``; pausing a paused clock changes nothing."""
        return self if self.paused_on else replace(self, paused_on=on)

    def resume(self, on: dt.date) -> CaseClock:
        """Go on at ``on`` with the time that was left; what was overdue stays overdue."""
        if self.paused_on is None:
            return self
        running = replace(self, paused_on=None)
        if self.paused_on > self.due.on:
            return running
        if self.allowed.unit is not Unit.WORKING_DAY:
            later = self.due.on + (on - self.paused_on)
            return replace(running, due=DueDate(later, provisional=False), reminded=None)
        left = max(self.left - working_days_between(self.running_since, self.paused_on), 0)
        due = add_working_days(on, left)
        return replace(running, running_since=on, left=left, due=due, reminded=None)

    def recomputed(self) -> CaseClock:
        """The same clock by the holidays announced since; a paused one is counted when it resumes."""
        if not self.due.provisional or self.paused_on:
            return self
        due = add_working_days(self.running_since, self.left)
        return replace(self, due=due, reminded=self.reminded if due.on == self.due.on else None)

    def warns_on(self, today: dt.date) -> bool:
        """Whether two working days or fewer are left and it is not overdue yet."""
        if self.paused_on or today > self.due.on:
            return False
        return working_days_between(today, self.due.on) <= WARNING_WORKING_DAYS

    def is_overdue(self, today: dt.date) -> bool:
        """From the day after the due date on; never while paused."""
        return self.paused_on is None and today > self.due.on

    def reminder_on(self, today: dt.date) -> Reminder | None:
        """What is to be said today and was not said yet."""
        if self.is_overdue(today):
            return None if self.reminded is Reminder.OVERDUE else Reminder.OVERDUE
        return Reminder.SOON if self.warns_on(today) and self.reminded is None else None


def _months_later(day: dt.date, months: int) -> dt.date:
    """Same day of a later month, or that month's last day (31 January + 1 month = end of February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    next_month = dt.date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last_day = (next_month - dt.timedelta(days=1)).day
    return dt.date(year, month + 1, min(day.day, last_day))


def allowed_by(item: ServiceItem, situation: Situation, stage: str = "total") -> TimeAllowed | None:
    """The limit of a stage in this situation: the one with the most conditions that all hold.

    None where the document sets none; of equally specific limits the first printed counts.
    """
    fitting = [limit for limit in item.time_limits if limit.stage == stage and situation.meets(limit.when)]
    if not fitting:
        return None
    chosen = max(fitting, key=lambda limit: sum(bool(values) for _, values in limit.when))
    return TimeAllowed(chosen.amount, chosen.unit)
