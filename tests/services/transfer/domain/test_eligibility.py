"""Who may move: every reason at either end."""

from __future__ import annotations

import datetime as dt

import pytest

from services.transfer.domain.eligibility import Standing, Wish, faults_at
from services.transfer.domain.stages import Side

WISH = Wish("370600", "370400", "310")
SINCE = dt.date(2020, 1, 1)
STOPPED = Standing("310", "employee", False, SINCE, dt.date(2026, 1, 31))
ACTIVE = Standing("310", "employee", True, SINCE)
RETIRED = Standing("310", "retiree", True, SINCE)
RESIDENT = Standing("390", "resident", True, SINCE)


@pytest.mark.parametrize(
    ("standings", "codes"),
    [
        ([STOPPED], []),
        ([], ["not_known_at_origin"]),
        ([RESIDENT], ["not_known_at_origin"]),
        ([ACTIVE], ["still_active_at_origin"]),
        ([STOPPED, ACTIVE], ["still_active_at_origin"]),
        ([RETIRED], ["still_active_at_origin", "retiree"]),
        ([STOPPED, RESIDENT], []),
    ],
)
def test_at_the_origin(standings: list[Standing], codes: list[str]) -> None:
    assert [fault.code for fault in faults_at(Side.OUT, WISH, standings)] == codes


@pytest.mark.parametrize(
    ("insurance", "standings", "codes"),
    [
        ("310", [ACTIVE], []),
        ("310", [], ["not_enrolled_at_destination"]),
        ("310", [STOPPED], ["not_enrolled_at_destination"]),
        ("310", [RETIRED], ["retiree"]),
        ("310", [RESIDENT], []),
        ("390", [RESIDENT], ["resident_to_resident"]),
        ("390", [ACTIVE], []),
    ],
)
def test_at_the_destination(insurance: str, standings: list[Standing], codes: list[str]) -> None:
    wish = Wish("370600", "370400", insurance)
    assert [fault.code for fault in faults_at(Side.IN, wish, standings)] == codes


@pytest.mark.parametrize("side", Side)
def test_within_one_pooling_area_nothing_is_transferred(side: Side) -> None:
    wish = Wish("370400", "370402", "310")
    standings = [STOPPED] if side is Side.OUT else [ACTIVE]
    [fault] = faults_at(side, wish, standings)
    assert (fault.code, fault.rule) == ("same_pooling_area", "医保办发〔2021〕43号")


def test_every_reason_says_by_which_rule() -> None:
    faults = faults_at(Side.OUT, WISH, [RETIRED]) + faults_at(Side.IN, WISH, [])
    assert all(fault.rule and fault.message.endswith("。") for fault in faults)
