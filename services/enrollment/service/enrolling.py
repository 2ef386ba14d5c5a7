"""Enrolments: start, stop, read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.contracts.enrollment import EnrolmentStarted, EnrolmentStopped
from libs.refusals.faults import Fault, Refusal, RefusalKind, not_found
from services.enrollment.domain import enrolling
from services.enrollment.domain.enrolling import NewEnrolment, Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind, counts_as
from services.enrollment.domain.stops import StopReason
from services.enrollment.domain.transfers import LEAVING, OpenTransfer, Side, under_way
from services.enrollment.models import Employer, Enrolment, Person
from services.enrollment.repository import employers, enrolments, months, transfers
from services.enrollment.service.desk import Desk
from services.enrollment.service.employers import ACTIVE
from services.enrollment.service.people import require_person


async def start(desk: Desk, new: NewEnrolment) -> tuple[Enrolment, Employer | None]:
    """Enrol a person. Raises Refusal: not found, invalid with all faults, conflict with the evidence."""
    employer = await _employer(desk, new.employer_id)
    person = await require_person(desk, new.person_id, lock=True)
    if employer is not None and employer.region_code != person.region_code:
        employer = None
    faults = await _faults_of(desk, person, new)
    if new.employer_id is not None:
        faults += faults_of_employer(employer)
    if faults:
        raise enrolling.refusal_of_start(faults)
    values = enrolment_values(new, person.region_code, person.person_key, desk.now)
    enrolment = Enrolment(**values)
    if not await enrolments.add_enrolment(desk.session, enrolment):
        # Enrolled in another region between our look and our write.
        raise enrolling.refusal_of_start(
            await _faults_of(desk, person, new) or [enrolling.enrolled_meanwhile()]
        )
    person.version += 1
    desk.note("enrolment", enrolment.id, person.region_code, 1, before=None, after=told(values))
    fact = started_fact(values, person.version)
    await desk.tell(fact, person_key=fact.person_key, region_code=fact.region_code, subject=fact.enrolment_id)
    return enrolment, employer


async def stop(
    desk: Desk, enrolment_id: UUID, stopped_on: dt.date, reason: StopReason, version: int | None = None
) -> tuple[Enrolment, Employer | None]:
    """Stop an enrolment; ``stopped_on`` is its last day, ``version`` the one the caller has seen.

    Raises Refusal: not found, stale version, conflict if it is stopped already, invalid with all faults.
    """
    found, _ = await find(desk, enrolment_id)
    person = await require_person(desk, found.person_id, lock=True)
    enrolment, employer = await find(desk, enrolment_id)  # as it is now that nobody else may change it
    if version is not None and version != enrolment.version:
        message = f"参保关系已更新到第{enrolment.version}版，您看到的是第{version}版，请刷新后再办。"
        raise Refusal(RefusalKind.STALE_VERSION, "stale_version", message)
    await _require_stoppable(desk, enrolments.spell_of(enrolment, employer), person, stopped_on)
    await end(desk, person, enrolment, stopped_on, reason)
    return enrolment, employer


async def end(
    desk: Desk, person: Person, enrolment: Enrolment, stopped_on: dt.date, reason: StopReason
) -> None:
    """Write and tell a stop. The caller holds the person's lock and has asked the rules."""
    before = told(enrolment.values())
    enrolment.stopped_on, enrolment.stop_reason = stopped_on, reason.value
    enrolment.version += 1
    person.version += 1
    after = told(enrolment.values())
    desk.note("enrolment", enrolment.id, person.region_code, enrolment.version, before=before, after=after)
    await _tell_stopped(desk, enrolment, stopped_on, reason, person.version)


async def find(desk: Desk, enrolment_id: UUID) -> tuple[Enrolment, Employer | None]:
    """An enrolment and its employer. Raises Refusal (not found)."""
    found = await enrolments.find_enrolment(desk.session, enrolment_id)
    if found is None or not desk.may_see(found[0].region_code):
        raise not_found("no_enrolment", "没有此参保关系，或不在您可办理的统筹区内。")
    return found


async def _faults_of(desk: Desk, person: Person, new: NewEnrolment) -> list[Fault]:
    known = await enrolments.spells_here(desk.session, person.id)
    known += await enrolments.spells_elsewhere(
        desk.session, person.person_key, person.region_code, new.insurance_kind, new.started_on
    )
    faults = enrolling.faults_of_start(new, birth_date=person.birth_date, known=known, today=desk.today)
    if person.deceased_on is not None:
        message = f"该人员已于{person.deceased_on}登记死亡，不能参保；误报的请先撤销死亡信息。"
        faults.append(Fault("deceased", message, "/person_id"))
    return faults + await leaving_faults(desk, person, new.insurance_kind)


