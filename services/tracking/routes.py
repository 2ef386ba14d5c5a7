"""Routes of the tracking service; all through the gateway under the same paths."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from libs.casework import case_numbers
from libs.refusals.faults import forbidden
from libs.webapp.callers import CallerKind
from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, ResourcesDep, SessionDep, TransactionRoute
from libs.webapp.paging import Cursor, Page, PageSize
from services.tracking.schemas import MyCase, QueueFilter, Rating, RatingView, Timeline, TrackedCase
from services.tracking.service import enquiries, ratings

router = APIRouter(route_class=TransactionRoute, tags=["办件进度"])

CaseNo = Annotated[str, Path(description="办件编号，如370400-33-20260310-000001-6", max_length=40)]


@router.get("/v1/applications", summary="办件列表（工作队列）")
async def list_applications(
    asked: Annotated[QueueFilter, Query()],
    session: SessionDep,
    caller: CallerDep,
    resources: ResourcesDep,
) -> Page[TrackedCase]:
    """经办人员看本辖区的办件，申请人只看到自己的；按办理期限排序，已办结的在后。"""
    return await enquiries.work_queue(session, caller, asked, resources.clock.now().date())


@router.get("/v1/applications/{case_no}/timeline", summary="办件进度")
async def application_timeline(
    case_no: CaseNo, session: SessionDep, caller: CallerDep, resources: ResourcesDep
) -> Timeline:
    """每一步由谁、何时、为何办理，告知了什么，发过哪些消息。"""
    number = str(case_numbers.parse(case_no))
    return await enquiries.timeline(session, caller, number, resources.clock.now().date())


@router.get("/v1/tracking/my-cases", summary="我的办件")
async def my_cases(
    session: SessionDep,
    caller: CallerDep,
    resources: ResourcesDep,
    cursor: Cursor = None,
    page_size: PageSize = 50,
) -> Page[MyCase]:
    """申请人本人的全部办件：办到哪一步、期限、缺什么、到哪里问。"""
    if caller.kind is not CallerKind.CITIZEN:
        raise forbidden("applicant_only", "“我的办件”只供申请人本人查询；经办人员请用GET /v1/applications。")
    return await enquiries.my_cases(session, caller, cursor, page_size, resources.clock.now().date())


@router.post(
    "/v1/tracking/cases/{case_no}/rating",
    status_code=201,
    summary="好差评",
    dependencies=[IdempotencyKeyDoc],
)
async def rate_case(
    case_no: CaseNo, rating: Rating, session: SessionDep, caller: CallerDep, resources: ResourcesDep
) -> RatingView:
    """申请人在办结后评价一次。"""
    number = str(case_numbers.parse(case_no))
    return await ratings.rate(session, caller, number, rating, resources.clock.now())
