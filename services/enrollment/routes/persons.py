"""People: register, look up, read file, account and contributions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from libs.refusals.faults import Fault, invalid
from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, TransactionRoute
from libs.webapp.paging import Cursor, PageSize, decode_cursor, encode_cursor
from libs.webapp.reads import Reading, ReadingDep, ReadRoute, answered
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.routes.edge import (
    PREFIX,
    DeskDep,
    require_readable,
    require_writer,
    sees_in_full,
    set_version,
)
from services.enrollment.schemas.answers import AccountAnswer, ContributionsAnswer, PersonAnswer
from services.enrollment.schemas.requests import NewPersonBody, PersonSearchBody
from services.enrollment.service import people
from services.enrollment.service.reading import (
    PersonFile,
    Reader,
    account_of,
    contributions_of,
    file_by_credential,
    file_of,
    require_person,
)

router = APIRouter(prefix=f"{PREFIX}/persons", tags=["参保人员"], route_class=TransactionRoute)
reads = APIRouter(prefix=router.prefix, tags=["参保人员"], route_class=ReadRoute)

Fund = Annotated[InsuranceKind, Query(description="险种类型，国家医保编码，310为职工基本医疗保险")]


@router.post("", status_code=201, summary="人员建档", dependencies=[IdempotencyKeyDoc])
async def register_person(
    body: NewPersonBody, desk: DeskDep, caller: CallerDep, response: Response
) -> PersonAnswer:
    require_writer(caller)
    caller.require_region(body.region_code)
    person = await people.register_person(desk, body.new_person())
    response.headers["Location"] = f"{PREFIX}/persons/{person.id}"
    set_version(response, person.version)
    # Masked for everybody: the answer to a write is kept for its repeat, an identity number is not.
    return PersonAnswer.of(person, [], people.personal_data(desk.protector, person), in_full=False)


@reads.get("/{person_id}", summary="查询人员参保信息", response_model=PersonAnswer)
async def read_person(person_id: UUID, reading: ReadingDep) -> Response:
    return _file_answer(reading, await file_of(_reader(reading), person_id))


@reads.get("/{person_id}/account", summary="查询个人账户", response_model=AccountAnswer)
async def read_account(
    person_id: UUID,
    reading: ReadingDep,
    insurance_kind: Fund = InsuranceKind.EMPLOYEE,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> Response:
    reader = _reader(reading)
    person = await require_person(reader, person_id)
    require_readable(reading.caller, person)
    after = _version_in(cursor) if cursor else 0
    page = await account_of(reader, person, insurance_kind, after_version=after, limit=limit)
    more = page.lines and page.lines[-1].version < page.balance.version
    next_cursor = encode_cursor(str(page.lines[-1].version)) if more else None
    return answered(AccountAnswer.of(person, insurance_kind, page.balance, page.lines, next_cursor))


@reads.get("/{person_id}/contributions", summary="查询缴费记录", response_model=ContributionsAnswer)
async def read_contributions(person_id: UUID, reading: ReadingDep) -> Response:
    reader = _reader(reading)
    person = await require_person(reader, person_id)
    require_readable(reading.caller, person)
    known, periods = await contributions_of(reader, person)
    return answered(ContributionsAnswer.of(person, known, periods))


@reads.post("/search", summary="按证件号码查询人员", response_model=PersonAnswer)
async def search_person(body: PersonSearchBody, reading: ReadingDep) -> Response:
    """Look a person up by credential: a POST, so that the number stands in no URL."""
    found = await file_by_credential(_reader(reading), body.region_code, body.credential.credential())
    return _file_answer(reading, found)


def _reader(reading: Reading) -> Reader:
    return Reader(reading.connection, reading.resources.protector, reading.caller.regions)


def _file_answer(reading: Reading, file: PersonFile) -> Response:
    person, enrolments = file
    require_readable(reading.caller, person)
    data = people.personal_data(reading.resources.protector, person)
    in_full = sees_in_full(reading.caller, person)
    return answered(PersonAnswer.of(person, enrolments, data, in_full=in_full), version=person.version)


def _version_in(cursor: str) -> int:
    (version,) = decode_cursor(cursor, 1)
    if not version.isascii() or not version.isdigit() or len(version) > 18:
        message = "cursor无效：请原样使用上一页答复中的next_cursor，或去掉它从头查询。"
        raise invalid("cursor", message, [Fault("cursor", message, "/query/cursor")])
    return int(version)
