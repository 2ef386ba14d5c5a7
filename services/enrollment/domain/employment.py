"""The six kinds of change of 职工参保登记: what each does to a person's enrolments, planned beforehand.

(hubei-2022 form 2, L8800 ff.; item 二: 增加 中断 终止 恢复 在职转退休 统筹地区内转移.)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from libs.refusals.faults import Fault
from services.enrollment.domain.enrolling import (
    NewEnrolment,
    Spell,
    evidence,
    faults_of_start,
    faults_of_stop,
)
from services.enrollment.domain.kinds import INSURANCE_NAMES, InsuranceKind, PersonKind
from services.enrollment.domain.stops import StopReason

# A person to be registered has no key yet; the plan's starts get it when they are carried out.
NOBODY_YET = UUID(int=0)
_RESUMABLE = (StopReason.INTERRUPTED, StopReason.EMPLOYER_SUSPENDED)
_ONE_DAY = dt.timedelta(days=1)


class ChangeKind(StrEnum):
    """变更类别; the catalogue's parameter ``registration.change_kinds`` names those an edition has."""

    ADD = "add"
    INTERRUPT = "interrupt"
    TERMINATE = "terminate"
    RESUME = "resume"
    RETIRE = "retire"
    MOVE = "move_within_pooling_area"


CHANGE_NAMES = {
    ChangeKind.ADD: "增加",
    ChangeKind.INTERRUPT: "中断",
    ChangeKind.TERMINATE: "终止",
    ChangeKind.RESUME: "恢复",
    ChangeKind.RETIRE: "在职转退休",
    ChangeKind.MOVE: "统筹地区内转移",
}


@dataclass(frozen=True)
class Wish:
    """A row of the form. ``employer_id`` None: a flexible worker; ``to_employer_id`` for a move."""

    change: ChangeKind
    insurance_kinds: Sequence[InsuranceKind]
    person_kind: PersonKind
    employer_id: UUID | None
    effective_on: dt.date
    to_employer_id: UUID | None = None
    reason: StopReason | None = None
    declared_wage_fen: int | None = None


@dataclass(frozen=True)
class Known:
    """What is known of the person: all spells here and elsewhere, own paid months by kind."""

    birth_date: dt.date
    here: Sequence[Spell] = ()
    elsewhere: Sequence[Spell] = ()
    paid_months: Mapping[InsuranceKind, Sequence[str]] | None = None


@dataclass(frozen=True)
class Stop:
    """An enrolment to stop; ``last_day`` is its last."""

    spell: Spell
    last_day: dt.date
    reason: StopReason


@dataclass(frozen=True)
class Plan:
    """What a change comes to: stops first, then starts; nothing of it where there are faults."""

    stops: tuple[Stop, ...] = ()
    starts: tuple[NewEnrolment, ...] = ()
    faults: tuple[Fault, ...] = ()


def plan(wish: Wish, known: Known, today: dt.date) -> Plan:
    """Plan one row. Pointers of the faults are relative to the row."""
    parts = [_PLANNERS[wish.change](wish, known, kind, today) for kind in wish.insurance_kinds]
    faults = tuple(dict.fromkeys(fault for part in parts for fault in part.faults))
    if faults:
        return Plan(faults=faults)
    return Plan(
        stops=tuple(stop for part in parts for stop in part.stops),
        starts=tuple(start for part in parts for start in part.starts),
    )


def _add(wish: Wish, known: Known, kind: InsuranceKind, today: dt.date) -> Plan:
    return _start(wish, known, kind, today, wish.person_kind, wish.employer_id, known.here)


def _interrupt(wish: Wish, known: Known, kind: InsuranceKind, today: dt.date) -> Plan:
    return _stop(wish, known, kind, today, wish.effective_on, StopReason.INTERRUPTED)


def _terminate(wish: Wish, known: Known, kind: InsuranceKind, today: dt.date) -> Plan:
    return _stop(wish, known, kind, today, wish.effective_on, wish.reason or StopReason.EMPLOYMENT_ENDED)


def _resume(wish: Wish, known: Known, kind: InsuranceKind, today: dt.date) -> Plan:
    """Only what was interrupted here, or stopped with its employer; whoever left for good is added anew."""
    earlier = [spell for spell in known.here if _is_of(spell, wish, kind) and not spell.is_active]
    last = max(earlier, key=lambda spell: spell.started_on, default=None)
    if last is None or last.stop_reason not in _RESUMABLE:
        message = f"没有可以恢复的{INSURANCE_NAMES[kind]}：未查到在本单位（或以本人身份）中断的参保关系。"
        hint = f"最近一次{evidence(last)}，原因不是中断，请按“增加”办理。" if last else "请按“增加”办理。"
        return Plan(faults=(Fault("nothing_to_resume", message + hint, "/change"),))
    return _start(wish, known, kind, today, wish.person_kind, wish.employer_id, known.here)


