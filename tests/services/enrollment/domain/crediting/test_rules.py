from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.enrollment.domain.crediting.packs import FOLDER, pack_of, packs
from services.enrollment.domain.crediting.rules import Credit, Retired, age_on, product_fen

BORN_1990 = dt.date(1990, 6, 15)


def credit(region: str, month: str, birth_date: dt.date = BORN_1990) -> Credit:
    """5000 yuan of base, 8 % by the employer, 2 % by the employee."""
    return (
        packs()
        .crediting(region, month)
        .of_contribution(
            month=month, birth_date=birth_date, base_fen=500_000, unit_fen=40_000, personal_fen=10_000
        )
    )


def test_before_the_reform_a_share_of_the_employer_s_part_is_credited_too() -> None:
    assert credit("370400", "2022-12") == Credit(10_000 + 5_000, "370000-crediting@2010")


def test_after_the_reform_only_the_own_part_is() -> None:
    assert credit("370400", "2023-01") == Credit(10_000, "370400-crediting@2023")
    assert credit("370600", "2023-01") == Credit(10_000, "370000-crediting@2023")


def test_the_month_of_the_reform_is_the_region_s() -> None:
    assert credit("420100", "2023-01") == Credit(10_000 + 5_500, "420000-crediting@2002")
    assert credit("420100", "2023-02") == Credit(10_000, "420000-crediting@2023")


def test_the_share_grows_on_the_first_of_the_month_after_a_birthday() -> None:
    born = dt.date(1977, 12, 2)
    assert credit("370000", "2022-12", born).amount_fen == 15_000  # 44 on the first of December
    assert credit("370000", "2022-12", dt.date(1977, 12, 1)).amount_fen == 17_500


def test_what_flexible_workers_pay_is_credited_up_to_two_per_cent_of_the_base() -> None:
    rule = packs().crediting("370000", "2024-05")
    told = {"month": "2024-05", "birth_date": BORN_1990, "base_fen": 400_001, "unit_fen": 0}
    assert rule.of_contribution(**told, personal_fen=32_000).amount_fen == 8_000
    assert rule.of_contribution(**told, personal_fen=7_999).amount_fen == 7_999


def test_retirees_get_a_share_of_the_pension_then_a_fixed_amount() -> None:
    before, after = packs().crediting("370400", "2022-12"), packs().crediting("370400", "2023-01")
    assert before.of_retiree(333_333) == Credit(15_000, "370000-crediting@2010")  # 14999.985
    assert before.of_retiree(None).amount_fen == 11_700
    assert after.of_retiree(333_333) == after.of_retiree(None) == Credit(7_250, "370400-crediting@2023")


@given(
    rate=st.decimals(min_value=0, max_value=1, places=4),
    amount_fen=st.integers(min_value=0, max_value=10**12),
)
def test_products_are_rounded_half_up_to_the_fen(rate: Decimal, amount_fen: int) -> None:
    expected = (rate * Decimal(amount_fen)).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    assert product_fen(rate, amount_fen) == expected


@pytest.mark.parametrize(("amount_fen", "expected"), [(25, 1), (24, 0), (75, 2), (74, 1), (0, 0)])
def test_half_a_fen_is_a_fen(amount_fen: int, expected: int) -> None:
    assert product_fen(Decimal("0.02"), amount_fen) == expected


def test_ages_are_full_years() -> None:
    leap = dt.date(2000, 2, 29)
    assert (age_on(leap, dt.date(2025, 2, 28)), age_on(leap, dt.date(2025, 3, 1))) == (24, 25)


def test_a_retiree_s_rule_goes_one_way() -> None:
    with pytest.raises(ValidationError, match="either fixed_yuan"):
        Retired(fixed_yuan="1.00", rate=Decimal("0.1"), base_if_unknown_yuan="1.00")
    with pytest.raises(ValidationError, match="either fixed_yuan"):
        Retired(rate=Decimal("0.1"))


def test_all_packs_say_that_their_figures_are_illustrative() -> None:
    found = [pack_of(path) for path in FOLDER.glob("*.yaml")]
    assert len(found) == 3
    assert all(pack.illustrative and "示例" in pack.source for pack in found)
