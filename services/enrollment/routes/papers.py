"""Papers: download a certificate, see and download a rights record, verify a seal."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from libs.refusals.faults import Fault, invalid
from libs.webapp.callers import CallerKind, Role
from libs.webapp.edge import CallerDep, ResourcesDep, TransactionRoute
from libs.webapp.reads import ReadingDep, ReadRoute
from services.enrollment.domain.papers.rights import RightsRecord
from services.enrollment.models import Person
from services.enrollment.routes.edge import PREFIX, DeskDep, require_readable, sees_in_full
from services.enrollment.schemas.papers import RightsRecordAnswer, SealReportAnswer
from services.enrollment.service import papers, people
from services.enrollment.service.desk import Desk
from services.enrollment.service.press import Press, press_of

router = APIRouter(prefix=PREFIX, tags=["凭证"], route_class=TransactionRoute)
# A question asked by POST: the file is the body, nothing of it is kept.
verification = APIRouter(prefix=PREFIX, tags=["凭证"], route_class=ReadRoute)

PDF = "application/pdf"
LARGEST_BYTES = 1024 * 1024
"""Of a file to verify; our papers have some 60 KB."""

_FILE = {"schema": {"type": "string", "format": "binary"}}
_PDF_ANSWER: dict[int | str, dict[str, Any]] = {200: {"description": "PDF", "content": {PDF: _FILE}}}
_PDF_BODY = {"requestBody": {"required": True, "content": {PDF: _FILE}}}


async def _press(resources: ResourcesDep) -> Press:
    return press_of(resources.settings)


PressDep = Annotated[Press, Depends(_press)]
Year = Annotated[int, Query(ge=1000, le=9999, description="年度，例如2025")]


@router.get("/papers/{document_id}", response_class=Response, responses=_PDF_ANSWER)
async def download_paper(document_id: UUID, desk: DeskDep, caller: CallerDep) -> Response:
    """下载凭证（带电子签章的PDF），只对本人和工作人员开放。"""
    paper, pdf = await papers.paper_of(desk, document_id)
    if caller.kind is CallerKind.CITIZEN:
        if paper.person_key != caller.subject:
            raise papers.no_paper()
    else:
        # No system: a sealed paper shows in full what systems see masked.
        caller.require_role(*Role)
    # Nobody's name stands in the name of the file.
    return _file(pdf, f"{paper.kind.replace('_', '-')}-{document_id}.pdf")


@router.get("/persons/{person_id}/rights-record")
async def read_rights_record(
    person_id: UUID, year: Year, desk: DeskDep, caller: CallerDep, press: PressDep
) -> RightsRecordAnswer:
    """查询个人权益记录。"""
    person, record = await _record(desk, caller, press, person_id, year)
    return RightsRecordAnswer.of(person.id, record, in_full=sees_in_full(caller, person))


@router.get("/persons/{person_id}/rights-record.pdf", response_class=Response, responses=_PDF_ANSWER)
async def download_rights_record(
    person_id: UUID, year: Year, desk: DeskDep, caller: CallerDep, press: PressDep
) -> Response:
    """下载个人权益记录（带电子签章的PDF）。"""
    person, record = await _record(desk, caller, press, person_id, year)
    in_full = sees_in_full(caller, person)
    pdf = await papers.sealed_rights_record(desk, press, record, in_full=in_full)
    return _file(pdf, f"rights-record-{year}.pdf")


@verification.post("/papers/verify", openapi_extra=_PDF_BODY)
async def verify_paper(request: Request, reading: ReadingDep, press: PressDep) -> SealReportAnswer:
    """核验凭证的电子签章。"""
    pdf = bytearray()
    async for part in request.stream():
        pdf += part
        if len(pdf) > LARGEST_BYTES:
            message = f"文件超过{LARGEST_BYTES // 1024 // 1024}兆，不是本系统出具的凭证。"
            raise invalid("too_large", message, [Fault("too_large", message, "")])
    return SealReportAnswer.of(await press.verified(bytes(pdf), reading.resources.clock.now()))


async def _record(
    desk: Desk, caller: CallerDep, press: Press, person_id: UUID, year: int
) -> tuple[Person, RightsRecord]:
    person = await people.require_person(desk, person_id)
    require_readable(caller, person)
    return person, await papers.rights_record(desk, press, person, year)


def _file(pdf: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(pdf, media_type=PDF, headers=headers)
