"""个人权益记录: the sums tie, whatever moved the account."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.domain.contributing import KnownMonth
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.papers.rights import (
    Movement,
    cumulative_months,
    last_day,
    months_within,
    spells_within,
    year_account,
)

EMPLOYEE = InsuranceKind.EMPLOYEE
MOVEMENTS = st.lists(
    st.builds(
        Movement,
        st.dates(dt.date(2022, 1, 1), dt.date(2026, 12, 31)),
        st.just("contribution"),
        st.integers(-(10**12), 10**12),
    )
)
YEARS = range(2022, 2027)


@given(MOVEMENTS)
def test_each_year_closes_with_what_the_next_one_opens_with(movements: list[Movement]) -> None:
    accounts = [year_account(EMPLOYEE, movements, year) for year in YEARS]
    assert accounts[0].opening_fen == 0
    for earlier, later in pairwise(accounts):
        assert earlier.opening_fen + earlier.credits_fen - earlier.debits_fen == later.opening_fen
    assert accounts[-1].closing_fen == sum(movement.amount_fen for movement in movements)


@given(MOVEMENTS)
def test_every_movement_stands_in_one_year_and_sums_are_not_negative(movements: list[Movement]) -> None:
    accounts = [year_account(EMPLOYEE, movements, year) for year in YEARS]
    assert sum(len(account.movements) for account in accounts) == len(movements)
    assert all(account.credits_fen >= 0 and account.debits_fen >= 0 for account in accounts)


def test_the_last_and_first_day_of_a_year_are_apart() -> None:
    movements = [
        Movement(dt.date(2025, 12, 31), "contribution", 5),
        Movement(dt.date(2026, 1, 1), "contribution", 7),
        Movement(dt.date(2026, 1, 2), "transfer_issued", -3),
    ]
    account = year_account(EMPLOYEE, movements, 2026)
    assert (account.opening_fen, account.credits_fen, account.debits_fen) == (5, 7, 3)
    assert account.closing_fen == 9


def test_a_year_that_runs_goes_up_to_today() -> None:
    today = dt.date(2026, 3, 10)
    assert last_day(2026, today) == today
    assert last_day(2025, today) == dt.date(2025, 12, 31)


def test_spells_that_touch_the_year_are_in_it() -> None:
    def spell(start: str, stop: str | None) -> Spell:
        until = dt.date.fromisoformat(stop) if stop else None
        return Spell("370400", EMPLOYEE, PersonKind.EMPLOYEE, dt.date.fromisoformat(start), until)

    touching = [
        spell("2020-01-01", "2025-01-01"),
        spell("2025-12-31", None),
        spell("2025-03-01", "2025-03-31"),
    ]
    apart = [spell("2020-01-01", "2024-12-31"), spell("2026-01-01", None)]
    assert spells_within([*touching, *apart], 2025, dt.date(2025, 12, 31)) == tuple(touching)


def test_months_are_those_of_the_year_and_counted_up_to_its_end() -> None:
    def month(text: str, *, has_left: bool = False) -> KnownMonth:
        return KnownMonth(text, EMPLOYEE, None, 0, "own", "370400", "枣庄", has_left, has_left)

    known = [month("2024-12"), month("2025-01", has_left=True), month("2025-02"), month("2026-01")]
    assert [each.month for each in months_within(known, 2025)] == ["2025-01", "2025-02"]
    assert cumulative_months(known, dt.date(2025, 12, 31)) == {EMPLOYEE: 2}
    assert cumulative_months(known, dt.date(2026, 3, 10)) == {EMPLOYEE: 3}
