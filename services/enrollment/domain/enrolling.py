"""Who may be enrolled, and when an enrolment may be stopped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.refusals.faults import Fault, Refusal, conflict, invalid
from libs.regions import names
from services.enrollment.domain.kinds import (
    INSURANCE_NAMES,
    PERSON_KIND_NAMES,
    InsuranceKind,
    PersonKind,
    counts_as,
    fits,
)
from services.enrollment.domain.months import month_of

YOUNGEST_WORKER_YEARS = 16
RULE_YOUNGEST_WORKER = "《中华人民共和国劳动法》第十五条"
ALREADY_ENROLLED = "already_enrolled"


@dataclass(frozen=True)
class Spell:
    """A stretch of enrolment, here or (without number and employer) in another region."""

    region_code: str
    insurance_kind: InsuranceKind
    person_kind: PersonKind
    started_on: dt.date
    stopped_on: dt.date | None
    enrolment_id: str | None = None
    employer_name: str | None = None
    transferred_out_on: dt.date | None = None
    employer_id: UUID | None = None
    stop_reason: str | None = None

    @property
    def is_active(self) -> bool:
        return self.stopped_on is None


@dataclass(frozen=True)
class NewEnrolment:
    """The enrolment asked for. ``started_on`` is its first day."""

    person_id: UUID
    insurance_kind: InsuranceKind
    person_kind: PersonKind
    employer_id: UUID | None
    started_on: dt.date
    declared_wage_fen: int | None = None


def faults_of_start(
    new: NewEnrolment, *, birth_date: dt.date, known: Sequence[Spell], today: dt.date
) -> list[Fault]:
    """Every reason against an enrolment; ``known`` are the person's spells here and elsewhere."""
    return [*_faults_of_dates(new, birth_date, today), *_faults_of_kinds(new), *_clashes(new, known)]


def faults_of_first_day(started_on: dt.date, today: dt.date) -> list[Fault]:
    """Whoever it is: no enrolment begins in the future."""
    if started_on <= today:
        return []
    return [Fault("started_in_future", f"参保起始日期不能晚于今天（{today}）。", "/started_on")]


def refusal_of_start(faults: Sequence[Fault]) -> Refusal:
    """409 where nothing but an earlier enrolment stands in the way, else 422."""
    if all(fault.code == ALREADY_ENROLLED for fault in faults):
        return conflict(ALREADY_ENROLLED, faults[0].message, faults)
    return invalid("enrolment", f"参保登记有{len(faults)}处不符合规定，本次未作任何更改。", faults)


def enrolled_meanwhile() -> Fault:
    """Enrolled elsewhere while we looked, and stopped there again before we could look who it was."""
    message = "该人员刚刚在其他地区办理了参保登记，请核实后重新提交。"
    return Fault(ALREADY_ENROLLED, message, "/started_on")


def faults_of_stop(
    spell: Spell, stopped_on: dt.date, *, paid_months: Sequence[str], today: dt.date
) -> list[Fault]:
    """Every reason against stopping an active enrolment with ``stopped_on`` as its last day.

    ``paid_months`` are the person's own months of this kind (``2024-03``).
    """
    faults = []
    if stopped_on < spell.started_on:
        message = f"停保日期不能早于参保起始日期{spell.started_on}。"
        faults.append(Fault("stopped_before_start", message, "/stopped_on"))
    if stopped_on > today:
        message = f"停保日期不能晚于今天（{today}）。"
        faults.append(Fault("stopped_in_future", message, "/stopped_on"))
    later = sorted(month for month in paid_months if month > month_of(stopped_on))
    if later:
        message = (
            f"停保日期之后已有{later[0]}至{later[-1]}共{len(later)}个月的缴费，请核对停保日期或先办理退费。"
        )
        faults.append(Fault("paid_after_stop", message, "/stopped_on"))
    return faults


def already_stopped(spell: Spell) -> Refusal:
    """What is told to whoever stops a stopped enrolment."""
    message = f"该参保关系已于{spell.stopped_on}停保，不能重复停保。"
    return conflict("already_stopped", message, [Fault("already_stopped", message)])


def evidence(spell: Spell) -> str:
    """``自2024-03-01起在枣庄市参加职工基本医疗保险（在职职工，单位：…，参保编号：…）``."""
    details = [PERSON_KIND_NAMES[spell.person_kind]]
    if spell.employer_name:
        details.append(f"单位：{spell.employer_name}")
    if spell.enrolment_id:
        details.append(f"参保编号：{spell.enrolment_id}")
    until = f"至{spell.stopped_on}" if spell.stopped_on else "起"
    return (
        f"自{spell.started_on}{until}在{names.name_of(spell.region_code)}"
        f"参加{INSURANCE_NAMES[spell.insurance_kind]}（{'，'.join(details)}）"
    )


def _faults_of_dates(new: NewEnrolment, birth_date: dt.date, today: dt.date) -> list[Fault]:
    faults = faults_of_first_day(new.started_on, today)
    if new.started_on < birth_date:
        message = f"参保起始日期不能早于出生日期{birth_date}。"
        faults.append(Fault("started_before_birth", message, "/started_on"))
    elif _works(new.person_kind) and _age_years(birth_date, new.started_on) < YOUNGEST_WORKER_YEARS:
        message = f"{PERSON_KIND_NAMES[new.person_kind]}参保时应年满{YOUNGEST_WORKER_YEARS}周岁。"
        faults.append(Fault("too_young", message, "/started_on", RULE_YOUNGEST_WORKER))
    return faults


def _faults_of_kinds(new: NewEnrolment) -> list[Fault]:
    faults = []
    person_kind = PERSON_KIND_NAMES[new.person_kind]
    if not fits(new.person_kind, new.insurance_kind):
        message = f"{person_kind}不能参加{INSURANCE_NAMES[new.insurance_kind]}，请核对险种和人员类别。"
        faults.append(Fault("kinds_disagree", message, "/person_kind"))
    if new.person_kind is PersonKind.EMPLOYEE and new.employer_id is None:
        faults.append(Fault("employer_missing", "在职职工须由用人单位参保，请填写单位。", "/employer_id"))
    if new.employer_id and new.person_kind not in (PersonKind.EMPLOYEE, PersonKind.RETIREE):
        faults.append(
            Fault("employer_unexpected", f"{person_kind}不由单位参保，请删除单位。", "/employer_id")
        )
    return faults


def _clashes(new: NewEnrolment, known: Sequence[Spell]) -> list[Fault]:
    """Nobody is enrolled twice on any day: not as employee and resident, nor in two regions."""
    return [
        Fault(ALREADY_ENROLLED, f"该人员{evidence(spell)}，{_remedy(spell)}", "/started_on")
        for spell in known
        if counts_as(spell.insurance_kind) == counts_as(new.insurance_kind)
        and (spell.stopped_on is None or spell.stopped_on >= new.started_on)
    ]


def _remedy(spell: Spell) -> str:
    if spell.stopped_on is None:
        return "不能重复参保，请先办理停保。"
    return f"参保期间重叠，起始日期应在{spell.stopped_on}之后。"


def _works(person_kind: PersonKind) -> bool:
    return person_kind in (PersonKind.EMPLOYEE, PersonKind.FLEXIBLE_WORKER)


def _age_years(birth_date: dt.date, on: dt.date) -> int:
    return on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))
