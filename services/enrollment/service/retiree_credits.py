"""The monthly credit of retirees: out of the pooled fund onto the personal account, by the dated rule.

Once per person and month: the table's key and the ledger's source id both say so.
"""

from __future__ import annotations

from dataclasses import dataclass

from libs.ledger.accounts import AccountKind, open_account
from libs.ledger.bulk import open_accounts
from libs.ledger.posting import Entry, Posting, post_many
from libs.refusals.faults import Fault, invalid
from services.enrollment.domain.crediting.packs import packs
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.months import month_of
from services.enrollment.domain.purposes import Purpose, retiree_source
from services.enrollment.models import RetireeRun
from services.enrollment.repository import retiree_credits as credits
from services.enrollment.repository.retiree_credits import DueCredit, Retiree
from services.enrollment.service.desk import Desk

CHUNK_RETIREES = 500
FUND = InsuranceKind.EMPLOYEE.value


@dataclass(frozen=True)
class RunView:
    """A run, and how many retirees it has credited with how much (fen)."""

    run: RetireeRun
    people: int
    total_fen: int


async def ask(desk: Desk, region_code: str, month: str) -> RunView:
    """Start a region's run of a month; asked again, it goes on with those who have come in since.

    Raises Refusal (invalid): a month to come, or no rule for region and month.
    """
    if month > month_of(desk.today):
        message = f"{month}尚未到来，只能划入{month_of(desk.today)}及以前月份。"
        raise invalid("month_in_future", message, [Fault("month_in_future", message, "/month")])
    packs().crediting(region_code, month)
    await credits.start(desk.session, region_code, month, by=desk.actor, at=desk.now)
    return await view(desk, region_code, month)


async def view(desk: Desk, region_code: str, month: str) -> RunView:
    """The run as it stands. Raises Refusal (not found)."""
    run = await credits.find(desk.session, region_code, month)
    people, total_fen = await credits.sums(desk.session, region_code, month)
    return RunView(run, people, total_fen)


async def credit_chunk(desk: Desk, limit: int = CHUNK_RETIREES) -> bool:
    """Credit the next retirees of a run, if one is free to work on; whether there was one."""
    run = await credits.next_run(desk.session)
    if run is None:
        return False
    people = await credits.lock_retirees(desk.session, run.region_code, run.month, limit)
    if not people:
        await credits.finish(desk.session, run, desk.now)
        return True
    await _credit(desk, run, people)
    return True


async def _credit(desk: Desk, run: RetireeRun, people: list[Retiree]) -> None:
    rule = packs().crediting(run.region_code, run.month)
    due = [DueCredit(retiree, rule.of_retiree(retiree.pension_fen)) for retiree in people]
    pooled = await open_account(desk.session, region_code=run.region_code, fund=FUND, kind=AccountKind.POOLED)
    accounts = await open_accounts(
        desk.session,
        region_code=run.region_code,
        fund=FUND,
        kind=AccountKind.PERSONAL_ACCOUNT,
        owners=[str(retiree.person_id) for retiree in people],
    )
    postings = [
        Posting(
            source_id=retiree_source(each.retiree.person_id, run.month),
            region_code=run.region_code,
            purpose=Purpose.RETIREE_CREDIT.value,
            occurred_on=desk.today,
            entries=[
                Entry(pooled, -each.credit.amount_fen),
                Entry(accounts[str(each.retiree.person_id)], each.credit.amount_fen),
            ],
        )
        for each in due
        if each.credit.amount_fen
    ]
    await post_many(desk.session, postings)
    await credits.add(desk.session, run, due, desk.now)
