"""Payout batches: collected by a cashier, sent as a file, answered by the bank."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from libs.caseflow.window import WindowDep
from libs.webapp.callers import Caller, CallerKind, Role
from libs.webapp.edge import IdempotencyKeyDoc, TransactionRoute
from services.enrollment.routes.edge import PREFIX
from services.enrollment.schemas.withdrawals import BatchAnswer, NewBatchBody, ResultsAnswer, ResultsBody
from services.enrollment.service import payouts

router = APIRouter(prefix=f"{PREFIX}/payout-batches", tags=["拨付批次"], route_class=TransactionRoute)

# A bank's connection hands its answers in by itself.
RESULTS_SCOPE = "enrollment.payout_results"


@router.post("", status_code=201, dependencies=[IdempotencyKeyDoc])
async def create_batch(body: NewBatchBody, window: WindowDep) -> BatchAnswer:
    """归集待拨付的支取，生成拨付批次。"""
    window.caller.require_role(Role.FINANCE)
    window.caller.require_region(body.region_code)
    made = await payouts.create_batch(window.desk, body.region_code)
    window.response.headers["Location"] = f"{PREFIX}/payout-batches/{made.batch.id}"
    return BatchAnswer.of(made.batch, made.lines)


@router.get("/{batch_id}")
async def read_batch(batch_id: UUID, window: WindowDep) -> BatchAnswer:
    """查询拨付批次。"""
    window.caller.require_role(Role.FINANCE, Role.CHIEF, Role.AUDITOR)
    found = await payouts.read_batch(window.desk, batch_id)
    return BatchAnswer.of(found.batch, found.lines)


@router.get("/{batch_id}/file", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def read_file(batch_id: UUID, window: WindowDep) -> Response:
    """下载送盘文件（含收款账户），格式见docs/payout-file-format.md。"""
    window.caller.require_role(Role.FINANCE)
    batch, file = await payouts.file_of(window.desk, batch_id)
    named = {"Content-Disposition": f'attachment; filename="{batch.number}.csv"', "Cache-Control": "no-store"}
    return Response(file.content, media_type="text/csv; charset=utf-8", headers=named)


@router.post("/{batch_id}/results", dependencies=[IdempotencyKeyDoc])
async def take_results(batch_id: UUID, body: ResultsBody, window: WindowDep) -> ResultsAnswer:
    """登记银行回盘：已支付的记账并办结，退回的待更正收款账户。"""
    _require_bank(window.caller)
    done = await payouts.settle(window.desk, batch_id, [result.told() for result in body.results])
    batch = BatchAnswer.of(done.batch.batch, done.batch.lines)
    return ResultsAnswer(paid=done.paid, failed=done.failed, repeated=done.repeated, batch=batch)


def _require_bank(caller: Caller) -> None:
    if caller.kind is CallerKind.SYSTEM:
        caller.require_scope(RESULTS_SCOPE)
    else:
        caller.require_role(Role.FINANCE)
