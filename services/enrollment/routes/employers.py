"""Employers."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from libs.refusals.faults import Fault, invalid
from libs.webapp.callers import Caller, CallerKind, Role
from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, TransactionRoute
from libs.webapp.paging import Cursor, Page, PageSize, decode_cursor, encode_cursor
from services.enrollment.domain.employers import EmployerData, EmployerState, NewEmployer
from services.enrollment.models import Employer
from services.enrollment.repository.employers import Wanted
from services.enrollment.routes.edge import PREFIX, DeskDep, require_office, require_writer, set_version
from services.enrollment.schemas.answers_employers import (
    EmployedAnswer,
    EmployerAnswer,
    EmployerSummary,
    masked_particulars,
)
from services.enrollment.schemas.requests import NewEmployerBody
from services.enrollment.schemas.values import CreditCode, Line, RegionCode
from services.enrollment.service import employer_files, employers
from services.enrollment.service.desk import Desk

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
    return EmployerAnswer.of(employer, active_enrolments=0, particulars={})


@router.get("", summary="参保单位列表")
async def list_employers(
    desk: DeskDep,
    caller: CallerDep,
    region_code: Annotated[RegionCode, Query(description="行政区划代码")],
    name: Annotated[Line | None, Query(description="单位名称，可只填一部分")] = None,
    credit_code: Annotated[CreditCode | None, Query(description="统一社会信用代码")] = None,
    state: Annotated[EmployerState | None, Query(description="参保状态")] = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> Page[EmployerSummary]:
    """按名称或统一社会信用代码查找本统筹区的参保单位。"""
    require_office(caller)
    caller.require_region(region_code)
    after = None
    if cursor:
        last_name, last_id = decode_cursor(cursor, 2)
        after = (last_name, _key_in(last_id))
    wanted = Wanted(region_code, name, credit_code, state and state.value, after)
    found, more = await employer_files.employers_page(desk, wanted, limit)
    items = [EmployerSummary.of(employer) for employer in found]
    next_cursor = encode_cursor(found[-1].name, str(found[-1].id)) if more else None
    return Page(items=items, next_cursor=next_cursor)


@router.get("/{employer_id}", summary="查询参保单位")
async def read_employer(
    employer_id: UUID, desk: DeskDep, caller: CallerDep, response: Response
) -> EmployerAnswer:
    employer, active = await employers.employer_with_people(desk, employer_id)
    _require_reader(caller, employer)
    set_version(response, employer.version)
    particulars = employers.particulars_of(desk.protector, employer)
    told = particulars if _sees_in_full(caller, employer) else masked_particulars(particulars)
    return EmployerAnswer.of(employer, active_enrolments=active, particulars=told)


@router.get("/{employer_id}/people", summary="查询单位参保人员")
async def list_people(
    employer_id: UUID,
    desk: DeskDep,
    caller: CallerDep,
    state: Annotated[Literal["active", "all"], Query(description="active为在保，all含已停保")] = "active",
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> Page[EmployedAnswer]:
    """单位的参保人员，同一人的各险种相邻；按页查询，页数不限。"""
    employer = await _readable(desk, caller, employer_id)
    after = None
    if cursor:
        person_id, enrolment_id = decode_cursor(cursor, 2)
        after = (_key_in(person_id), _key_in(enrolment_id))
    found, more = await employer_files.people_page(desk, employer, after, limit, active=state == "active")
    in_full = _sees_in_full(caller, employer)
    items = [EmployedAnswer.of(one.enrolment, one.data, in_full=in_full) for one in found]
    next_cursor = encode_cursor(str(items[-1].person_id), str(items[-1].enrolment_id)) if more else None
    return Page(items=items, next_cursor=next_cursor)


async def _readable(desk: Desk, caller: Caller, employer_id: UUID) -> Employer:
    employer = await employers.require_employer(desk, employer_id)
    _require_reader(caller, employer)
    return employer


def _require_reader(caller: Caller, employer: Employer) -> None:
    """Officers and systems that read, in their regions; of citizens the employer's agent alone.

    To other citizens the employer does not exist. Raises Refusal.
    """
    if caller.kind is not CallerKind.CITIZEN:
        require_office(caller)
    elif employer.agent_key != caller.subject:
        raise employers.no_employer()


def _sees_in_full(caller: Caller, employer: Employer) -> bool:
    if caller.kind is CallerKind.CITIZEN:
        return employer.agent_key == caller.subject
    return caller.kind is CallerKind.OFFICER and Role.REVIEWER in caller.roles


def _key_in(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        message = "cursor无效：请原样使用上一页答复中的next_cursor，或去掉它从头查询。"
        raise invalid("cursor", message, [Fault("cursor", message, "/query/cursor")]) from None
