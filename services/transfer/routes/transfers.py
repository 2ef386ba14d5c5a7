"""The move behind a case, the messages it exchanged, and the bank's lines."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query, Request

from libs.casebook.schemas import CaseView, RegionCode
from libs.contracts.enrollment import ContributionPeriod
from libs.exchange import journal
from libs.exchange.envelope import KIND_NAMES
from libs.exchange.exports import Export, export_case
from libs.exchange.seals import KeyDirectory
from libs.money.amounts import yuan_of
from libs.refusals.faults import not_found
from libs.webapp.callers import CallerKind, Role
from libs.webapp.edge import IdempotencyKeyDoc, TransactionRoute
from services.transfer import repository
from services.transfer.models import BankReceipt, Move
from services.transfer.routes.window import WindowDep
from services.transfer.schemas import (
    BankReceiptBody,
    BankReceiptView,
    ContinuityView,
    ExchangeMessageView,
    MoneyView,
    TransferView,
)
from services.transfer.service import receipts

router = APIRouter(prefix="/v1/transfers", tags=["转移接续"], route_class=TransactionRoute)


@router.get("/bank-receipts")
async def list_unmatched_bank_receipts(
    window: WindowDep, region_code: Annotated[RegionCode, Query()]
) -> list[BankReceiptView]:
    """已到账而尚无对应办件的资金，及其原因。"""
    window.caller.require_region(region_code)
    window.caller.require_role(Role.FINANCE, Role.CHIEF, Role.SUPERVISOR, Role.AUDITOR)
    session = window.desk.session
    return [
        _receipt_view(receipt, None, receipts.explanation(receipt, named))
        for receipt in await repository.unmatched_receipts(session, region_code)
        for named in [await repository.moves_named_by(session, receipt)]
    ]


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


@router.get("/{case_no}/exchange-record")
async def export_exchange_record(case_no: str, window: WindowDep, request: Request) -> Export:
    """导出本侧往来全卷（含个人信息），可用 yibao exchange verify 离线核验。"""
    window.caller.require_role(Role.SUPERVISOR, Role.AUDITOR)
    case = await window.read(case_no)
    move = await repository.move_of(window.desk.session, case)
    try:
        record = await export_case(
            window.desk.session,
            move.region_code,
            move.conversation,
            directory=cast(KeyDirectory, request.app.state.key_directory),
            keeper=window.desk.office.keeper,
        )
    except KeyError as error:
        raise not_found("no_exchange", "本件尚无往来报文。") from error
    return Export.model_validate(record)


@router.post("/bank-receipts", status_code=201, dependencies=[IdempotencyKeyDoc])
async def record_bank_receipt(body: BankReceiptBody, window: WindowDep) -> BankReceiptView:
    """录入银行到账流水，自动与办件匹配。"""
    window.caller.require_region(body.region_code)
    if window.caller.kind is CallerKind.SYSTEM:
        window.caller.require_scope("bank.receipts")
    else:
        window.caller.require_role(Role.FINANCE)
    receipt, case_no, explanation = await receipts.record(window.desk, body)
    return _receipt_view(receipt, case_no, explanation)


def _receipt_view(receipt: BankReceipt, case_no: str | None, explanation: str) -> BankReceiptView:
    return BankReceiptView(
        bank_reference=receipt.bank_reference,
        amount=yuan_of(receipt.amount_fen),
        received_on=receipt.received_on,
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
        # A refused message may claim a kind nobody knows.
        kind_name=_KIND_NAMES.get(kind, kind) if kind else _EVENT_NAMES[entry.event],
        message_id=str(entry.message_id),
        at=entry.at,
        state=_EVENT_NAMES[entry.event],
        digest=str(header.get("body_digest", "")),
    )


_KIND_NAMES = {kind.value: name for kind, name in KIND_NAMES.items()}
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