def _retire(wish: Wish, known: Known, kind: InsuranceKind, today: dt.date) -> Plan:
    return _stop_and_start(wish, known, kind, today, PersonKind.RETIREE, wish.employer_id, StopReason.RETIRED)


def _move(wish: Wish, known: Known, kind: InsuranceKind, today: dt.date) -> Plan:
    if wish.to_employer_id is None or wish.to_employer_id == wish.employer_id:
        message = "统筹地区内转移须填写转入的单位（to_credit_code），且不同于原单位。"
        return Plan(faults=(Fault("no_other_employer", message, "/to_credit_code"),))
    return _stop_and_start(
        wish, known, kind, today, PersonKind.EMPLOYEE, wish.to_employer_id, StopReason.MOVED_WITHIN
    )


def _stop_and_start(
    wish: Wish,
    known: Known,
    kind: InsuranceKind,
    today: dt.date,
    person_kind: PersonKind,
    employer_id: UUID | None,
    reason: StopReason,
) -> Plan:
    """The old enrolment ends the day before the new one begins: no day is lost, none counted twice."""
    stopped = _stop(wish, known, kind, today, wish.effective_on - _ONE_DAY, reason)
    if stopped.faults:
        return stopped
    (stop,) = stopped.stops
    ended = replace(stop.spell, stopped_on=stop.last_day)
    here = [ended if spell == stop.spell else spell for spell in known.here]
    started = _start(wish, known, kind, today, person_kind, employer_id, here)
    return replace(started, stops=stopped.stops)


def _start(
    wish: Wish,
    known: Known,
    kind: InsuranceKind,
    today: dt.date,
    person_kind: PersonKind,
    employer_id: UUID | None,
    here: Sequence[Spell],
) -> Plan:
    new = NewEnrolment(NOBODY_YET, kind, person_kind, employer_id, wish.effective_on, wish.declared_wage_fen)
    spells = [*here, *known.elsewhere]
    faults = faults_of_start(new, birth_date=known.birth_date, known=spells, today=today)
    return Plan(starts=(new,), faults=tuple(_at_row(fault) for fault in faults))


def _stop(
    wish: Wish, known: Known, kind: InsuranceKind, today: dt.date, last_day: dt.date, reason: StopReason
) -> Plan:
    active = next((spell for spell in known.here if spell.is_active and _is_of(spell, wish, kind)), None)
    if active is None:
        return Plan(faults=(_nothing_active(known, kind),))
    months = (known.paid_months or {}).get(kind, ())
    if reason is StopReason.DECEASED:
        months = ()  # whatever was paid for the time after is listed for refund (domain/deaths.py)
    # A retiree's relation goes on where it was: months paid ahead would have to be given back.
    faults = faults_of_stop(active, last_day, paid_months=months, today=today)
    return Plan(stops=(Stop(active, last_day, reason),), faults=tuple(_at_row(fault) for fault in faults))


def _is_of(spell: Spell, wish: Wish, kind: InsuranceKind) -> bool:
    if spell.insurance_kind != kind or spell.transferred_out_on is not None:
        return False
    if wish.employer_id is not None:
        return spell.employer_id == wish.employer_id
    return spell.employer_id is None and spell.person_kind is not PersonKind.EMPLOYEE


def _nothing_active(known: Known, kind: InsuranceKind) -> Fault:
    others = [spell for spell in [*known.here, *known.elsewhere] if spell.is_active]
    told = "；".join(evidence(spell) for spell in others) or "目前没有在保的参保关系"
    message = f"该人员在本单位（或以灵活就业身份）没有在保的{INSURANCE_NAMES[kind]}（{told}），不能办理。"
    return Fault("not_enrolled_here", message, "/person")


# Where the rules of single enrolments point to, as fields of the form's row.
_ROW_POINTERS = {
    "/started_on": "/effective_on",
    "/stopped_on": "/effective_on",
    "/person_kind": "/change",
    "/employer_id": "/person",
}


def _at_row(fault: Fault) -> Fault:
    return replace(fault, pointer=_ROW_POINTERS.get(fault.pointer, fault.pointer))


_PLANNERS = {
    ChangeKind.ADD: _add,
    ChangeKind.INTERRUPT: _interrupt,
    ChangeKind.TERMINATE: _terminate,
    ChangeKind.RESUME: _resume,
    ChangeKind.RETIRE: _retire,
    ChangeKind.MOVE: _move,
}
