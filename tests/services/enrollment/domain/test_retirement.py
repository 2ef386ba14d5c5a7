from __future__ import annotations

import datetime as dt

import pytest

from services.enrollment.domain.contributing import OWN, TRANSFERRED_IN, KnownMonth
from services.enrollment.domain.crediting.packs import packs
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.months import number_of, text_of
from services.enrollment.domain.retirement import Assessment, assess, in_years

ON = dt.date(2026, 3, 10)
RULE = packs().retirement("370400", ON)  # 30 years for men, 25 for women, 10 of them here


def paid(count: int, until: str = "2026-03", source: str = OWN, **other: object) -> list[KnownMonth]:
    """``count`` months that end with ``until``."""
    last = number_of(until)
    told = {
        "insurance_kind": InsuranceKind.EMPLOYEE,
        "base_fen": None,
        "account_fen": 0,
        "source": source,
        "origin_region_code": "370400",
        "origin_agency_name": "",
        "is_leaving": False,
        **other,
    }
    return [KnownMonth(month=text_of(last - back), **told) for back in range(count)]  # type: ignore[arg-type]


def test_thirty_years_are_enough_for_a_man() -> None:
    assert assess(paid(360), "男", ON, RULE) == Assessment(
        True, 360, 360, 360, 120, 0, "370000-retirement@2010"
    )


def test_a_month_less_is_a_month_short() -> None:
    told = assess(paid(359), "男", ON, RULE)
    assert (told.enough, told.months_short) == (False, 1)
    assert told.sentence == (
        "职工医保累计缴费29年11个月（应满30年），其中本地实际缴费29年11个月（应满10年），"
        "尚差1个月，请继续缴费或按规定一次性补足。"
    )


def test_women_need_less() -> None:
    assert assess(paid(300), "女", ON, RULE).enough


def test_ten_years_must_have_been_paid_here() -> None:
    months = paid(119) + paid(300, until="2016-04", source=TRANSFERRED_IN)
    told = assess(months, "男", ON, RULE)
    assert (told.months_paid, told.months_paid_here, told.months_short) == (419, 119, 1)


def test_the_larger_gap_is_what_is_short() -> None:
    months = paid(100) + paid(100, until="2017-11", source=TRANSFERRED_IN)
    assert assess(months, "男", ON, RULE).months_short == 160


@pytest.mark.parametrize(
    "other", [{"insurance_kind": InsuranceKind.RESIDENT}, {"has_left": True}, {"until": "2096-03"}]
)
def test_months_of_residents_those_that_left_and_later_ones_do_not_count(other: dict[str, object]) -> None:
    assert assess(paid(360, **other), "男", ON, RULE).months_paid == 0  # type: ignore[arg-type]


def test_a_month_counts_once() -> None:
    assert assess(paid(300) + paid(300), "男", ON, RULE).months_paid == 300


def test_spans_are_told_in_years_and_months() -> None:
    assert [in_years(months) for months in (0, 11, 12, 27)] == ["0个月", "11个月", "1年", "2年3个月"]
