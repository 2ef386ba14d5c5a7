"""Periods on the 信息表: order, gaps, overlaps, months (form 10 of hubei-2022, notes 1-3)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from libs.contracts.enrollment import ContributionPeriod
from libs.refusals.faults import Fault
from services.transfer.domain.rules import Rules

RULE_SHEET = "hubei-2022 表10 注1（按时间先后依次排列，如有中断要分开记录）"
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


def faults_of_periods(periods: Sequence[ContributionPeriod]) -> list[Fault]:
    """Everything wrong with the rows of a sheet: order, overlap, months beyond the span."""
    faults = []
    latest_end = None
    for index, period in enumerate(periods):
        pointer = f"/body/periods/{index}"
        row = f"第{index + 1}行（{period.from_month}至{period.to_month}）"
        first, last = month_number(period.from_month), month_number(period.to_month)
        if last < first:
            faults.append(Fault("period_reversed", f"{row}止于起之前。", pointer, RULE_SHEET))
            continue
        if not 0 < period.months_paid <= last - first + 1:
            message = f"{row}跨{last - first + 1}个月，缴费月数应在1至{last - first + 1}之间，不能是{period.months_paid}。"
            faults.append(Fault("period_months", message, pointer, RULE_SHEET))
        if latest_end is not None and first <= latest_end:
            message = f"{row}与前面的时间段重叠或次序颠倒，应按时间先后排列且不重复。"
            faults.append(Fault("period_order", message, pointer, RULE_SHEET))
        latest_end = max(latest_end or last, last)
    return faults


def months_covered(periods: Iterable[ContributionPeriod]) -> set[int]:
    """Months counted once each, however many periods cover them."""
    covered: set[int] = set()
    for period in periods:
        first = month_number(period.from_month)
        # Which months of a span were paid is not on the sheet; the first ones are taken.
        span = month_number(period.to_month) - first + 1
        covered.update(range(first, first + min(period.months_paid, span)))
    return covered


def months_to_record(sheet: Iterable[ContributionPeriod], already: Iterable[ContributionPeriod]) -> int:
    """Months the sheet adds: overlapping months are not counted twice."""
    return len(months_covered(sheet) - months_covered(already))


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

    Up to 3 months, or at least 24 continuous months before a change of kind: may be made good,
    no waiting, benefits back-dated. Longer: the region's waiting period, at most 6 months.
    """
    if not periods:
        return Continuity(0, False, 0, None)
    last = max(month_number(period.to_month) for period in periods)
    break_months = max(month_number(month_of(enrolled_on)) - last - 1, 0)
    long_continuous = _continuous_months(periods) >= rules.continuous_before_change_months
    if break_months <= rules.made_good_break_months or (changes_kind and long_continuous):
        return Continuity(break_months, break_months > 0, 0, None)
    waiting = min(local_waiting_months, rules.longest_waiting_months)
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
