"""Rosters (花名册): their life, and what a row of one comes to. The rules are those of single enrolments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from libs.refusals.faults import Fault
from libs.rosters.layouts import RosterKind
from services.enrollment.domain.enrolling import NewEnrolment, Spell, faults_of_start
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.people import KnownPerson, NewPerson, faults_against_record, faults_of_person


class RosterState(StrEnum):
    """``received`` waits for its case, ``ready`` for a worker."""

    RECEIVED = "received"
    READY = "ready"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


ROSTER_STATE_NAMES = {
    RosterState.RECEIVED: "已接收，待申请办理",
    RosterState.READY: "排队中",
    RosterState.RUNNING: "处理中",
    RosterState.FINISHED: "已处理完毕",
    RosterState.FAILED: "处理中断，请重新上传",
}
ENDED = frozenset({RosterState.FINISHED, RosterState.FAILED})


class Outcome(StrEnum):
    """What became of a row."""

    ENROLLED = "enrolled"
    ALREADY_ENROLLED = "already_enrolled"
    REFUSED = "refused"


OUTCOME_NAMES = {
    Outcome.ENROLLED: "已参保登记",
    Outcome.ALREADY_ENROLLED: "此前已参保，无须再办",
    Outcome.REFUSED: "未办理，原因见所列",
}

# As what, and in which insurance, the people of a roster are enrolled.
INSURED_AS = {
    RosterKind.STUDENT: (PersonKind.STUDENT, InsuranceKind.RESIDENT),
    RosterKind.EMPLOYEE: (PersonKind.EMPLOYEE, InsuranceKind.EMPLOYEE),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """``faults`` where the row is refused; ``standing`` is the enrolment that makes it needless."""

    outcome: Outcome
    faults: Sequence[Fault] = ()
    standing: Spell | None = None


def judge(
    person: NewPerson,
    wanted: NewEnrolment,
    *,
    known: KnownPerson | None,
    spells: Sequence[Spell],
    others: Sequence[Fault],
    today: dt.date,
) -> Judgement:
    """What a row comes to. ``known`` is the region's record of the person, ``spells`` all enrolments

    here and elsewhere, ``others`` what else stands against it (employer, a transfer under way).
    Somebody who is insured already just as the row wants is no fault: there is nothing to correct.
    """
    faults = [*others, *(faults_against_record(person, known) if known else faults_of_person(person, today))]
    standing = next((spell for spell in spells if _is_what_is_wanted(spell, person, wanted)), None)
    if standing is not None:
        return (
            Judgement(Outcome.REFUSED, faults)
            if faults
            else Judgement(Outcome.ALREADY_ENROLLED, standing=standing)
        )
    birth_date = known.birth_date if known else person.birth_date or person.credential.birth_date
    if birth_date is not None:  # else that is what is told
        faults += faults_of_start(wanted, birth_date=birth_date, known=spells, today=today)
    return Judgement(Outcome.REFUSED if faults else Outcome.ENROLLED, faults)


def duplicate_of(row_no: int) -> Fault:
    """The same credential stands in the file twice: the first row counts."""
    message = f"证件号码与第{row_no}行相同，同一人只能出现一次；以第{row_no}行为准。"
    return Fault("double_in_file", message, "/credential_no")


def merged_away() -> Fault:
    """Nothing is written to a record that went into another."""
    message = "该证件号码已不再使用（已变更，或档案已并入同一人的另一份档案），请按现用证件号码填写。"
    return Fault("merged", message, "/credential_no")


def _is_what_is_wanted(spell: Spell, person: NewPerson, wanted: NewEnrolment) -> bool:
    return (
        spell.is_active
        and spell.region_code == person.region_code
        and spell.insurance_kind is wanted.insurance_kind
        and spell.person_kind is wanted.person_kind
        and spell.employer_id == wanted.employer_id
        and spell.started_on <= wanted.started_on
    )
