"""Time as a parameter."""

from __future__ import annotations

import datetime as dt

import pytest

from libs.casework.clock import SHANGHAI, AdjustableClock, SystemClock


def test_the_systems_clock_is_shanghais() -> None:
    before = dt.datetime.now(dt.UTC)
    now = SystemClock().now()
    assert before <= now <= dt.datetime.now(dt.UTC)
    assert now.utcoffset() == dt.timedelta(hours=8)


def test_a_clock_set_by_hand_shows_shanghai_time_and_moves() -> None:
    clock = AdjustableClock(dt.datetime(2026, 3, 9, 16, 30, tzinfo=dt.UTC))
    assert clock.now() == dt.datetime(2026, 3, 10, 0, 30, tzinfo=SHANGHAI)
    assert clock.now().date() == dt.date(2026, 3, 10)
    clock.advance(dt.timedelta(hours=-1))
    assert clock.now().date() == dt.date(2026, 3, 9)


def test_a_moment_without_a_zone_is_none() -> None:
    with pytest.raises(ValueError, match="time zone"):
        AdjustableClock(dt.datetime(2026, 3, 9))  # noqa: DTZ001
