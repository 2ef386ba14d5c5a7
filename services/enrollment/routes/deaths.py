"""Deaths learned."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from libs.refusals.faults import Fault, invalid
from libs.webapp.callers import Caller, CallerKind, Role
from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, TransactionRoute
from services.enrollment.domain.deaths import LINE_OUTCOME_NAMES, Source
from services.enrollment.routes.edge import PREFIX, DeskDep
from services.enrollment.schemas.deaths import (
    DeathLineAnswer,
    DeathsBody,
    NoticeAnswer,
    RevokeBody,
    RevokedAnswer,
)
from services.enrollment.service import deaths
from services.enrollment.service.deaths import Learned, Told

router = APIRouter(prefix=f"{PREFIX}/death-notices", tags=["死亡信息"], route_class=TransactionRoute)

DATA_SHARING_SCOPE = "enrollment.data_sharing"


@router.post("", dependencies=[IdempotencyKeyDoc])
async def learn_deaths(body: DeathsBody, desk: DeskDep, caller: CallerDep) -> list[DeathLineAnswer]:
    """登记死亡信息：停止参保关系；每条单独答复，同一死亡信息只登记一次。"""
    origin = _origin(caller, body)
    told = [
        Told(
            one.credential.credential,
            one.deceased_on,
            origin,
            one.source,
            one.reference,
            one.evidence_digest,
        )
        for one in body.notices
    ]
    return [_answer(learned) for learned in await deaths.learn_all(desk, told)]


@router.get("/{notice_id}")
async def read_notice(notice_id: UUID, desk: DeskDep, caller: CallerDep) -> NoticeAnswer:
    """查询死亡信息。"""
    if caller.kind is CallerKind.SYSTEM:
        caller.require_scope(DATA_SHARING_SCOPE)
    else:
        caller.require_role(*Role)
    return NoticeAnswer.of(await deaths.require_notice(desk, notice_id))


@router.post("/{notice_id}/revoke", dependencies=[IdempotencyKeyDoc])
async def ask_revocation(notice_id: UUID, body: RevokeBody, desk: DeskDep, caller: CallerDep) -> NoticeAnswer:
    """申请撤销误报的死亡信息，须另一位工作人员复核。"""
    caller.require_role(Role.CLERK, Role.REVIEWER)
    return NoticeAnswer.of(await deaths.ask_revocation(desk, notice_id, body.reason))


@router.post("/{notice_id}/revoke/confirm", dependencies=[IdempotencyKeyDoc])
async def confirm_revocation(notice_id: UUID, desk: DeskDep, caller: CallerDep) -> RevokedAnswer:
    """复核撤销死亡信息：参保关系自死亡日期次日恢复，申请人员不能复核。"""
    caller.require_role(Role.REVIEWER)
    done = await deaths.confirm_revocation(desk, notice_id)
    return RevokedAnswer(
        notice=NoticeAnswer.of(done.notice),
        resumed_enrolments=[str(enrolment.id) for enrolment in done.resumed],
        not_resumed=list(done.not_resumed),
    )


def _origin(caller: Caller, body: DeathsBody) -> Source:
    """A system by its scope; a reviewer with the paper that says so. Raises Refusal."""
    if caller.kind is CallerKind.SYSTEM:
        caller.require_scope(DATA_SHARING_SCOPE)
        return Source.DATA_SHARING
    caller.require_role(Role.REVIEWER)
    faults = [
        Fault("evidence_missing", "工作人员登记死亡信息，须附证明材料。", f"/notices/{index}/evidence_digest")
        for index, one in enumerate(body.notices)
        if one.evidence_digest is None
    ]
    if faults:
        raise invalid("evidence_missing", f"有{len(faults)}条缺少证明材料，本次未作任何更改。", faults)
    return Source.OFFICER


def _answer(learned: Learned) -> DeathLineAnswer:
    return DeathLineAnswer(
        outcome=learned.outcome,
        outcome_name=LINE_OUTCOME_NAMES[learned.outcome],
        notices=[NoticeAnswer.of(notice) for notice in learned.notices],
    )