async def leaving_faults(desk: Desk, person: Person, kind: InsuranceKind) -> list[Fault]:
    """While a relation is on its way out, nothing is added to what its 信息表 says."""
    leaving = await transfers.transfers_in(
        desk.session, person.region_code, person.person_key, [kind.value], LEAVING
    )
    return [fault_of_leaving(row.case_no, row.side, row.counterpart_region_code) for row in leaving]


def fault_of_leaving(case_no: str, side: str, counterpart_region_code: str) -> Fault:
    """A transfer under way, told."""
    return under_way(OpenTransfer(case_no, Side(side), counterpart_region_code))


async def _employer(desk: Desk, employer_id: UUID | None) -> Employer | None:
    """The employer, who stays as it is until we are done; locked before people, by everybody."""
    if employer_id is None:
        return None
    held = await employers.hold(desk.session, [employer_id])
    return held[0] if held else None


def faults_of_employer(employer: Employer | None) -> list[Fault]:
    """An employer that enrols people is known here and active."""
    if employer is None:
        return [Fault("no_employer", "没有此单位，请核对单位编号或先办理单位参保登记。", "/employer_id")]
    if employer.state != ACTIVE:
        return [Fault("employer_not_active", f"单位“{employer.name}”已暂停或注销参保。", "/employer_id")]
    return []


async def _require_stoppable(desk: Desk, spell: Spell, person: Person, stopped_on: dt.date) -> None:
    if not spell.is_active:
        raise enrolling.already_stopped(spell)
    paid = await months.own_months(desk.session, person.id, spell.insurance_kind)
    faults = enrolling.faults_of_stop(spell, stopped_on, paid_months=paid, today=desk.today)
    if faults:
        raise Refusal(
            RefusalKind.INVALID, "stop", f"停保有{len(faults)}处不符合规定，本次未作任何更改。", faults
        )


def enrolment_values(
    new: NewEnrolment, region_code: str, person_key: str, now: dt.datetime
) -> dict[str, Any]:
    """Column -> value of a new enrolment."""
    return {
        "id": uuid7(),
        "region_code": region_code,
        "version": 1,
        "person_id": new.person_id,
        "person_key": person_key,
        "insurance_kind": new.insurance_kind.value,
        "counts_as": counts_as(new.insurance_kind),
        "person_kind": new.person_kind.value,
        "employer_id": new.employer_id,
        "started_on": new.started_on,
        "declared_wage_fen": new.declared_wage_fen,
        "created_at": now,
    }


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """The enrolment's key facts as the history keeps them."""
    stopped_on: dt.date | None = values.get("stopped_on")
    return {
        "insurance_kind": values["insurance_kind"],
        "person_kind": values["person_kind"],
        "employer_id": values["employer_id"] and str(values["employer_id"]),
        "started_on": values["started_on"].isoformat(),
        "stopped_on": stopped_on and stopped_on.isoformat(),
        "stop_reason": values.get("stop_reason"),
    }


def started_fact(values: Mapping[str, Any], person_version: int) -> EnrolmentStarted:
    """The fact that somebody is insured now; ``person_version`` is the record's with this enrolment."""
    return EnrolmentStarted(
        enrolment_id=str(values["id"]),
        person_key=values["person_key"],
        region_code=values["region_code"],
        insurance_kind=values["insurance_kind"],
        person_kind=PersonKind(values["person_kind"]).value,
        started_on=values["started_on"],
        person_id=str(values["person_id"]),
        person_version=person_version,
    )


async def _tell_stopped(
    desk: Desk, enrolment: Enrolment, stopped_on: dt.date, reason: StopReason, person_version: int
) -> None:
    fact = EnrolmentStopped(
        enrolment_id=str(enrolment.id),
        person_key=enrolment.person_key,
        region_code=enrolment.region_code,
        insurance_kind=enrolment.insurance_kind,
        person_kind=PersonKind(enrolment.person_kind).value,
        stopped_on=stopped_on,
        reason=reason.value,
        started_on=enrolment.started_on,
        person_id=str(enrolment.person_id),
        person_version=person_version,
    )
    await desk.tell(fact, person_key=fact.person_key, region_code=fact.region_code, subject=fact.enrolment_id)
