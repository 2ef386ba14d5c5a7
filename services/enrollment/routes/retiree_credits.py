"""The monthly credit of retirees' personal accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from libs.webapp.callers import Role
from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, TransactionRoute
from services.enrollment.routes.edge import PREFIX, DeskDep, require_office
from services.enrollment.schemas.contributions import RetireeCreditsAnswer, RetireeCreditsBody
from services.enrollment.schemas.values import MonthText, RegionCode
from services.enrollment.service import retiree_credits

router = APIRouter(prefix=f"{PREFIX}/retiree-credits", tags=["缴费文件"], route_class=TransactionRoute)


@router.post("", status_code=202, dependencies=[IdempotencyKeyDoc])
async def start_retiree_credits(
    body: RetireeCreditsBody, desk: DeskDep, caller: CallerDep
) -> RetireeCreditsAnswer:
    """办理退休人员个人账户月划入。

    每人每月只划一次；再次办理时只补划新增的退休人员。
    """
    caller.require_role(Role.FINANCE)
    caller.require_region(body.region_code)
    view = await retiree_credits.ask(desk, body.region_code, body.month)
    return RetireeCreditsAnswer.of(view.run, view.people, view.total_fen)


@router.get("")
async def read_retiree_credits(
    desk: DeskDep, caller: CallerDep, region_code: RegionCode, month: Annotated[MonthText, Query()]
) -> RetireeCreditsAnswer:
    """查询退休人员个人账户月划入进度。"""
    require_office(caller)
    caller.require_region(region_code)
    view = await retiree_credits.view(desk, region_code, month)
    return RetireeCreditsAnswer.of(view.run, view.people, view.total_fen)
