"""Months of the 信息表 and how a break before enrolment is treated.

That rows are in order and do not overlap (form 10 of hubei-2022, note 1) is checked by
libs/exchange/bodies.py on sending and on arrival.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from libs.contracts.enrollment import ContributionPeriod
from services.transfer.domain.rules import Rules

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


def month_number(month: str) -> int:
    """``2024-03`` -> months since year 0, so that differences are months. Raises ValueError."""
    match = _MONTH.fullmatch(month)
    if match is None:
        raise ValueError(f"not a month: {month}")
    return int(match[1]) * 12 + int(match[2]) - 1


def month_text(number: int) -> str:
    """Inverse of ``month_number``."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def month_of(day: dt.date) -> str:
    """Month a day lies in."""
    return f"{day:%Y-%m}"


def months_covered(periods: Iterable[ContributionPeriod]) -> set[int]:
    """Months counted once each, however many periods cover them."""
    covered: set[int] = set()
    for period in periods:
        covered.update(range(month_number(period.from_month), month_number(period.to_month) + 1))
    return covered


@dataclass(frozen=True)
class Continuity:
    """How a break is treated on taking the relation up."""

    break_months: int
    may_be_made_good: bool
    waiting_months: int
    waiting_until: dt.date | None


def continuity(
    periods: Sequence[ContributionPeriod],
    enrolled_on: dt.date,
    *,
    changes_kind: bool,
    local_waiting_months: int,
    rules: Rules,
) -> Continuity:
    """Break between the last month on the sheet and the month of enrolment at the destination.

    Up to 3 months may be made good, with no waiting and benefits back-dated; on a change between
    employee and resident insurance only after at least 24 continuous months. Longer: the region's
    waiting period, at most 6 months (医保办发〔2021〕43号).
    """
    if not periods:
        return Continuity(0, False, 0, None)
    last = max(month_number(period.to_month) for period in periods)
    break_months = max(month_number(month_of(enrolled_on)) - last - 1, 0)
    if break_months <= rules.made_good_break_months:
        long_continuous = _continuous_months(periods) >= rules.continuous_before_change_months
        entitled = long_continuous or not changes_kind
        return Continuity(break_months, break_months > 0 and entitled, 0, None)
    waiting = min(local_waiting_months, rules.longest_waiting_months)
    if waiting == 0:
        return Continuity(break_months, False, 0, None)
    year, month = divmod(month_number(month_of(enrolled_on)) + waiting, 12)
    return Continuity(break_months, False, waiting, dt.date(year, month + 1, 1) - dt.timedelta(days=1))


def _continuous_months(periods: Sequence[ContributionPeriod]) -> int:
    """Length of the unbroken run of paid months that ends with the last one."""
    covered = months_covered(periods)
    month = max(covered)
    length = 0
    while month in covered:
        length += 1
        month -= 1
    return length
