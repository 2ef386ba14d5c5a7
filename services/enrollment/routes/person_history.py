"""What a person's data said before, and the list of a region's records."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from libs.webapp.callers import Caller, CallerKind, Role
from libs.webapp.edge import CallerDep, TransactionRoute
from libs.webapp.paging import Cursor, Page, PageSize, encode_cursor
from services.enrollment.routes.edge import PREFIX, DeskDep, position_in, require_readable
from services.enrollment.schemas.person_history import HistoryPage, PastChangeView, PersonLine
from services.enrollment.schemas.values import RegionCode
from services.enrollment.service import history, people

router = APIRouter(prefix=f"{PREFIX}/persons", tags=["参保人员"], route_class=TransactionRoute)


@router.get("", summary="人员档案一览")
async def list_persons(
    region_code: RegionCode, desk: DeskDep, caller: CallerDep, cursor: Cursor = None, page_size: PageSize = 50
) -> Page[PersonLine]:
    """稽核和主管人员按建档先后查看本统筹区的全部档案（含已并入的）。"""
    caller.require_role(Role.AUDITOR, Role.SUPERVISOR)
    caller.require_region(region_code)
    found = await history.people_of(desk, region_code, after=position_in(cursor), limit=page_size + 1)
    shown = found[:page_size]
    lines = [PersonLine.of(person, data) for person, data in shown]
    more = len(found) > page_size
    return Page(items=lines, next_cursor=encode_cursor(str(shown[-1][0].id)) if more else None)


@router.get("/{person_id}/history", summary="查询人员信息变更历史")
async def read_history(
    person_id: UUID, desk: DeskDep, caller: CallerDep, cursor: Cursor = None, page_size: PageSize = 50
) -> HistoryPage:
    """变更前后的内容只对本人、审核和稽核人员开放，其他经办人员只见变更的项目。"""
    person = await people.require_person(desk, person_id)
    require_readable(caller, person)
    opened = _may_open(caller)
    found = await history.changes_of(
        desk, person, opened=opened, after=position_in(cursor), limit=page_size + 1
    )
    shown = found[:page_size]
    more = len(found) > page_size
    return HistoryPage(
        opened=opened,
        items=[PastChangeView.of(past) for past in shown],
        next_cursor=encode_cursor(str(shown[-1].id)) if more else None,
    )


def _may_open(caller: Caller) -> bool:
    """The person (nobody else's record is readable for citizens), reviewers and auditors."""
    if caller.kind is CallerKind.CITIZEN:
        return True
    return caller.kind is CallerKind.OFFICER and bool(caller.roles & {Role.REVIEWER, Role.AUDITOR})
