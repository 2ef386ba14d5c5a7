from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.enrollment import ContributionPeriod
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.months import (
    Month,
    agency_name_of,
    month_of,
    months_of,
    number_of,
    periods_of,
    text_of,
)

HOME, OTHER = "370400", "370600"


def month(text: str, region_code: str = HOME) -> Month:
    return Month(text, InsuranceKind.EMPLOYEE, region_code, agency_name_of(region_code))


def spans(periods: list[ContributionPeriod]) -> list[tuple[str, str, int]]:
    return [(period.from_month, period.to_month, period.months_paid) for period in periods]


def test_consecutive_months_are_one_period_across_the_turn_of_the_year() -> None:
    periods = periods_of(map(month, ["2025-01", "2024-12", "2024-11"]), home=HOME)
    assert spans(periods) == [("2024-11", "2025-01", 3)]
    assert periods[0].agency_name == "枣庄市医疗保障经办机构"
    assert periods[0].remark == ""


def test_a_gap_of_one_month_begins_a_new_period() -> None:
    periods = periods_of(map(month, ["2024-01", "2024-02", "2024-04"]), home=HOME)
    assert spans(periods) == [("2024-01", "2024-02", 2), ("2024-04", "2024-04", 1)]


def test_months_transferred_in_earlier_keep_where_they_come_from() -> None:
    periods = periods_of([month("2024-01", OTHER), month("2024-02", OTHER), month("2024-03")], home=HOME)
    assert spans(periods) == [("2024-01", "2024-02", 2), ("2024-03", "2024-03", 1)]
    assert [period.region_code for period in periods] == [OTHER, HOME]
    assert periods[0].agency_name == "烟台市医疗保障经办机构"
    assert periods[0].remark == "由烟台市转入"


def test_no_months_are_no_periods() -> None:
    assert periods_of([], home=HOME) == []


def test_months_that_overlap_between_periods_are_there_once() -> None:
    first, second = periods_of([month("2024-01"), month("2024-02"), month("2024-04")], home=HOME)
    longer = second.model_copy(update={"from_month": "2024-02", "months_paid": 3})
    assert [found.month for found in months_of([first, longer])] == [
        "2024-01",
        "2024-02",
        "2024-03",
        "2024-04",
    ]


def test_of_a_period_with_unpaid_months_the_first_ones_are_taken() -> None:
    (whole,) = periods_of(map(month, ["2024-01", "2024-02", "2024-03"]), home=HOME)
    partly = whole.model_copy(update={"months_paid": 2})
    assert [found.month for found in months_of([partly])] == ["2024-01", "2024-02"]


def test_more_months_paid_than_a_period_has_are_not_invented() -> None:
    (whole,) = periods_of([month("2024-01")], home=HOME)
    assert len(months_of([whole.model_copy(update={"months_paid": 9})])) == 1


@given(st.sets(st.integers(min_value=number_of("1994-01"), max_value=number_of("2026-12"))))
def test_periods_hold_every_month_once_in_order(numbers: set[int]) -> None:
    periods = periods_of([month(text_of(number)) for number in numbers], home=HOME)
    assert [number_of(found.month) for found in months_of(periods)] == sorted(numbers)
    bounds = [(number_of(p.from_month), number_of(p.to_month)) for p in periods]
    assert all(later[0] > earlier[1] + 1 for earlier, later in itertools.pairwise(bounds))


@pytest.mark.parametrize("text", ["2024-13", "2024-00", "2024-1", "24-01", "2024/01", "２０２４-01", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2024-03"):
        number_of(text)


def test_a_day_lies_in_its_month() -> None:
    assert month_of(dt.date(2024, 2, 29)) == "2024-02"
