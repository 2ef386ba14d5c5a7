"""What can be done to a case: one typed route an action."""

from __future__ import annotations

from fastapi import APIRouter

from libs.casebook.cases import Case
from libs.casebook.schemas import (
    AcceptAction,
    CaseView,
    RefuseAction,
    RejectAction,
    RequestSupplementAction,
    WithdrawAction,
)
from libs.caseflow.window import CASEWORKERS
from libs.refusals.faults import Fault
from libs.webapp.callers import Role
from libs.webapp.edge import IdempotencyKeyDoc, TransactionRoute
from services.transfer.models import Move
from services.transfer.routes.window import WindowDep
from services.transfer.schemas import (
    CorrectAction,
    InquireAction,
    IssueContactLetterAction,
    IssueInformationSheetAction,
    PayAction,
    ReturnForCorrectionAction,
    SupplementAction,
    TakeUpAction,
)
from services.transfer.service import chasing, deciding, supplementing, transferring_in, transferring_out
from services.transfer.service.desk import Desk

router = APIRouter(prefix="/v1/applications/{case_no}/actions", tags=["办件"], route_class=TransactionRoute)


@router.post("/accept", dependencies=[IdempotencyKeyDoc])
async def accept(case_no: str, body: AcceptAction, window: WindowDep) -> CaseView:
    """受理。"""
    return await window.act(case_no, deciding.accept, *CASEWORKERS)


@router.post("/request-supplement", dependencies=[IdempotencyKeyDoc])
async def request_supplement(case_no: str, body: RequestSupplementAction, window: WindowDep) -> CaseView:
    """一次性告知补正；再次告知须主管人员并说明理由。"""

    async def verb(desk: Desk, case: Case, move: Move) -> Case:
        return await supplementing.request_supplement(
            desk,
            case,
            move,
            body.remarks,
            body.reason,
            supervisor=Role.SUPERVISOR in window.caller.roles,
        )

    return await window.act(case_no, verb, *CASEWORKERS)


@router.post("/supplement", dependencies=[IdempotencyKeyDoc])
async def supplement(case_no: str, body: SupplementAction, window: WindowDep) -> CaseView:
    """补正。"""

    async def verb(desk: Desk, case: Case, move: Move) -> Case:
        return await supplementing.supplement(desk, case, move, body)

    return await window.act(case_no, verb, *CASEWORKERS, or_applicant=True)


@router.post("/refuse", dependencies=[IdempotencyKeyDoc])
async def refuse(case_no: str, body: RefuseAction, window: WindowDep) -> CaseView:
    """不予受理，列出全部理由。"""

    async def verb(desk: Desk, case: Case, move: Move) -> Case:
        return await deciding.refuse(desk, case, move, body.reasons)

    return await window.act(case_no, verb, *CASEWORKERS)


@router.post("/reject", dependencies=[IdempotencyKeyDoc])
async def reject(case_no: str, body: RejectAction, window: WindowDep) -> CaseView:
    """审核不通过，列出全部理由。"""

    async def verb(desk: Desk, case: Case, move: Move) -> Case:
        return await deciding.reject(
            desk, case, move, [Fault("officer_reason", reason) for reason in body.reasons]
        )

    return await window.act(case_no, verb, Role.REVIEWER, Role.SUPERVISOR)


@router.post("/withdraw", dependencies=[IdempotencyKeyDoc])
async def withdraw(case_no: str, body: WithdrawAction, window: WindowDep) -> CaseView:
    """撤回（资金划转之前）。"""

    async def verb(desk: Desk, case: Case, move: Move) -> Case:
        return await deciding.withdraw(desk, case, move, body.reason)

    return await window.act(case_no, verb, *CASEWORKERS, or_applicant=True)


@router.post("/issue-contact-letter", dependencies=[IdempotencyKeyDoc])
async def issue_contact_letter(case_no: str, body: IssueContactLetterAction, window: WindowDep) -> CaseView:
    """转入地发出联系函。"""
    return await window.act(case_no, transferring_in.issue_contact_letter, Role.CLERK, Role.REVIEWER)


@router.post("/issue-information-sheet", dependencies=[IdempotencyKeyDoc])
async def issue_information_sheet(
    case_no: str, body: IssueInformationSheetAction, window: WindowDep
) -> CaseView:
    """转出地核对无误，签发信息表。"""
    return await window.act(case_no, transferring_out.issue_information_sheet, Role.REVIEWER)


@router.post("/pay", dependencies=[IdempotencyKeyDoc])
async def pay(case_no: str, body: PayAction, window: WindowDep) -> CaseView:
    """转出地财务确认资金已划转。"""

    async def verb(desk: Desk, case: Case, move: Move) -> Case:
        return await transferring_out.pay(desk, case, move, body.bank_reference, body.paid_on)

    return await window.act(case_no, verb, Role.FINANCE)


@router.post("/take-up", dependencies=[IdempotencyKeyDoc])
async def take_up(case_no: str, body: TakeUpAction, window: WindowDep) -> CaseView:
    """转入地核对信息表和资金，办理转入。"""
    return await window.act(case_no, transferring_in.take_up, Role.REVIEWER)


@router.post("/return-for-correction", dependencies=[IdempotencyKeyDoc])
async def return_for_correction(case_no: str, body: ReturnForCorrectionAction, window: WindowDep) -> CaseView:
    """转入地退回信息表，要求更正。"""

    async def verb(desk: Desk, case: Case, move: Move) -> Case:
        return await transferring_in.return_for_correction(desk, case, move, body.reason, body.faults)

    return await window.act(case_no, verb, Role.REVIEWER)


@router.post("/correct", dependencies=[IdempotencyKeyDoc])
async def correct(case_no: str, body: CorrectAction, window: WindowDep) -> CaseView:
    """转出地录入更正后的信息表，由另一位工作人员签发。"""

    async def verb(desk: Desk, case: Case, move: Move) -> Case:
        return await transferring_out.correct(desk, case, move, body.reason, body.periods)

    return await window.act(case_no, verb, Role.CLERK, Role.REVIEWER)


@router.post("/inquire", dependencies=[IdempotencyKeyDoc])
async def inquire(case_no: str, body: InquireAction, window: WindowDep) -> CaseView:
    """催办对方。"""

    async def verb(desk: Desk, case: Case, move: Move) -> Case:
        return await chasing.inquire(desk, case, move, body.remark)

    return await window.act(case_no, verb, *CASEWORKERS)
