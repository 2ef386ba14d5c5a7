"""职工参保登记: the rows of a form, planned all before any is carried out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from libs.refusals.faults import Fault, Refusal, conflict
from libs.webapp.database import asyncpg_of
from services.enrollment.domain import employment
from services.enrollment.domain.crediting.packs import packs
from services.enrollment.domain.deaths import Source
from services.enrollment.domain.employment import NOBODY_YET, ChangeKind, Known, Plan, Wish
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.people import NewPerson
from services.enrollment.domain.retirement import assess
from services.enrollment.domain.stops import StopReason
from services.enrollment.models import Person
from services.enrollment.repository import enrolments, months, reads
from services.enrollment.service import deaths, enrolling, people, registering
from services.enrollment.service.deaths import Told
from services.enrollment.service.desk import Desk
from services.enrollment.service.registering import Named


@dataclass(frozen=True)
class Row:
    """One row of the form: who, and what is to change."""

    person: NewPerson
    wish: Wish


async def faults_of_row(desk: Desk, row: Row) -> list[Fault]:
    """Every reason against the row; pointers relative to it."""
    named = await registering.look_up(desk, row.person)
    faults = [replace(fault, pointer=f"/person{fault.pointer}") for fault in named.faults]
    if named.birth_date is None:
        return faults
    faults += await _faults_of_retiring(desk, row, named)
    return faults + list((await _plan(desk, row.wish, named)).faults)


async def carry_out(desk: Desk, row: Row, said_by: str, case_no: str) -> list[UUID]:
    """Do it: the enrolments stopped and started. Raises Refusal where things have changed meanwhile.

    ``said_by`` tells of a death, under ``case_no``: whoever died is insured nowhere any more.
    """
    person = await registering.ensure_registered(desk, row.person)
    named = Named(row.person, person.person_key, person, person.birth_date, [])
    plan = await _plan(desk, row.wish, named)
    if plan.faults:  # somebody was faster: the whole form falls with this row
        raise conflict("changed_meanwhile", plan.faults[0].message, plan.faults)
    touched = []
    if row.wish.reason is StopReason.DECEASED:
        await _learn_of_death(desk, person, row, said_by, case_no)
        return [UUID(stop.spell.enrolment_id or "") for stop in plan.stops]
    for stop in plan.stops:
        assert stop.spell.enrolment_id is not None, "spells here have their enrolment's key"
        stopped, _ = await enrolling.stop(desk, UUID(stop.spell.enrolment_id), stop.last_day, stop.reason)
        touched.append(stopped.id)
    for new in plan.starts:
        assert new.person_id == NOBODY_YET, "plans are made without the person's key"
        started, _ = await enrolling.start(desk, replace(new, person_id=person.id))
        touched.append(started.id)
    return touched


async def _learn_of_death(desk: Desk, person: Person, row: Row, said_by: str, case_no: str) -> None:
    locked = await people.require_person(desk, person.id, lock=True)
    told = Told(row.person.credential, row.wish.effective_on, Source.EMPLOYER, said_by, case_no)
    await deaths.learn(desk, locked, told)


async def _faults_of_retiring(desk: Desk, row: Row, named: Named) -> list[Fault]:
    """职工退休 with too few years of contribution is told with the figures (the region's dated rule)."""
    wish = row.wish
    if wish.change is not ChangeKind.RETIRE or InsuranceKind.EMPLOYEE not in wish.insurance_kinds:
        return []
    if named.record is None:
        return []
    booked = await reads.booked_months(await asyncpg_of(desk.session), named.record.id)
    try:
        rule = packs().retirement(row.person.region_code, wish.effective_on)
    except Refusal as refusal:  # told with everything else that is wrong with the form
        return [replace(fault, pointer="/effective_on") for fault in refusal.faults]
    assessment = assess(booked, named.record.sex, wish.effective_on, rule)
    if assessment.enough:
        return []
    return [Fault("contribution_years", assessment.sentence, "/change", assessment.rule_id)]


async def _plan(desk: Desk, wish: Wish, named: Named) -> Plan:
    assert named.birth_date is not None, "asked for before"
    known = Known(
        birth_date=named.birth_date,
        here=await enrolments.spells_here(desk.session, named.record.id) if named.record else [],
        elsewhere=[
            spell
            for kind in wish.insurance_kinds
            for spell in await enrolments.spells_elsewhere(
                desk.session, named.person_key, named.new.region_code, kind, wish.effective_on
            )
        ],
        paid_months=await _paid_months(desk, named.record, wish) if named.record else None,
    )
    return employment.plan(wish, known, desk.today)


async def _paid_months(desk: Desk, person: Person, wish: Wish) -> dict[InsuranceKind, list[str]]:
    return {
        kind: list(await months.own_months(desk.session, person.id, kind)) for kind in wish.insurance_kinds
    }
