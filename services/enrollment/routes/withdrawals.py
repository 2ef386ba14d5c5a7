"""个人账户一次性支取 after its approval: how it stands, another account, or no payment after all."""

from __future__ import annotations

from fastapi import APIRouter

from libs.casebook.cases import Case
from libs.caseflow.window import CASEWORKERS, Window, WindowDep
from libs.webapp.callers import Caller, CallerKind, Role
from libs.webapp.edge import IdempotencyKeyDoc, TransactionRoute
from services.enrollment.models import Withdrawal
from services.enrollment.routes.edge import PREFIX
from services.enrollment.schemas.applications_withdrawals import PayeeBody
from services.enrollment.schemas.withdrawals import ConfirmPayeeBody, ReturnBody, WithdrawalAnswer
from services.enrollment.service import withdrawing
from services.enrollment.service.businesses.withdrawals import require_payee

router = APIRouter(prefix=f"{PREFIX}/withdrawals", tags=["个人账户一次性支取"], route_class=TransactionRoute)

# Who must compare the account with the papers sees it in full.
_CLEARED = frozenset({Role.REVIEWER, Role.FINANCE, Role.CHIEF})


@router.get("/{case_no}")
async def read_withdrawal(case_no: str, window: WindowDep) -> WithdrawalAnswer:
    """查询个人账户一次性支取的金额、收款账户和拨付情况。"""
    case = await window.read(case_no)
    withdrawal = await withdrawing.require_withdrawal(window.desk, case_no)
    return await _answer(window, withdrawal, in_full=_sees_in_full(window.caller, case))


@router.post("/{case_no}/payee", dependencies=[IdempotencyKeyDoc])
async def correct_payee(case_no: str, body: PayeeBody, window: WindowDep) -> WithdrawalAnswer:
    """银行退回后更正收款账户，由申请人或工作人员提出，须另一位工作人员复核。"""
    if window.caller.kind is not CallerKind.CITIZEN:
        window.caller.require_role(*CASEWORKERS)
    case = await _take(window, case_no)
    require_payee(window.desk, case, body.payee())
    withdrawal = await withdrawing.correct_payee(window.desk, case, body.payee())
    return await _answer(window, withdrawal, in_full=False)


@router.post("/{case_no}/payee/confirm", dependencies=[IdempotencyKeyDoc])
async def confirm_payee(case_no: str, body: ConfirmPayeeBody, window: WindowDep) -> WithdrawalAnswer:
    """复核更正后的收款账户，录入人员不能复核。"""
    window.caller.require_role(Role.REVIEWER, Role.SUPERVISOR)
    case = await _take(window, case_no)
    withdrawal = await withdrawing.confirm_payee(window.desk, case, body.payee_version)
    return await _answer(window, withdrawal, in_full=False)


@router.post("/{case_no}/return", dependencies=[IdempotencyKeyDoc])
async def return_withdrawal(case_no: str, body: ReturnBody, window: WindowDep) -> WithdrawalAnswer:
    """拨付退回：不再支付，款项解冻退回个人账户，办件审核不通过。"""
    window.caller.require_role(Role.FINANCE, Role.CHIEF)
    case = await _take(window, case_no)
    withdrawal = await withdrawing.give_up(window.desk, case, body.reason)
    return await _answer(window, withdrawal, in_full=False)


async def _take(window: Window, case_no: str) -> Case:
    """The case, locked, if it is this caller's business at all."""
    await window.read(case_no)
    await withdrawing.require_withdrawal(window.desk, case_no)
    return await window.desk.open(case_no, window.version)


async def _answer(window: Window, withdrawal: Withdrawal, *, in_full: bool) -> WithdrawalAnswer:
    payee = withdrawing.unseal(window.desk.flow.protector, withdrawal)
    lines = await withdrawing.lines_of(window.desk, withdrawal)
    return WithdrawalAnswer.of(withdrawal, payee, lines, in_full=in_full)


def _sees_in_full(caller: Caller, case: Case) -> bool:
    if caller.kind is CallerKind.CITIZEN:
        return caller.subject == case.subject_key
    return caller.kind is CallerKind.OFFICER and bool(caller.roles & _CLEARED)
