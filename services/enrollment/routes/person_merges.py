"""Merging two records of one person."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from libs.webapp.callers import Role
from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, TransactionRoute
from libs.webapp.paging import Cursor, Page, PageSize, encode_cursor
from services.enrollment.models import PersonMerge
from services.enrollment.routes.edge import PREFIX, DeskDep, position_in, set_version
from services.enrollment.schemas.person_merges import (
    MergeState,
    PersonMergeBody,
    PersonMergeView,
    RejectMergeBody,
)
from services.enrollment.schemas.values import RegionCode
from services.enrollment.service import merging
from services.enrollment.service.merging import Preview

router = APIRouter(prefix=f"{PREFIX}/person-merges", tags=["档案合并"], route_class=TransactionRoute)


@router.post("", status_code=201, summary="申请合并两条档案", dependencies=[IdempotencyKeyDoc])
async def request_merge(
    body: PersonMergeBody, desk: DeskDep, caller: CallerDep, response: Response
) -> PersonMergeView:
    """同一人有两条档案的，凭佐证申请合并；不能合并的一次列出全部原因。"""
    caller.require_role(Role.CLERK)
    evidence = [entry.model_dump() for entry in body.evidence]
    wanted, preview = await merging.request(desk, body.keep_id, body.merge_id, evidence, body.reason)
    response.headers["Location"] = f"{PREFIX}/person-merges/{wanted.id}"
    return _view(wanted, preview, response)


@router.get("", summary="档案合并申请一览")
async def list_merges(
    region_code: RegionCode,
    desk: DeskDep,
    caller: CallerDep,
    state: MergeState | None = None,
    cursor: Cursor = None,
    page_size: PageSize = 50,
) -> Page[PersonMergeView]:
    caller.require_role(*Role)
    caller.require_region(region_code)
    found = await merging.list_of(desk, region_code, state, after=position_in(cursor), limit=page_size + 1)
    shown = found[:page_size]
    more = len(found) > page_size
    return Page(
        items=[PersonMergeView.of(wanted) for wanted in shown],
        next_cursor=encode_cursor(str(shown[-1].id)) if more else None,
    )


@router.get("/{merge_request_id}", summary="查询档案合并申请")
async def read_merge(
    merge_request_id: UUID, desk: DeskDep, caller: CallerDep, response: Response
) -> PersonMergeView:
    """待审核的，附合并后的结果预览和目前不能合并的原因。"""
    caller.require_role(*Role)
    wanted, preview = await merging.find(desk, merge_request_id)
    return _view(wanted, preview, response)


@router.post("/{merge_request_id}/approve", summary="审核通过并合并", dependencies=[IdempotencyKeyDoc])
async def approve_merge(
    merge_request_id: UUID, desk: DeskDep, caller: CallerDep, response: Response
) -> PersonMergeView:
    """由申请人以外的审核人员办理；参保关系、缴费月份、个人账户余额一次并入。"""
    caller.require_role(Role.REVIEWER)
    return _view(await merging.approve(desk, merge_request_id), None, response)


@router.post("/{merge_request_id}/reject", summary="不予合并", dependencies=[IdempotencyKeyDoc])
async def reject_merge(
    merge_request_id: UUID, body: RejectMergeBody, desk: DeskDep, caller: CallerDep, response: Response
) -> PersonMergeView:
    caller.require_role(Role.REVIEWER)
    return _view(await merging.reject(desk, merge_request_id, body.reason), None, response)


def _view(wanted: PersonMerge, preview: Preview | None, response: Response) -> PersonMergeView:
    set_version(response, wanted.version)
    if preview is None:
        return PersonMergeView.of(wanted)
    return PersonMergeView.of(
        wanted,
        double_months=preview.double_months,
        overlapping_spells=preview.overlapping_spells,
        differences=preview.differences,
        obstacles=preview.faults,
    )
