"""What comes in from the other city: each message once, in sequence, by its kind."""

from __future__ import annotations

from libs.casebook.cases import Case
from libs.casework.actors import Actor
from libs.casework.lifecycle import ENDED, Action
from libs.exchange import conversations
from libs.exchange.bodies import (
    Completion,
    ContactLetter,
    Correction,
    FundNotice,
    InformationSheet,
    Inquiry,
    ReturnForCorrection,
    TransferApplication,
    Withdrawal,
    read_body,
)
from libs.exchange.envelope import Message
from libs.exchange.faults import Code
from libs.exchange.faults import Fault as ExchangeFault
from libs.exchange.incoming import NotAccepted
from libs.exchange.transitions import State
from libs.refusals.faults import Fault, Refusal, RefusalKind
from libs.regions import names
from services.transfer.domain.stages import Side, Stage
from services.transfer.models import Move
from services.transfer.service import deciding, requests, transferring_in, transferring_out
from services.transfer.service.desk import Desk


async def deliver(desk: Desk, message: Message) -> None:
    """Act on a message from the other city: once, in sequence, in the receiving transaction.

    Raises NotAccepted where a rule says no: the other city gets a sealed refusal with every reason
    at once, instead of trying in vain until its message expires.
    """
    sender = message.from_region
    other = Actor("system", f"region:{sender}", f"{names.name_of(sender)}医保经办机构")
    try:
        await _act_on(desk.acting_as(other), message)
    except Refusal as refusal:
        if refusal.kind is RefusalKind.UNAVAILABLE:
            raise
        raise NotAccepted(_as_exchange_faults(refusal)) from refusal


def _as_exchange_faults(refusal: Refusal) -> list[ExchangeFault]:
    faults = refusal.faults or (Fault(refusal.code, refusal.message, "body"),)
    return [
        ExchangeFault(code=Code.NOT_ACCEPTED, field=fault.pointer or "body", message=fault.message)
        for fault in faults
    ]


async def _act_on(desk: Desk, message: Message) -> None:
    body = read_body(message.kind, message.kind_version, message.body)
    if isinstance(body, TransferApplication | ContactLetter):
        await requests.open_counterpart(desk, message, body)
        return
    case, move = await desk.open_conversation(message.to_region, message.conversation)
    match body:
        case InformationSheet():
            await transferring_in.receive_sheet(desk, case, move, body, corrected=False)
        case FundNotice():
            await transferring_in.receive_fund_notice(desk, case, move, body)
        case Correction():
            await _receive_correction(desk, case, move, body)
        case ReturnForCorrection():
            await _receive_return(desk, case, move, body)
        case Withdrawal():
            await _receive_withdrawal(desk, case, move, body)
        case Completion():
            await transferring_out.receive_completion(desk, case, move, body)
        case Inquiry():
            await _receive_inquiry(desk, case, move, body)


async def _receive_correction(desk: Desk, case: Case, move: Move, correction: Correction) -> None:
    if correction.fund_notice is not None:
        await transferring_in.receive_fund_notice(desk, case, move, correction.fund_notice)
        case = await desk.office.casebook.load_by_id(desk.session, case.id)
    if correction.information_sheet is not None:
        await transferring_in.receive_sheet(desk, case, move, correction.information_sheet, corrected=True)


async def _receive_return(desk: Desk, case: Case, move: Move, returned: ReturnForCorrection) -> None:
    """Our sheet came back: we correct it. Our request came back: the move ends with their reasons."""
    if case.status in ENDED:
        return
    faults = [Fault("returned_by_counterpart", fault) for fault in returned.faults]
    if await _sheet_is_returned(desk, move):
        await transferring_out.receive_return(desk, case, move, faults, returned.reason)
    elif move.side == Side.OUT and move.paid_on is not None:
        # They refused the request while our payment was under way: it revives their side.
        await desk.step(
            case, move, Action.NOTE, Stage(case.stage), name="对方退回申请，资金已划转", notice=faults
        )
    else:
        await deciding.end_by_rejection(desk, case, move, faults)


async def _sheet_is_returned(desk: Desk, move: Move) -> bool:
    """Whether the return took the conversation back to the sheet.

    One that answers the request may arrive after we have sent the sheet; it changes no state then.
    """
    held = await conversations.find(desk.session, move.region_code, move.conversation)
    return held is not None and held.standing.state in (State.SHEET_RETURNED, State.FUNDS_RETURNED)


async def _receive_withdrawal(desk: Desk, case: Case, move: Move, withdrawal: Withdrawal) -> None:
    if case.status in ENDED:
        return
    case = await desk.step(
        case, move, Action.WITHDRAW, Stage.ENDED, name="对方撤回", reason=withdrawal.reason
    )
    await deciding.cancel_preparation(desk, case, move, withdrawal.reason)


async def _receive_inquiry(desk: Desk, case: Case, move: Move, inquiry: Inquiry) -> None:
    if case.status in ENDED:
        return
    await desk.step(
        case,
        move,
        Action.NOTE,
        Stage(case.stage),
        name="收到催办",
        reason=inquiry.remark,
        details={"overdue_working_days": inquiry.overdue_working_days},
    )
