"""Reconciliation of a month, and arrears, for officers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from libs.refusals.faults import Fault, invalid
from libs.webapp.callers import Role
from libs.webapp.edge import CallerDep, TransactionRoute
from libs.webapp.paging import Cursor, Page, PageSize, decode_cursor, encode_cursor
from services.enrollment.domain.reconciling import Place
from services.enrollment.routes.edge import PREFIX, DeskDep
from services.enrollment.schemas.reconciliation import ArrearsAnswer, ReconciliationAnswer
from services.enrollment.schemas.values import MonthText, RegionCode
from services.enrollment.service import reconciling

router = APIRouter(prefix=PREFIX, tags=["缴费核对"], route_class=TransactionRoute)


@router.get("/reconciliations")
async def reconcile_contributions(
    desk: DeskDep, caller: CallerDep, region_code: RegionCode, month: Annotated[MonthText, Query()]
) -> ReconciliationAnswer:
    """核对一个月的缴费。

    入账月份的文件与账本相符；当月应缴人数与实缴、欠缴、基数不符人数。
    """
    caller.require_role(*Role)
    caller.require_region(region_code)
    return ReconciliationAnswer.of(await reconciling.reconcile(desk, region_code, month))


@router.get("/arrears")
async def read_arrears(
    desk: DeskDep,
    caller: CallerDep,
    region_code: RegionCode,
    employer_id: Annotated[UUID | None, Query(description="只看某一单位")] = None,
    person_id: Annotated[UUID | None, Query(description="只看某一人员")] = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> Page[ArrearsAnswer]:
    """查询欠费月份。"""
    caller.require_role(*Role)
    caller.require_region(region_code)
    found = await reconciling.arrears(
        desk,
        region_code,
        employer_id=employer_id,
        person_id=person_id,
        after=_place_in(cursor) if cursor else None,
        limit=limit + 1,
    )
    items = [ArrearsAnswer.of(owed) for owed in found[:limit]]
    if len(found) <= limit:
        return Page(items=items)
    last = found[limit - 1]
    place = encode_cursor(str(last.person_id), str(last.enrolment_id))
    return Page(items=items, next_cursor=place)


def _place_in(cursor: str) -> Place:
    person, enrolment = decode_cursor(cursor, 2)
    try:
        return Place(UUID(person), UUID(enrolment))
    except ValueError:
        message = "cursor无效：请原样使用上一页答复中的next_cursor，或去掉它从头查询。"
        raise invalid("cursor", message, [Fault("cursor", message, "/query/cursor")]) from None
