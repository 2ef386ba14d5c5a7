"""The routes of cases: the same for every service that has the engine; only the bodies' payload differs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.casebook.schemas import (
    AcceptAction,
    ApproveAction,
    CaseView,
    ChiefApproveAction,
    DocumentView,
    FinanceCheckAction,
    RefuseAction,
    RejectAction,
    RequestSupplementAction,
    WithdrawAction,
    document_view,
)
from libs.caseflow import deciding, submitting, supplementing
from libs.caseflow.applications import Application, Supplement
from libs.caseflow.desk import CaseDesk
from libs.caseflow.window import CASEWORKERS, WindowDep
from libs.refusals.faults import forbidden
from libs.webapp.callers import CallerKind, Role
from libs.webapp.edge import IdempotencyKeyDoc, TransactionRoute

_ACTIONS = "/{case_no}/actions"


def case_routes(
    application_type: type[Application[Any]], supplement_type: type[Supplement[Any]]
) -> APIRouter:
    """Submit, read, documents, and one typed route an action."""
    router = APIRouter(prefix="/v1/applications", tags=["办件"], route_class=TransactionRoute)
    _add_submission(router, application_type, supplement_type)
    router.get("/{case_no}")(read_application)
    router.get("/{case_no}/documents")(list_documents)
    for path, endpoint in _ENDPOINTS.items():
        router.post(f"{_ACTIONS}/{path}", dependencies=[IdempotencyKeyDoc])(endpoint)
    return router


def _add_submission(
    router: APIRouter, application_type: type[Application[Any]], supplement_type: type[Supplement[Any]]
) -> None:
    async def submit_application(body: Any, window: WindowDep) -> CaseView:
        """申请：立案并一次性告知全部缺项；即时办结的当场办结。"""
        window.require_may_apply(body)
        case = await submitting.submit(window.desk, body)
        window.response.headers["Location"] = f"/v1/applications/{case.case_no}"
        return await window.answer(case)

    async def supplement(case_no: str, body: Any, window: WindowDep) -> CaseView:
        """补正。"""

        async def verb(desk: CaseDesk, case: Case) -> Case:
            return await submitting.supplement(desk, case, body)

        return await window.act(case_no, verb, *CASEWORKERS, or_applicant=True)

    # FastAPI reads the body's type from the annotation: the payload is the service's.
    submit_application.__annotations__["body"] = application_type
    supplement.__annotations__["body"] = supplement_type
    router.post("", status_code=201, dependencies=[IdempotencyKeyDoc])(submit_application)
    router.post(f"{_ACTIONS}/supplement", dependencies=[IdempotencyKeyDoc])(supplement)


async def read_application(case_no: str, window: WindowDep) -> CaseView:
    """办件现状。"""
    return await window.answer(await window.read(case_no))


async def list_documents(case_no: str, window: WindowDep) -> list[DocumentView]:
    """办件的文书；含证件号码等全文，只对本人和工作人员开放。"""
    case = await window.read(case_no)
    if window.caller.kind is CallerKind.SYSTEM:
        # What is issued certifies in full what systems see masked elsewhere.
        raise forbidden("documents", "文书含个人信息全文，只对本人和工作人员开放，不对业务系统开放。")
    found = await contents.documents_of(window.desk.session, case, window.desk.flow.protector)
    return [document_view(document) for document in found]


async def accept(case_no: str, body: AcceptAction, window: WindowDep) -> CaseView:
    """受理。"""
    return await window.act(case_no, deciding.accept, *CASEWORKERS)


async def request_supplement(case_no: str, body: RequestSupplementAction, window: WindowDep) -> CaseView:
    """一次性告知补正；再次告知须主管人员并说明理由。"""

    async def verb(desk: CaseDesk, case: Case) -> Case:
        return await supplementing.request_supplement(desk, case, body.remarks, body.reason)

    return await window.act(case_no, verb, *CASEWORKERS)


async def refuse(case_no: str, body: RefuseAction, window: WindowDep) -> CaseView:
    """不予受理，列出全部理由。"""

    async def verb(desk: CaseDesk, case: Case) -> Case:
        return await deciding.refuse(desk, case, body.reasons)

    return await window.act(case_no, verb, *CASEWORKERS)


async def approve(case_no: str, body: ApproveAction, window: WindowDep) -> CaseView:
    """审核通过；风险较高或须人工审核的，由另一位审核人员办理。"""
    return await window.act(case_no, deciding.approve, Role.CLERK, Role.REVIEWER)


async def finance_check(case_no: str, body: FinanceCheckAction, window: WindowDep) -> CaseView:
    """财务复核通过。"""
    return await window.act(case_no, deciding.finance_check, Role.FINANCE)


async def chief_approve(case_no: str, body: ChiefApproveAction, window: WindowDep) -> CaseView:
    """负责人审批通过。"""
    return await window.act(case_no, deciding.chief_approve, Role.CHIEF)


async def reject(case_no: str, body: RejectAction, window: WindowDep) -> CaseView:
    """审核不通过，列出全部理由。"""

    async def verb(desk: CaseDesk, case: Case) -> Case:
        return await deciding.reject(desk, case, body.reasons)

    return await window.act(case_no, verb, Role.REVIEWER, Role.SUPERVISOR, Role.FINANCE, Role.CHIEF)


async def withdraw(case_no: str, body: WithdrawAction, window: WindowDep) -> CaseView:
    """撤回。"""

    async def verb(desk: CaseDesk, case: Case) -> Case:
        return await deciding.withdraw(desk, case, body.reason)

    return await window.act(case_no, verb, *CASEWORKERS, or_applicant=True)


_ENDPOINTS: dict[str, Callable[..., Awaitable[CaseView]]] = {
    "accept": accept,
    "request-supplement": request_supplement,
    "refuse": refuse,
    "approve": approve,
    "finance-check": finance_check,
    "chief-approve": chief_approve,
    "reject": reject,
    "withdraw": withdraw,
}
