"""Employers."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, TransactionRoute
from services.enrollment.domain.employers import EmployerData, NewEmployer
from services.enrollment.routes.edge import PREFIX, DeskDep, require_office, require_writer, set_version
from services.enrollment.schemas.answers import EmployerAnswer
from services.enrollment.schemas.requests import NewEmployerBody
from services.enrollment.service import employers

router = APIRouter(prefix=f"{PREFIX}/employers", tags=["参保单位"], route_class=TransactionRoute)


@router.post("", status_code=201, summary="单位参保登记", dependencies=[IdempotencyKeyDoc])
async def register_employer(
    body: NewEmployerBody, desk: DeskDep, caller: CallerDep, response: Response
) -> EmployerAnswer:
    require_writer(caller)
    caller.require_region(body.region_code)
    new = NewEmployer(body.region_code, body.credit_code, EmployerData(name=body.name))
    employer = await employers.register(desk, new)
    set_version(response, employer.version)
    response.headers["Location"] = f"{PREFIX}/employers/{employer.id}"
    return EmployerAnswer.of(employer, active_enrolments=0)


@router.get("/{employer_id}", summary="查询参保单位")
async def read_employer(
    employer_id: UUID, desk: DeskDep, caller: CallerDep, response: Response
) -> EmployerAnswer:
    require_office(caller)
    employer, active = await employers.employer_with_people(desk, employer_id)
    set_version(response, employer.version)
    return EmployerAnswer.of(employer, active)
