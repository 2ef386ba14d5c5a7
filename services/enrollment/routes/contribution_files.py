"""The tax authority's monthly files."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from libs.refusals.faults import Fault, invalid
from libs.webapp.callers import Caller, CallerKind, Role
from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, TransactionRoute
from libs.webapp.paging import Cursor, Page, PageSize, decode_cursor, encode_cursor
from services.enrollment.domain.payments import Outcome
from services.enrollment.domain.tax_files.head import MOST_ROWS
from services.enrollment.models import Payment
from services.enrollment.routes.edge import PREFIX, DeskDep, require_office
from services.enrollment.schemas.contributions import FileAnswer, RowAnswer
from services.enrollment.service.contribution_files import reapplying, receiving, rows
from services.enrollment.service.desk import Desk

FILES = f"{PREFIX}/contribution-files"
SCOPE = "enrollment.tax_files"
router = APIRouter(prefix=FILES, tags=["缴费文件"], route_class=TransactionRoute)

_CSV_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "YBJF1格式的CSV文件，见docs/tax-file-format.md。",
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=202, dependencies=[IdempotencyKeyDoc], openapi_extra=_CSV_BODY)
async def receive_contribution_file(
    request: Request, desk: DeskDep, caller: CallerDep, response: Response
) -> FileAnswer:
    """接收税务缴费文件。

    整份检查后收下，逐行处理在后台进行；同一文件再传结果相同，同一编号内容不同则拒收。
    """
    _require_sender(caller)
    told = await receiving.checked(desk, await request.body())
    caller.require_region(told.head.region_code)
    view = await receiving.receive(desk, told)
    response.headers["Location"] = f"{FILES}/{view.file.id}"
    return FileAnswer.of(view.file, view.progress)


@router.get("/{file_id}")
async def read_contribution_file(file_id: UUID, desk: DeskDep, caller: CallerDep) -> FileAnswer:
    """查询缴费文件处理进度。"""
    _require_reader(caller)
    view = await receiving.find(desk, file_id)
    return FileAnswer.of(view.file, view.progress)


@router.get("/{file_id}/rows")
async def read_contribution_rows(
    file_id: UUID,
    desk: DeskDep,
    caller: CallerDep,
    outcome: Annotated[Outcome | None, Query(description="只看某一结果的行")] = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> Page[RowAnswer]:
    """查询缴费文件各行结果。"""
    _require_reader(caller)
    after = _row_no_in(cursor) if cursor else 0
    found = await rows.page(desk, file_id, outcome, after, limit + 1)
    more = encode_cursor(str(found[limit - 1].row_no)) if len(found) > limit else None
    return Page(items=[_answer(desk, row) for row in found[:limit]], next_cursor=more)


@router.post("/{file_id}/rows/{row_no}/reapply", dependencies=[IdempotencyKeyDoc])
async def reapply_contribution_row(
    file_id: UUID, row_no: Annotated[int, Path(ge=1, le=MOST_ROWS)], desk: DeskDep, caller: CallerDep
) -> RowAnswer:
    """重新归集一行待核对的缴费。

    原因消除后办理；仍不能归集的，答复最新原因。
    """
    caller.require_role(Role.CLERK, Role.REVIEWER, Role.FINANCE)
    return _answer(desk, await reapplying.reapply(desk, file_id, row_no))


def _answer(desk: Desk, row: Payment) -> RowAnswer:
    return RowAnswer.of(row, rows.number_of(desk.protector, row))


def _require_sender(caller: Caller) -> None:
    if caller.kind is CallerKind.SYSTEM:
        caller.require_scope(SCOPE)
    else:
        caller.require_role(Role.FINANCE)


def _require_reader(caller: Caller) -> None:
    """Officers, and the system that sends the files."""
    if caller.kind is CallerKind.SYSTEM:
        caller.require_scope(SCOPE)
    else:
        require_office(caller)


def _row_no_in(cursor: str) -> int:
    (row_no,) = decode_cursor(cursor, 1)
    if not row_no.isascii() or not row_no.isdigit() or len(row_no) > 9:
        message = "cursor无效：请原样使用上一页答复中的next_cursor，或去掉它从头查询。"
        raise invalid("cursor", message, [Fault("cursor", message, "/query/cursor")])
    return int(row_no)
