"""What both sides of a transfer do at every step: move money, keep the state, answer."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from libs.contracts.base import Fact
from libs.contracts.transfer import TransferFact
from libs.ledger.accounts import AccountKind
from libs.ledger.posting import post
from libs.refusals.faults import Refusal, not_found
from services.enrollment.domain.purposes import Purpose, transfer_source
from services.enrollment.domain.transfers import State
from services.enrollment.models import Transfer
from services.enrollment.service import money
from services.enrollment.service.desk import Desk


async def answer(desk: Desk, fact: Fact, to: TransferFact) -> None:
    """Publish our answer to a fact, in the order of the same person."""
    await desk.tell(fact, person_key=to.person_key, region_code=to.region_code, subject=to.conversation)


def step_of(transfer: Transfer, purpose: Purpose, on: dt.date, attempt: int = 1) -> money.Step:
    """The business event of this step, for the transfer's whole amount."""
    return money.Step(
        source_id=transfer_source(purpose, transfer.region_code, transfer.conversation, attempt),
        region_code=transfer.region_code,
        purpose=purpose,
        occurred_on=on,
        amount_fen=transfer.amount_fen,
    )


async def account_of(desk: Desk, transfer: Transfer, kind: AccountKind) -> UUID:
    """One of the region's own accounts of the fund that is transferred."""
    return await money.fund_account(desk.session, transfer.region_code, transfer.insurance_kind, kind)


async def post_between(
    desk: Desk, transfer: Transfer, step: money.Step, *, from_kind: AccountKind, to_kind: AccountKind
) -> None:
    """Post a step between two of the region's own accounts; nothing where no money is transferred."""
    if not transfer.amount_fen:
        return
    from_account = await account_of(desk, transfer, from_kind)
    to_account = await account_of(desk, transfer, to_kind)
    await post(desk.session, step.posting(from_account=from_account, to_account=to_account))


def move_on(desk: Desk, transfer: Transfer, reached: State, **details: Any) -> None:
    """Keep how far the transfer is, and in the history what brought it there."""
    if transfer.state == reached:
        return
    desk.note(
        "transfer",
        transfer.conversation,
        transfer.region_code,
        transfer.attempt,
        before={"state": transfer.state} if transfer.state else None,
        after={"state": reached.value, "amount_fen": transfer.amount_fen, **details},
    )
    transfer.state, transfer.changed_at = reached.value, desk.now
    desk.session.add(transfer)  # not before: a new one is complete only now


def unknown_transfer(fact: TransferFact) -> Refusal:
    """A step of something that was never prepared here."""
    return not_found("no_transfer", f"{fact.region_code}没有办件{fact.case_no}的转移接续准备记录。")
