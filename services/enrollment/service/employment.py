"""职工参保登记: the rows of a form, planned all before any is carried out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from libs.refusals.faults import Fault, conflict
from services.enrollment.domain import employment
from services.enrollment.domain.employment import NOBODY_YET, Known, Plan, Wish
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.people import NewPerson
from services.enrollment.models import Person
from services.enrollment.repository import enrolments, months
from services.enrollment.service import enrolling, registering
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
    return faults + list((await _plan(desk, row.wish, named)).faults)


async def carry_out(desk: Desk, row: Row) -> list[UUID]:
    """Do it: the enrolments stopped and started. Raises Refusal where things have changed meanwhile."""
    person = await registering.ensure_registered(desk, row.person)
    named = Named(row.person, person.person_key, person, person.birth_date, [])
    plan = await _plan(desk, row.wish, named)
    if plan.faults:  # somebody was faster: the whole form falls with this row
        raise conflict("changed_meanwhile", plan.faults[0].message, plan.faults)
    touched = []
    for stop in plan.stops:
        assert stop.spell.enrolment_id is not None, "spells here have their enrolment's key"
        stopped, _ = await enrolling.stop(desk, UUID(stop.spell.enrolment_id), stop.last_day, stop.reason)
        touched.append(stopped.id)
    for new in plan.starts:
        assert new.person_id == NOBODY_YET, "plans are made without the person's key"
        started, _ = await enrolling.start(desk, replace(new, person_id=person.id))
        touched.append(started.id)
    return touched


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
