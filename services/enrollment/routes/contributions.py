"""Contributions."""

from __future__ import annotations

from fastapi import APIRouter

from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, TransactionRoute
from services.enrollment.routes.edge import PREFIX, DeskDep, require_writer
from services.enrollment.schemas.answers import RecordedAnswer
from services.enrollment.schemas.requests import ContributionsBody
from services.enrollment.service import contributing

router = APIRouter(prefix=f"{PREFIX}/contributions", tags=["缴费记录"], route_class=TransactionRoute)


@router.post("", status_code=201, summary="记录缴费并划入个人账户", dependencies=[IdempotencyKeyDoc])
async def record_contributions(body: ContributionsBody, desk: DeskDep, caller: CallerDep) -> RecordedAnswer:
    require_writer(caller)
    kind = body.insurance_kind
    done = await contributing.record(desk, body.person_id, kind, body.new_months())
    return RecordedAnswer.of(done.person, kind, done.fresh, done.repeated, done.balance_fen)
