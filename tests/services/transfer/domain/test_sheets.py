"""Corrected rows of form 10."""

from __future__ import annotations

from services.transfer.domain.sheets import corrected_periods, faults_of_rows
from tests.services.transfer.world import period_of

HOME = ("370600", "烟台经办")


def test_rows_in_order_without_overlap_are_right() -> None:
    assert faults_of_rows([("2020-01", "2020-06"), ("2020-07", "2020-07"), ("2021-01", "2022-12")]) == []


def test_every_fault_of_every_row_is_named() -> None:
    faults = faults_of_rows([("2020-06", "2020-01"), ("2020-01", "2020-03"), ("2019-01", "2019-02")])

    assert [(fault.code, fault.pointer) for fault in faults] == [
        ("period_reversed", "/periods/0/to_month"),
        ("period_order", "/periods/1/from_month"),
        ("period_order", "/periods/2/from_month"),
    ]


def test_a_row_keeps_the_agency_it_had_and_a_new_stretch_is_ours() -> None:
    before = [period_of("420100", "2018-01", "2019-12", 24)]

    inherited, new = corrected_periods(
        before, [("2018-02", "2019-12", "310", ""), ("2020-01", "2020-03", "310", "补录")], home=HOME
    )

    assert (inherited.region_code, inherited.months_paid) == ("420100", 23)
    assert (new.region_code, new.agency_name, new.remark) == (*HOME, "补录")
