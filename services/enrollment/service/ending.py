"""暂停登记、注销登记: an employer is insured no more, for a while or for good."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libs.refusals.faults import Fault
from services.enrollment.domain.employers import (
    EmployerData,
    EmployerState,
    in_future,
    no_employer,
    not_in_state,
    require_unchanged,
)
from services.enrollment.domain.kinds import PersonKind
from services.enrollment.domain.months import month_of
from services.enrollment.domain.stops import StopReason
from services.enrollment.models import Employer
from services.enrollment.repository import employers as records
from services.enrollment.repository import workforce as people_of_employers
from services.enrollment.service import employers, workforce
from services.enrollment.service.desk import Desk

# Retirees have paid in full: their insurance does not end with their last employer's.
WORKING = PersonKind.EMPLOYEE.value
_ALLOWED_FROM = {
    EmployerState.SUSPENDED: (EmployerState.ACTIVE,),
    EmployerState.CANCELLED: (EmployerState.ACTIVE, EmployerState.SUSPENDED),
}
_REASONS = {
    EmployerState.SUSPENDED: StopReason.EMPLOYER_SUSPENDED,
    EmployerState.CANCELLED: StopReason.EMPLOYER_CANCELLED,
}


@dataclass(frozen=True)
class Ending:
    """The end asked for. ``last_day`` is the last insured; ``at``, ``code_at`` where the form says so.

    ``stop_people``: employees still insured are stopped with it; otherwise there must be none.
    """

    region_code: str
    credit_code: str
    state: EmployerState
    last_day: dt.date
    stop_people: bool
    at: str
    code_at: str


async def faults(desk: Desk, ending: Ending, *, lock: bool = False) -> list[Fault]:
    """Every reason against it."""
    employer = await _employer(desk, ending, lock=lock)
    found = in_future(ending.last_day, desk.today, f"{ending.at}/last_day")
    if employer is None:
        return [no_employer(ending.credit_code, ending.code_at), *found]
    if employer.state not in _ALLOWED_FROM[ending.state]:
        return [not_in_state(employer.name, employer.state, employer.state_since, ending.code_at), *found]
    if ending.stop_people:
        return found + await _faults_of_stops(desk, ending, employer)
    working = await records.count_employees(desk.session, employer.id)
    if working:
        message = f"单位尚有{working}名在职职工在保，请先办理停保，或写明随注销一并停保（stop_people）。"
        found.append(Fault("still_active", message, f"{ending.at}/stop_people"))
    return found


async def carry_out(desk: Desk, ending: Ending) -> Mapping[str, Any]:
    """Do it. Raises Refusal (conflict) where things have changed meanwhile."""
    require_unchanged(await faults(desk, ending, lock=True))
    employer = await _employer(desk, ending)
    assert employer is not None, "asked for before"
    members = await people_of_employers.members_of(
        desk.session, [employer.id], person_kind=WORKING, lock=True
    )
    # Months may have been paid until the people were locked.
    require_unchanged(await _faults_of_stops(desk, ending, employer))
    await workforce.stop_all(desk, ending.region_code, members, ending.last_day, _REASONS[ending.state])
    since = ending.last_day + dt.timedelta(days=1)
    await employers.change(desk, employer, EmployerData(), state=ending.state, since=since)
    return {
        "employer_id": str(employer.id),
        "stopped_enrolments": len(members),
        "people": len({member.person_id for member in members}),
    }


async def _employer(desk: Desk, ending: Ending, *, lock: bool = False) -> Employer | None:
    found = await records.find_by_codes(desk.session, ending.region_code, [ending.credit_code], lock=lock)
    return found.get(ending.credit_code)


async def _faults_of_stops(desk: Desk, ending: Ending, employer: Employer) -> list[Fault]:
    """The rules of a single stop (domain/enrolling.py), for all employees at once."""
    found, at = [], f"{ending.at}/last_day"
    members = await people_of_employers.members_of(desk.session, [employer.id], person_kind=WORKING)
    later = list(dict.fromkeys(one.person_id for one in members if one.started_on > ending.last_day))
    if later:
        told = await workforce.named(desk, later)
        message = f"{told}的参保起始日期晚于{ending.last_day}，请核对日期或先更正其参保登记。"
        found.append(Fault("stopped_before_start", message, at))
    paid = await people_of_employers.paid_after(desk.session, employer.id, WORKING, month_of(ending.last_day))
    if paid:
        told = await workforce.named(desk, [person_id for person_id, _ in paid])
        message = f"{told}在{ending.last_day}之后已有缴费（至{max(month for _, month in paid)}），"
        found.append(Fault("paid_after_stop", message + "请核对日期或先办理退费。", at))
    return found
