"""People: register, look up, read file, account and contributions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from libs.refusals.faults import Fault, invalid
from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, TransactionRoute
from libs.webapp.paging import Cursor, PageSize, decode_cursor, encode_cursor
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
from services.enrollment.service import contributing, money, people
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import PersonFile

router = APIRouter(prefix=f"{PREFIX}/persons", tags=["参保人员"], route_class=TransactionRoute)

Fund = Annotated[InsuranceKind, Query(description="险种类型，国家医保编码，310为职工基本医疗保险")]


@router.post("", status_code=201, summary="人员建档", dependencies=[IdempotencyKeyDoc])
async def register_person(
    body: NewPersonBody, desk: DeskDep, caller: CallerDep, response: Response
) -> PersonAnswer:
    require_writer(caller)
    caller.require_region(body.region_code)
    file = await people.register_person(desk, body.new_person())
    response.headers["Location"] = f"{PREFIX}/persons/{file.person.id}"
    # Masked for everybody: the answer to a write is kept for its repeat, an identity number is not.
    return _answer(desk, file, response, in_full=False)


@router.get("/{person_id}", summary="查询人员参保信息")
async def read_person(person_id: UUID, desk: DeskDep, caller: CallerDep, response: Response) -> PersonAnswer:
    file = await people.file_of(desk, person_id)
    require_readable(caller, file.person)
    return _answer(desk, file, response, in_full=sees_in_full(caller, file.person))


@router.get("/{person_id}/account", summary="查询个人账户")
async def read_account(
    person_id: UUID,
    desk: DeskDep,
    caller: CallerDep,
    insurance_kind: Fund = InsuranceKind.EMPLOYEE,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> AccountAnswer:
    person = await people.require_person(desk, person_id)
    require_readable(caller, person)
    after = _version_in(cursor) if cursor else 0
    view = await money.view(desk.session, person, insurance_kind, after_version=after, limit=limit)
    more = view.lines and view.lines[-1].version < view.balance.version
    next_cursor = encode_cursor(str(view.lines[-1].version)) if more else None
    return AccountAnswer.of(person, insurance_kind, view.balance, view.lines, next_cursor)


@router.get("/{person_id}/contributions", summary="查询缴费记录")
async def read_contributions(person_id: UUID, desk: DeskDep, caller: CallerDep) -> ContributionsAnswer:
    person = await people.require_person(desk, person_id)
    require_readable(caller, person)
    known, periods = await contributing.record_of(desk, person)
    return ContributionsAnswer.of(person, known, periods)


async def search_person(
    body: PersonSearchBody, desk: DeskDep, caller: CallerDep, response: Response
) -> PersonAnswer:
    """Look a person up by credential: a POST, so that the number stands in no URL."""
    file = await people.file_by_credential(desk, body.region_code, body.credential.credential())
    require_readable(caller, file.person)
    return _answer(desk, file, response, in_full=sees_in_full(caller, file.person))


def _answer(desk: Desk, file: PersonFile, response: Response, *, in_full: bool) -> PersonAnswer:
    set_version(response, file.person.version)
    data = people.personal_data(desk.protector, file.person)
    return PersonAnswer.of(file.person, file.enrolments, data, in_full=in_full)


def _version_in(cursor: str) -> int:
    (version,) = decode_cursor(cursor, 1)
    if not version.isascii() or not version.isdigit() or len(version) > 18:
        message = "cursor无效：请原样使用上一页答复中的next_cursor，或去掉它从头查询。"
        raise invalid("cursor", message, [Fault("cursor", message, "/query/cursor")])
    return int(version)
