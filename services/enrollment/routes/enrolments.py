"""Enrolments."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, TransactionRoute
from services.enrollment.routes.edge import (
    PREFIX,
    DeskDep,
    ExpectedVersion,
    require_readable,
    require_writer,
    set_version,
)
from services.enrollment.schemas.answers import EnrolmentAnswer
from services.enrollment.schemas.requests import NewEnrolmentBody, StopBody
from services.enrollment.service import enrolling, people

router = APIRouter(prefix=f"{PREFIX}/enrolments", tags=["参保登记"], route_class=TransactionRoute)


@router.post("", status_code=201, summary="参保登记", dependencies=[IdempotencyKeyDoc])
async def start_enrolment(
    body: NewEnrolmentBody, desk: DeskDep, caller: CallerDep, response: Response
) -> EnrolmentAnswer:
    require_writer(caller)
    enrolment, employer = await enrolling.start(desk, body.new_enrolment())
    set_version(response, enrolment.version)
    response.headers["Location"] = f"{PREFIX}/enrolments/{enrolment.id}"
    return EnrolmentAnswer.of(enrolment, employer)


@router.post("/{enrolment_id}/stop", summary="停保", dependencies=[IdempotencyKeyDoc])
async def stop_enrolment(
    enrolment_id: UUID,
    body: StopBody,
    desk: DeskDep,
    caller: CallerDep,
    version: ExpectedVersion,
    response: Response,
) -> EnrolmentAnswer:
    require_writer(caller)
    enrolment, employer = await enrolling.stop(desk, enrolment_id, body.stopped_on, body.reason, version)
    set_version(response, enrolment.version)
    return EnrolmentAnswer.of(enrolment, employer)


@router.get("/{enrolment_id}", summary="查询参保关系")
async def read_enrolment(
    enrolment_id: UUID, desk: DeskDep, caller: CallerDep, response: Response
) -> EnrolmentAnswer:
    enrolment, employer = await enrolling.find(desk, enrolment_id)
    require_readable(caller, await people.require_person(desk, enrolment.person_id))
    set_version(response, enrolment.version)
    return EnrolmentAnswer.of(enrolment, employer)
