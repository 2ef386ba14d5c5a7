"""The region's own books: what stands where, for finance, chiefs and auditors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.ledger.accounts import AccountKind
from libs.ledger.books import totals
from libs.money.amounts import yuan_of
from libs.webapp.callers import Role
from libs.webapp.edge import CallerDep, SessionDep, TransactionRoute
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.routes.edge import PREFIX
from services.enrollment.schemas.values import RegionCode, SignedYuan

router = APIRouter(prefix=f"{PREFIX}/fund-accounts", tags=["基金账本"], route_class=TransactionRoute)

ACCOUNT_KIND_NAMES = {
    AccountKind.PERSONAL_ACCOUNT: "个人账户合计",
    AccountKind.POOLED: "统筹基金",
    AccountKind.IN_TRANSIT_OUT: "转出在途",
    AccountKind.IN_TRANSIT_IN: "转入待记账",
    AccountKind.BANK_MIRROR: "银行存款对应",
    AccountKind.REMITTANCE_CLEARING: "已划款待对方办结",
    AccountKind.WITHHELD_DEPOSIT: "暂扣保证金",
    AccountKind.UNATTRIBUTED: "已收待归集缴费",
}


class FundAccountAnswer(BaseModel):
    """One kind of account of a region's fund; all kinds of a fund together are 0.00."""

    kind: AccountKind
    kind_name: str
    accounts: int
    balance_yuan: SignedYuan


@router.get("", summary="查询基金账本")
async def read_fund_accounts(
    session: SessionDep,
    caller: CallerDep,
    region_code: RegionCode,
    fund: Annotated[InsuranceKind, Query(description="险种类型，国家医保编码")] = InsuranceKind.EMPLOYEE,
) -> list[FundAccountAnswer]:
    """各科目余额；同一险种各科目合计为零。"""
    caller.require_role(Role.FINANCE, Role.CHIEF, Role.AUDITOR)
    caller.require_region(region_code)
    return [
        FundAccountAnswer(
            kind=total.kind,
            kind_name=ACCOUNT_KIND_NAMES[total.kind],
            accounts=total.accounts,
            balance_yuan=yuan_of(total.balance_fen),
        )
        for total in await totals(session, region_code=region_code, fund=fund.value)
    ]
