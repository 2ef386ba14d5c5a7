"""The move behind a case, the messages it exchanged, and the bank's lines."""

from __future__ import annotations

from typing import Literal, cast

from fastapi import APIRouter

from libs.casebook.schemas import CaseView
from libs.contracts.enrollment import ContributionPeriod
from libs.exchange import journal
from libs.exchange.envelope import KIND_NAMES, Kind
from libs.money.amounts import yuan_of
from libs.webapp.callers import CallerKind, Role
from libs.webapp.edge import IdempotencyKeyDoc, TransactionRoute
from services.transfer import repository
from services.transfer.models import Move
from services.transfer.routes.window import WindowDep
from services.transfer.schemas import (
    BankReceiptBody,
    BankReceiptView,
    ContinuityView,
    ExchangeMessageView,
    MoneyView,
    TransferView,
)
from services.transfer.service import transferring_in

router = APIRouter(prefix="/v1/transfers", tags=["转移接续"], route_class=TransactionRoute)


@router.get("/{case_no}")
async def read_transfer(case_no: str, window: WindowDep) -> TransferView:
    """转移接续的一侧：方式、环节、信息表、资金。"""
    case = await window.read(case_no)
    move = await repository.move_of(window.desk.session, case)
    return _transfer_view(await window.answer(case), move)


@router.get("/{case_no}/messages")
async def list_messages(case_no: str, window: WindowDep) -> list[ExchangeMessageView]:
    """与对方经办机构的往来报文，按本侧流水次序。"""
    case = await window.read(case_no)
    move = await repository.move_of(window.desk.session, case)
    entries = await journal.read(window.desk.session, move.region_code, move.conversation)
    return [_message_view(entry) for entry in entries if entry.message_id is not None]


@router.post("/bank-receipts", status_code=201, dependencies=[IdempotencyKeyDoc])
async def record_bank_receipt(body: BankReceiptBody, window: WindowDep) -> BankReceiptView:
    """录入银行到账流水，自动与办件匹配。"""
    window.caller.require_region(body.region_code)
    if window.caller.kind is CallerKind.SYSTEM:
        window.caller.require_scope("bank.receipts")
    else:
        window.caller.require_role(Role.FINANCE)
    receipt, case_no, explanation = await transferring_in.record_receipt(window.desk, body)
    return BankReceiptView(
        bank_reference=receipt.bank_reference,
        amount=yuan_of(receipt.amount_fen),
        case_no=case_no,
        explanation=explanation,
    )


def _transfer_view(view: CaseView, move: Move) -> TransferView:
    return TransferView(
        case=view,
        conversation=move.conversation,
        side=cast(Literal["in", "out"], move.side),
        regime=cast(Literal["letter", "platform"], move.regime),
        insurance_kind=move.insurance_kind,
        stage_due_on=move.stage_due_on,
        sheet_number=move.sheet_number,
        periods=[ContributionPeriod.model_validate(period) for period in move.periods],
        money=MoneyView(
            on_sheet=None if move.amount_fen is None else yuan_of(move.amount_fen),
            paid_on=move.paid_on,
            bank_reference=move.paid_bank_reference or move.notified_bank_reference,
            received=None if move.received_fen is None else yuan_of(move.received_fen),
            received_on=move.received_on,
        ),
        continuity=ContinuityView.model_validate(move.continuity) if move.continuity else None,
        inquiries=move.inquiries,
    )


def _message_view(entry: journal.Entry) -> ExchangeMessageView:
    header = entry.content.get("header", {})
    kind = str(header.get("kind", ""))
    return ExchangeMessageView(
        position=entry.case_position,
        direction=_DIRECTIONS[entry.event],
        kind=kind,
        kind_name=KIND_NAMES[Kind(kind)] if kind else _EVENT_NAMES[entry.event],
        message_id=str(entry.message_id),
        at=entry.at,
        state=_EVENT_NAMES[entry.event],
        digest=str(header.get("body_digest", "")),
    )


_EVENT_NAMES = {
    journal.Event.SENT: "已发出",
    journal.Event.RECEIVED: "已收到并签收",
    journal.Event.DELIVERED: "次序补齐，已处理",
    journal.Event.REFUSED: "已拒收",
    journal.Event.RECEIPT: "对方已签收",
    journal.Event.REFUSAL: "对方拒收",
    journal.Event.UNDELIVERABLE: "无法送达",
    journal.Event.DECISION: "决定",
    journal.Event.MONEY: "资金",
}
_OUTWARD = {journal.Event.SENT, journal.Event.RECEIPT, journal.Event.REFUSAL, journal.Event.UNDELIVERABLE}
_DIRECTIONS = {event: "out" if event in _OUTWARD else "in" for event in journal.Event}
