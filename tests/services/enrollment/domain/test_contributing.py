from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from libs.refusals.faults import RefusalKind
from services.enrollment.domain.contributing import (
    OWN,
    TRANSFERRED_IN,
    KnownMonth,
    NewMonth,
    faults_of_contributions,
    refusal_of_contributions,
)
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind

TODAY = dt.date(2026, 3, 10)
SPELL = Spell(
    region_code="370400",
    insurance_kind=InsuranceKind.EMPLOYEE,
    person_kind=PersonKind.FLEXIBLE_WORKER,
    started_on=dt.date(2024, 3, 20),
    stopped_on=None,
)
NEW = NewMonth("2024-05", base_fen=500_000, account_fen=10_000)
KNOWN = KnownMonth(
    "2024-05",
    InsuranceKind.EMPLOYEE,
    500_000,
    10_000,
    OWN,
    "370400",
    "枣庄市医疗保障经办机构",
    is_leaving=False,
)


def faults(
    *months: NewMonth, spells: tuple[Spell, ...] = (SPELL,), known: tuple[KnownMonth, ...] = ()
) -> list[str]:
    found = faults_of_contributions(
        InsuranceKind.EMPLOYEE, months, spells=spells, known={k.month: k for k in known}, today=TODAY
    )
    return [f"{fault.code} {fault.pointer}" for fault in found]


@pytest.mark.parametrize(
    ("month", "found"),
    [
        ("2024-02", ["month_outside_enrolment /months/0/month"]),
        ("2024-03", []),
        ("2026-03", []),
        ("2026-04", ["month_in_future /months/0/month"]),
    ],
    ids=["before the start", "the month of the start", "this month", "next month"],
)
def test_a_month_lies_in_the_enrolment_and_has_come(month: str, found: list[str]) -> None:
    assert faults(replace(NEW, month=month)) == found


def test_the_month_of_the_stop_still_counts_and_the_next_does_not() -> None:
    stopped = replace(SPELL, stopped_on=dt.date(2025, 1, 1))
    assert faults(replace(NEW, month="2025-01"), spells=(stopped,)) == []
    assert faults(replace(NEW, month="2025-02"), spells=(stopped,)) == [
        "month_outside_enrolment /months/0/month"
    ]


def test_an_enrolment_of_another_kind_covers_nothing() -> None:
    other = replace(SPELL, insurance_kind=InsuranceKind.RESIDENT)
    assert faults(NEW, spells=(other,)) == ["month_outside_enrolment /months/0/month"]


def test_what_was_transferred_out_takes_no_more_months() -> None:
    left = replace(SPELL, stopped_on=dt.date(2025, 1, 1), transferred_out_on=dt.date(2025, 3, 1))
    assert faults(NEW, spells=(left,)) == ["month_outside_enrolment /months/0/month"]


def test_retired_people_pay_nothing_but_for_the_month_in_which_they_retire() -> None:
    worked = replace(SPELL, stopped_on=dt.date(2024, 5, 15))
    retired = replace(SPELL, person_kind=PersonKind.RETIREE, started_on=dt.date(2024, 5, 16))
    assert faults(NEW, spells=(worked, retired)) == []
    june = replace(NEW, month="2024-06")
    assert faults(june, spells=(worked, retired)) == ["retiree_pays_nothing /months/0/month"]


def test_the_same_month_again_is_a_repeat_and_with_other_amounts_a_conflict() -> None:
    assert faults(NEW, known=(KNOWN,)) == []
    assert faults(replace(NEW, account_fen=1), known=(KNOWN,)) == ["month_recorded /months/0/month"]


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (replace(KNOWN, source=TRANSFERRED_IN, origin_region_code="370600"), "烟台市转入"),
        (replace(KNOWN, is_leaving=True), "转出"),
        (replace(KNOWN, insurance_kind=InsuranceKind.RESIDENT), "城乡居民基本医疗保险计月"),
        (replace(KNOWN, base_fen=1), "缴费基数0.01元"),
    ],
)
def test_a_month_counts_once_and_the_reason_is_told(known: KnownMonth, why: str) -> None:
    found = faults_of_contributions(
        InsuranceKind.EMPLOYEE, [NEW], spells=[SPELL], known={known.month: known}, today=TODAY
    )
    assert why in found[0].message
    assert refusal_of_contributions(found).kind is RefusalKind.CONFLICT


def test_residents_have_no_personal_account() -> None:
    spell = replace(SPELL, insurance_kind=InsuranceKind.RESIDENT)
    found = faults_of_contributions(InsuranceKind.RESIDENT, [NEW], spells=[spell], known={}, today=TODAY)
    assert [fault.code for fault in found] == ["no_personal_account"]


def test_every_fault_of_every_month_is_told_at_once() -> None:
    twice = [replace(NEW, account_fen=500_001), NEW, replace(NEW, month="2030-01")]
    assert faults(*twice) == [
        "account_above_base /months/0/account_yuan",
        "month_twice /months/1/month",
        "month_in_future /months/2/month",
    ]
