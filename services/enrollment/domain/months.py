"""Months of contribution: counting them, grouping them into periods, taking periods apart."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from libs.contracts.enrollment import ContributionPeriod
from libs.regions import names
from services.enrollment.domain.kinds import InsuranceKind

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class Month:
    """A month that counts, and the region and agency where it was paid."""

    month: str
    insurance_kind: InsuranceKind
    region_code: str
    agency_name: str


def number_of(month: str) -> int:
    """``2024-03`` -> months since year 0, so that differences are months. Raises ValueError."""
    match = _MONTH.fullmatch(month)
    if match is None:
        raise ValueError("月份应形如2024-03")
    return int(match[1]) * 12 + int(match[2]) - 1


def text_of(number: int) -> str:
    """Inverse of ``number_of``."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def month_of(day: dt.date) -> str:
    """Month a day lies in."""
    return f"{day:%Y-%m}"


def agency_name_of(region_code: str) -> str:
    """``枣庄市医疗保障经办机构``: what the 信息表 calls the agency of a region."""
    return f"{names.name_of(region_code)}医疗保障经办机构"


def periods_of(months: Iterable[Month], *, home: str) -> list[ContributionPeriod]:
    """Consecutive months of one kind and place become one period, in order; a gap begins a new one.

    (hubei-2022 form 10, note 1: 按时间先后依次排列，如有中断要分开记录.) ``home`` is the region that
    states the periods; those from elsewhere say so in their remark.
    """
    ordered = enumerate(sorted(months, key=lambda month: (month.month, month.insurance_kind)))
    # Within a run of months of one place, month minus position stays the same.
    runs = groupby(ordered, key=lambda at: (number_of(at[1].month) - at[0], _place(at[1])))
    return [_period([month for _, month in run], home) for _, run in runs]


def months_of(periods: Iterable[ContributionPeriod]) -> list[Month]:
    """The months of periods received, each once, in order.

    Which months of a period with fewer ``months_paid`` than its span were paid is not on the
    信息表; the first ones are taken, as the transfer service does. Raises ValueError.
    """
    found: dict[tuple[str, str], Month] = {}
    for period in periods:
        first, last = number_of(period.from_month), number_of(period.to_month)
        for number in range(first, min(first + period.months_paid, last + 1)):
            month = Month(
                text_of(number), InsuranceKind(period.insurance_kind), period.region_code, period.agency_name
            )
            found.setdefault((month.month, month.insurance_kind), month)
    return [found[key] for key in sorted(found)]


def _place(month: Month) -> tuple[str, str, str]:
    return month.insurance_kind, month.region_code, month.agency_name


def _period(run: list[Month], home: str) -> ContributionPeriod:
    first, last = run[0], run[-1]
    return ContributionPeriod(
        from_month=first.month,
        to_month=last.month,
        insurance_kind=first.insurance_kind,
        months_paid=len(run),
        region_code=first.region_code,
        agency_name=first.agency_name,
        remark="" if first.region_code == home else f"由{names.name_of(first.region_code)}转入",
    )
