"""Employers: register, read."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7

from libs.refusals.faults import Fault, Refusal, conflict, not_found
from services.enrollment.models import Employer
from services.enrollment.repository import enrolments, people
from services.enrollment.service.desk import Desk

ACTIVE = "active"


async def register_employer(desk: Desk, region_code: str, credit_code: str, name: str) -> Employer:
    """A new employer of the region. Raises Refusal (conflict) if the region has it already."""
    employer = Employer(
        id=uuid7(),
        region_code=region_code,
        version=1,
        credit_code=credit_code,
        name=name,
        state=ACTIVE,
        created_at=desk.now,
    )
    if not await people.add_employer(desk.session, employer):
        raise await _known_employer(desk, region_code, credit_code)
    after = {"credit_code": credit_code, "name": name, "state": ACTIVE}
    desk.note("employer", employer.id, region_code, 1, before=None, after=after)
    return employer


async def employer_with_people(desk: Desk, employer_id: UUID) -> tuple[Employer, int]:
    """An employer and how many people it has enrolled at present. Raises Refusal (not found)."""
    employer = await people.find_employer(desk.session, employer_id)
    if employer is None or not desk.may_see(employer.region_code):
        raise not_found("no_employer", "没有此单位，或不在您可办理的统筹区内。")
    return employer, await enrolments.count_active(desk.session, employer_id)


async def _known_employer(desk: Desk, region_code: str, credit_code: str) -> Refusal:
    known = await people.find_employer_by_code(desk.session, region_code, credit_code)
    assert known is not None, "employers are never deleted"
    message = f"该统一社会信用代码已在本地登记为“{known.name}”（单位编号{known.id}），不能重复登记。"
    return conflict("employer_known", message, [Fault("employer_known", message, "/credit_code")])
