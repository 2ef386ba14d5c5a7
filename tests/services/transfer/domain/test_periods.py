"""Breaks: made good up to 3 months, 24 continuous months on a change of kind, 6 months' waiting."""

from __future__ import annotations

import datetime as dt

import pytest

from libs.contracts.enrollment import ContributionPeriod
from services.transfer.domain.periods import Continuity, continuity, month_number, month_text, months_covered
from services.transfer.domain.rules import rules

MARCH = dt.date(2026, 3, 15)


def period(from_month: str, to_month: str) -> ContributionPeriod:
    months = month_number(to_month) - month_number(from_month) + 1
    return ContributionPeriod(
        from_month=from_month,
        to_month=to_month,
        insurance_kind="310",
        months_paid=months,
        region_code="370600",
        agency_name="经办机构",
    )


def treated(
    *periods: ContributionPeriod, on: dt.date = MARCH, changes_kind: bool = False, local: int = 6
) -> Continuity:
    return continuity(periods, on, changes_kind=changes_kind, local_waiting_months=local, rules=rules())


@pytest.mark.parametrize(
    ("last_month", "break_months", "may_be_made_good", "waiting_until"),
    [
        ("2026-03", 0, False, None),
        ("2026-02", 0, False, None),
        ("2026-01", 1, True, None),
        ("2025-12", 2, True, None),
        ("2025-11", 3, True, None),
        ("2025-10", 4, False, dt.date(2026, 8, 31)),
        ("2020-01", 73, False, dt.date(2026, 8, 31)),
    ],
)
def test_up_to_three_months_are_made_good_longer_ones_wait(
    last_month: str, break_months: int, may_be_made_good: bool, waiting_until: dt.date | None
) -> None:
    result = treated(period("2019-01", last_month))

    assert (result.break_months, result.may_be_made_good) == (break_months, may_be_made_good)
    assert (result.waiting_months, result.waiting_until) == (6 if waiting_until else 0, waiting_until)


@pytest.mark.parametrize(("first_month", "entitled"), [("2024-01", True), ("2024-02", False)])
def test_a_change_of_kind_needs_twenty_four_continuous_months(first_month: str, entitled: bool) -> None:
    """Until December 2025: 24 months and 23; the break of two months is short enough either way."""
    result = treated(period(first_month, "2025-12"), changes_kind=True)

    assert (result.may_be_made_good, result.waiting_months) == (entitled, 0)


def test_a_gap_before_the_last_stretch_breaks_the_twenty_four_months() -> None:
    result = treated(period("2020-01", "2024-12"), period("2025-02", "2025-12"), changes_kind=True)

    assert not result.may_be_made_good


def test_two_rows_without_a_gap_are_one_stretch() -> None:
    result = treated(period("2024-01", "2024-12"), period("2025-01", "2025-12"), changes_kind=True)

    assert result.may_be_made_good


def test_twenty_four_months_do_not_make_a_long_break_good() -> None:
    """医保办发〔2021〕43号 wants both: two years continuous, and a break of at most three months."""
    result = treated(period("2019-01", "2025-10"), changes_kind=True)

    assert (result.may_be_made_good, result.waiting_months) == (False, 6)


@pytest.mark.parametrize(
    ("local", "waiting_months", "waiting_until"),
    [(0, 0, None), (3, 3, dt.date(2026, 5, 31)), (6, 6, dt.date(2026, 8, 31)), (12, 6, dt.date(2026, 8, 31))],
)
def test_the_region_sets_the_waiting_period_at_most_six_months(
    local: int, waiting_months: int, waiting_until: dt.date | None
) -> None:
    result = treated(period("2019-01", "2025-01"), local=local)

    assert (result.waiting_months, result.waiting_until) == (waiting_months, waiting_until)


def test_waiting_goes_over_the_year_end() -> None:
    assert treated(period("2019-01", "2020-01"), on=dt.date(2026, 9, 1)).waiting_until == dt.date(2027, 2, 28)


def test_nothing_on_the_sheet_is_no_break() -> None:
    assert treated() == Continuity(0, False, 0, None)


def test_months_on_two_rows_count_once() -> None:
    assert len(months_covered([period("2020-01", "2020-06"), period("2020-04", "2020-12")])) == 12


@pytest.mark.parametrize("text", ["2020-13", "2020-00", "20-01", "2020-1", "２０２０-01", "2020-01\n", ""])
def test_what_is_no_month_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="not a month"):
        month_number(text)


def test_months_and_numbers_go_back_and_forth() -> None:
    months = ["0001-01", "1999-12", "2000-01", "2026-11"]
    assert [month_text(month_number(month)) for month in months] == months
