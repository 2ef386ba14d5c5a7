"""Applications: submit, read, documents."""

from __future__ import annotations

from fastapi import APIRouter

from libs.casebook import contents
from libs.casebook.schemas import CaseView, DocumentView, document_view
from libs.caseflow.window import CASEWORKERS
from libs.refusals.faults import forbidden
from libs.webapp.callers import CallerKind
from libs.webapp.edge import IdempotencyKeyDoc, TransactionRoute
from services.transfer.routes.window import Window, WindowDep
from services.transfer.schemas import ApplicationBody
from services.transfer.service import applying

router = APIRouter(prefix="/v1/applications", tags=["办件"], route_class=TransactionRoute)


@router.post("", status_code=201, dependencies=[IdempotencyKeyDoc])
async def submit_application(body: ApplicationBody, window: WindowDep) -> CaseView:
    """申请：立案并一次性告知全部缺项。"""
    _require_may_apply(window, body)
    case = await applying.submit(window.desk, body)
    window.response.headers["Location"] = f"/v1/applications/{case.case_no}"
    return await window.answer(case)


@router.get("/{case_no}")
async def read_application(case_no: str, window: WindowDep) -> CaseView:
    """办件现状。"""
    return await window.answer(await window.read(case_no))


@router.get("/{case_no}/documents")
async def list_documents(case_no: str, window: WindowDep) -> list[DocumentView]:
    """办件的文书：联系函、信息表等；含证件号码等全文，只对本人和工作人员开放。"""
    case = await window.read(case_no)
    if window.caller.kind is CallerKind.SYSTEM:
        # As in every service (libs/caseflow/routes.py): systems see masked what documents certify in full.
        raise forbidden("documents", "文书含个人信息全文，只对本人和工作人员开放，不对业务系统开放。")
    found = await contents.documents_of(window.desk.session, case, window.desk.office.protector)
    return [document_view(document) for document in found]


def _require_may_apply(window: Window, body: ApplicationBody) -> None:
    """A citizen for themselves; an officer of the region for whoever stands at the window."""
    caller = window.caller
    if caller.kind is CallerKind.CITIZEN:
        own = window.desk.office.protector.blind_index(body.applicant.credential.canonical)
        if caller.subject != own:
            raise forbidden("not_own", "只能为本人申请；为他人代办请到窗口办理。")
        return
    caller.require_region(body.region_code)
    caller.require_role(*CASEWORKERS)
