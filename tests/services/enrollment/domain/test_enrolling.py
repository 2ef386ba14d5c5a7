from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest

from libs.refusals.faults import RefusalKind
from services.enrollment.domain.enrolling import (
    NewEnrolment,
    Spell,
    faults_of_start,
    faults_of_stop,
    refusal_of_start,
)
from services.enrollment.domain.kinds import InsuranceKind, PersonKind

TODAY = dt.date(2026, 3, 10)
BORN = dt.date(1990, 6, 15)
NEW = NewEnrolment(
    UUID(int=1), InsuranceKind.EMPLOYEE, PersonKind.EMPLOYEE, UUID(int=2), started_on=dt.date(2026, 3, 1)
)
EARLIER = Spell(
    region_code="370400",
    insurance_kind=InsuranceKind.EMPLOYEE,
    person_kind=PersonKind.EMPLOYEE,
    started_on=dt.date(2020, 1, 1),
    stopped_on=None,
    enrolment_id="0197",
    employer_name="枣庄安宁食品有限公司（虚构）",
)


def codes(new: NewEnrolment, *known: Spell, born: dt.date = BORN) -> list[str]:
    return [fault.code for fault in faults_of_start(new, birth_date=born, known=known, today=TODAY)]


def test_a_plain_enrolment_has_no_faults() -> None:
    assert codes(NEW) == []


def test_an_active_enrolment_is_in_the_way_and_the_evidence_is_shown() -> None:
    (fault,) = faults_of_start(NEW, birth_date=BORN, known=[EARLIER], today=TODAY)
    for evidence in ("2020-01-01", "枣庄市", "职工基本医疗保险", "枣庄安宁食品", "0197"):
        assert evidence in fault.message
    assert refusal_of_start([fault]).kind is RefusalKind.CONFLICT


def test_residents_insurance_is_in_the_way_of_employees() -> None:
    resident = replace(EARLIER, insurance_kind=InsuranceKind.RESIDENT, person_kind=PersonKind.RESIDENT)
    assert codes(NEW, resident) == ["already_enrolled"]


def test_another_region_is_in_the_way_too() -> None:
    elsewhere = replace(EARLIER, region_code="420100", enrolment_id=None, employer_name=None)
    (fault,) = faults_of_start(NEW, birth_date=BORN, known=[elsewhere], today=TODAY)
    assert "武汉市" in fault.message
    assert "单位" not in fault.message


def test_insurance_that_counts_apart_is_not_in_the_way() -> None:
    assert codes(NEW, replace(EARLIER, insurance_kind=InsuranceKind.MATERNITY)) == []


@pytest.mark.parametrize(
    ("stopped_on", "found"),
    [
        (dt.date(2026, 2, 28), []),
        (dt.date(2026, 3, 1), ["already_enrolled"]),
        (dt.date(2026, 3, 2), ["already_enrolled"]),
    ],
    ids=["the day before", "on the day", "the day after"],
)
def test_an_enrolment_begins_after_the_last_day_of_the_one_before(
    stopped_on: dt.date, found: list[str]
) -> None:
    assert codes(NEW, replace(EARLIER, stopped_on=stopped_on)) == found


@pytest.mark.parametrize(
    ("started_on", "found"),
    [(TODAY, []), (TODAY + dt.timedelta(days=1), ["started_in_future"])],
    ids=["today", "tomorrow"],
)
def test_an_enrolment_does_not_begin_in_the_future(started_on: dt.date, found: list[str]) -> None:
    assert codes(replace(NEW, started_on=started_on)) == found


@pytest.mark.parametrize(
    ("birthday", "found"),
    [(dt.date(2010, 3, 2), ["too_young"]), (dt.date(2010, 3, 1), []), (dt.date(2010, 2, 28), [])],
    ids=["a day before 16", "the 16th birthday", "a day after"],
)
def test_nobody_works_before_sixteen(birthday: dt.date, found: list[str]) -> None:
    assert codes(NEW, born=birthday) == found


def test_born_on_a_leap_day_one_is_sixteen_on_the_leap_day_sixteen_years_on() -> None:
    leap, start = dt.date(2008, 2, 29), replace(NEW, started_on=dt.date(2024, 2, 28))
    assert codes(start, born=leap) == ["too_young"]
    assert codes(replace(start, started_on=dt.date(2024, 2, 29)), born=leap) == []


@pytest.mark.parametrize(
    ("kind", "person_kind", "found"),
    [
        (InsuranceKind.RESIDENT, PersonKind.EMPLOYEE, ["kinds_disagree"]),
        (InsuranceKind.EMPLOYEE, PersonKind.RESIDENT, ["kinds_disagree", "employer_unexpected"]),
        (InsuranceKind.LONG_TERM_CARE, PersonKind.EMPLOYEE, []),
        (InsuranceKind.EMPLOYEE, PersonKind.FLEXIBLE_WORKER, ["employer_unexpected"]),
        (InsuranceKind.EMPLOYEE, PersonKind.RETIREE, []),
    ],
)
def test_kind_of_insurance_and_kind_of_person_fit(
    kind: InsuranceKind, person_kind: PersonKind, found: list[str]
) -> None:
    assert codes(replace(NEW, insurance_kind=kind, person_kind=person_kind)) == found


def test_an_employee_needs_an_employer() -> None:
    assert codes(replace(NEW, employer_id=None)) == ["employer_missing"]


def test_all_faults_are_told_at_once_and_outweigh_the_conflict() -> None:
    wrong = replace(NEW, employer_id=None, started_on=TODAY + dt.timedelta(days=1))
    faults = faults_of_start(wrong, birth_date=BORN, known=[EARLIER], today=TODAY)
    assert [fault.code for fault in faults] == ["started_in_future", "employer_missing", "already_enrolled"]
    assert refusal_of_start(faults).kind is RefusalKind.INVALID


@pytest.mark.parametrize(
    ("stopped_on", "found"),
    [
        (dt.date(2019, 12, 31), ["stopped_before_start"]),
        (dt.date(2020, 1, 1), []),
        (TODAY, []),
        (TODAY + dt.timedelta(days=1), ["stopped_in_future"]),
    ],
)
def test_a_stop_lies_between_the_start_and_today(stopped_on: dt.date, found: list[str]) -> None:
    faults = faults_of_stop(EARLIER, stopped_on, paid_months=[], today=TODAY)
    assert [fault.code for fault in faults] == found


def test_months_paid_after_the_stop_are_named() -> None:
    paid = ["2025-11", "2025-12", "2026-01"]
    (fault,) = faults_of_stop(EARLIER, dt.date(2025, 11, 30), paid_months=paid, today=TODAY)
    assert "2025-12至2026-01共2个月" in fault.message
