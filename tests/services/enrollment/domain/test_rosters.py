from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest

from libs.identifiers.credentials import Credential, CredentialType
from libs.identifiers.made_up import MadeUp
from libs.refusals.faults import Fault
from services.enrollment.domain.enrolling import NewEnrolment, Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.people import KnownPerson, NewPerson
from services.enrollment.domain.rosters import Judgement, Outcome, judge

TODAY = dt.date(2026, 3, 10)
CHILD = MadeUp(1).person("370402", born=(2014, 2016))
PERSON = NewPerson("370400", Credential(CredentialType.RESIDENT_ID, CHILD.id_number), CHILD.name)
KNOWN = KnownPerson(CHILD.name, CHILD.sex, CHILD.birth_date)
WANTED = NewEnrolment(UUID(int=0), InsuranceKind.RESIDENT, PersonKind.STUDENT, None, dt.date(2026, 3, 1))
STUDENT = Spell(
    "370400", InsuranceKind.RESIDENT, PersonKind.STUDENT, dt.date(2025, 9, 1), None, enrolment_id="e-1"
)


def judged(*spells: Spell, known: KnownPerson | None = KNOWN, others: tuple[Fault, ...] = ()) -> Judgement:
    return judge(PERSON, WANTED, known=known, spells=spells, others=others, today=TODAY)


def test_somebody_new_without_faults_is_enrolled() -> None:
    assert judged(known=None) == Judgement(Outcome.ENROLLED, [])


def test_whoever_is_insured_just_so_already_needs_nothing() -> None:
    assert judged(STUDENT) == Judgement(Outcome.ALREADY_ENROLLED, standing=STUDENT)


@pytest.mark.parametrize(
    "other",
    [
        {"person_kind": PersonKind.RESIDENT},
        {"region_code": "370600"},
        {"insurance_kind": InsuranceKind.EMPLOYEE},
        {"started_on": dt.date(2026, 3, 2)},
        {"stopped_on": dt.date(2026, 3, 5)},
        {"employer_id": UUID(int=7)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_insured_otherwise_is_a_clash(other: dict[str, object]) -> None:
    judgement = judged(replace(STUDENT, **other))  # type: ignore[arg-type]
    assert judgement.outcome is Outcome.REFUSED
    assert [fault.code for fault in judgement.faults] == ["already_enrolled"]


def test_an_enrolment_that_ended_before_is_no_clash() -> None:
    assert judged(replace(STUDENT, stopped_on=dt.date(2026, 2, 28))).outcome is Outcome.ENROLLED


def test_another_name_is_a_fault_even_where_nothing_was_to_be_done() -> None:
    judgement = judged(STUDENT, known=replace(KNOWN, name="另外一人"))
    assert [fault.code for fault in judgement.faults] == ["name_disagrees"]


def test_the_dead_are_not_enrolled() -> None:
    judgement = judged(known=replace(KNOWN, deceased_on=dt.date(2026, 1, 1)))
    assert [fault.code for fault in judgement.faults] == ["deceased"]


def test_everything_against_a_row_is_told_at_once() -> None:
    elsewhere = replace(STUDENT, region_code="370600", enrolment_id=None)
    judgement = judged(
        elsewhere, known=replace(KNOWN, name="另外一人"), others=(Fault("transfer_under_way", "……"),)
    )
    assert [fault.code for fault in judgement.faults] == [
        "transfer_under_way", "name_disagrees", "already_enrolled",
    ]  # fmt: skip
