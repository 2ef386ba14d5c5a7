"""新参保登记: an employer is insured for the first time, or again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.refusals.faults import Fault
from services.enrollment.domain.employers import (
    EmployerState,
    NewEmployer,
    days_late,
    employer_known,
    in_future,
    require_unchanged,
)
from services.enrollment.models import Employer
from services.enrollment.repository import employers as records
from services.enrollment.schemas.applications_employers import NewRegistration
from services.enrollment.service import employers
from services.enrollment.service.desk import Desk

AT = "/payload/registration"


async def faults(desk: Desk, region_code: str, form: NewRegistration) -> list[Fault]:
    """Every reason against it. A suspended or cancelled employer may come back."""
    return _faults(desk, form, await _known(desk, region_code, form))


async def carry_out(
    desk: Desk, region_code: str, form: NewRegistration, deadline_days: int
) -> Mapping[str, Any]:
    """Register it, or take it up again. Lateness is remarked in the record, it is no obstacle."""
    # One look: at a second one an employer registered meanwhile would be taken for one that comes back.
    known = await _known(desk, region_code, form, lock=True)
    require_unchanged(_faults(desk, form, known))
    since = form.insured_since or desk.today
    if known is None:
        data = form.data(since)
        employer = await employers.register(
            desk, NewEmployer(region_code, form.credit_code, data), f"{AT}/credit_code"
        )
    else:
        # Its people come back by 职工参保登记 (恢复): who of them still works there is not known here.
        employer = known
        await employers.change(desk, known, form.data(), state=EmployerState.ACTIVE, since=since)
    late = days_late(form.established_on, desk.today, deadline_days)
    remark = {"remark": f"自设立之日起超过{deadline_days}日登记，逾期{late}日"} if late else {}
    return {"employer_id": str(employer.id), "resumed": known is not None, **remark}


async def _known(
    desk: Desk, region_code: str, form: NewRegistration, *, lock: bool = False
) -> Employer | None:
    found = await records.find_by_codes(desk.session, region_code, [form.credit_code], lock=lock)
    return found.get(form.credit_code)


def _faults(desk: Desk, form: NewRegistration, known: Employer | None) -> list[Fault]:
    found = [
        fault
        for field in ("insured_since", "established_on")
        if (day := getattr(form, field)) is not None
        for fault in in_future(day, desk.today, f"{AT}/{field}")
    ]
    if known is not None and known.state == EmployerState.ACTIVE:
        found.append(employer_known(known.name, known.id))
    return found
