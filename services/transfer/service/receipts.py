"""Money that arrives at the bank finds its case, whether its notice was here first or comes later.

Locks are taken in one order, case before bank line, so that a line being entered and a 划转通知 being
received never wait for one another. What such a pair can miss (each not seeing the other yet) the
worker's timer matches (``cases_waiting``).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from libs.casebook.cases import Case
from libs.casework.lifecycle import Action
from libs.contracts.transfer import FundsReceived
from libs.money.amounts import fen_of, yuan_of
from libs.refusals.faults import Fault, invalid
from services.transfer import repository
from services.transfer.domain.stages import Stage, stage_with_sheet
from services.transfer.models import BankReceipt, Move
from services.transfer.schemas import BankReceiptBody
from services.transfer.service import telling
from services.transfer.service.desk import Desk

_MATCHED = "已与办件匹配。"


async def record(desk: Desk, body: BankReceiptBody) -> tuple[BankReceipt, str | None, str]:
    """A line of the bank's statement: stored once, matched if a case waits for exactly this money.

    Returns the line, the number of the case it belongs to (None while it waits), and why.
    Raises Refusal: dated ahead, or entered before with another content.
    """
    if body.received_on > desk.today:
        message = f"到账日期不能晚于今天（{desk.today}）。"
        raise invalid("received_on", message, [Fault("received_on", message, "/received_on")])
    receipt = await repository.put_receipt(
        desk.session,
        BankReceipt(
            region_code=body.region_code,
            bank_reference=body.bank_reference,
            amount_fen=fen_of(body.amount),
            payer_name=body.payer_name,
            remark=body.remark,
            received_on=body.received_on,
            entered_by=desk.actor.subject,
            at=desk.now,
        ),
    )
    if receipt.matched_case_id is not None:
        case, _ = await desk.open_by_id(receipt.matched_case_id)
        return receipt, case.case_no, _MATCHED
    named = await repository.moves_named_by(desk.session, receipt)
    fitting = [move for move in named if move.amount_fen == receipt.amount_fen]
    if len(fitting) == 1:
        case, move = await desk.open_by_id(fitting[0].case_id)
        if await match(desk, case, move):
            return receipt, case.case_no, _MATCHED
    return receipt, None, explanation(receipt, named)


async def match(desk: Desk, case: Case, move: Move) -> bool:
    """Money that is here already finds this case, which the caller has taken for work."""
    if not move.amount_fen or move.received_fen is not None or not move.is_open:
        return False
    receipt = await repository.receipt_for(desk.session, move)
    if receipt is None:
        return False
    await _take_money(desk, case, move, receipt)
    return True


async def cases_waiting(desk: Desk) -> Sequence[UUID]:
    """Cases that wait for money that is here."""
    return await repository.case_ids_with_waiting_money(desk.session)


async def match_case(desk: Desk, case_id: UUID) -> bool:
    """Match the case's money if it is (still) here and waiting."""
    case, move = await desk.open_by_id(case_id)
    return await match(desk, case, move)


def explanation(receipt: BankReceipt, named: Sequence[Move]) -> str:
    """Why a bank line belongs to no case yet. ``named``: the open moves it speaks of."""
    known = [move for move in named if move.amount_fen is not None]
    if not named:
        return "暂无对应的划转通知，收到后自动匹配。"
    if not known:
        return "信息表未到，收到后自动匹配。"
    if len([move for move in known if move.amount_fen == receipt.amount_fen]) > 1:
        return "有多件办件与此流水号和金额相符，请与转出地核对附言中的信息表编号。"
    arrived, stated = yuan_of(receipt.amount_fen), yuan_of(known[0].amount_fen or 0)
    return f"到账{arrived}元，与信息表载明的{stated}元不符，请与转出地核对。"


async def _take_money(desk: Desk, case: Case, move: Move, receipt: BankReceipt) -> None:
    move.received_fen, move.received_on = receipt.amount_fen, receipt.received_on
    await repository.mark_matched(desk.session, receipt, case)
    case = await desk.step(
        case,
        move,
        Action.ADVANCE,
        stage_with_money(case, move),
        name="资金到账匹配",
        details={"amount_fen": receipt.amount_fen, "bank_reference": receipt.bank_reference},
    )
    await desk.publish(
        move,
        FundsReceived(
            **telling.fact_of(case, move),
            amount_fen=receipt.amount_fen,
            bank_reference=receipt.bank_reference,
            received_on=receipt.received_on,
        ),
    )


def stage_with_money(case: Case, move: Move) -> Stage:
    """Where the case stands once money or its notice came: only a case waiting for funds moves on."""
    if case.stage != Stage.AWAITING_FUNDS:
        return Stage(case.stage)
    notified = move.notified_bank_reference is not None
    return stage_with_sheet(move.amount_fen or 0, move.received_fen, notified=notified)
