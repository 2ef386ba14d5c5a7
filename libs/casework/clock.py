"""Time as a parameter: rules get a clock, never the wall's."""

from __future__ import annotations

import datetime as dt
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the present moment as an aware datetime in Asia/Shanghai."""

    def now(self) -> dt.datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(SHANGHAI)


class AdjustableClock:
    """A clock that is set by hand: demonstrations, tests, simulations."""

    def __init__(self, now: dt.datetime) -> None:
        self.set(now)

    def now(self) -> dt.datetime:
        return self._now

    def set(self, now: dt.datetime) -> None:
        """Jump to ``now`` (aware)."""
        if now.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        self._now = now.astimezone(SHANGHAI)

    def advance(self, by: dt.timedelta) -> None:
        """Move forward (or back) by ``by``."""
        self._now += by


class ShiftedClock:
    """A clock that runs at the machine's pace from a moment of its own: demonstrations on a chosen day."""

    def __init__(self, now: dt.datetime) -> None:
        self._shift = dt.timedelta()
        self.set(now)

    def now(self) -> dt.datetime:
        return dt.datetime.now(SHANGHAI) + self._shift

    def set(self, now: dt.datetime) -> None:
        """Jump to ``now`` (aware) and run on from there."""
        if now.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        self._shift = now - dt.datetime.now(SHANGHAI)
