"""What comes in from the other city: each message once, in sequence, by its kind."""

from __future__ import annotations

from typing import Any

from libs.casebook.cases import Case, NewCase
from libs.casework.actors import Actor
from libs.casework.lifecycle import ENDED, Action
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
from libs.exchange.envelope import Kind, Message
from libs.identifiers.credentials import Credential, CredentialType
from libs.refusals.faults import Fault, Refusal
from libs.regions import names
from services.transfer import repository
from services.transfer.domain.stages import Regime, Side, Stage
from services.transfer.models import Move
from services.transfer.service import applications, transferring_in, transferring_out
from services.transfer.service.desk import Desk


async def deliver(desk: Desk, message: Message) -> None:
    """Act on a message from the other city: once, in sequence, in the receiving transaction."""
    sender = message.from_region
    other = Actor("system", f"region:{sender}", f"{names.name_of(sender)}医保经办机构")
    desk = desk.acting_as(other)
    body = read_body(message.kind, message.kind_version, message.body)
    if isinstance(body, TransferApplication | ContactLetter):
        await _open_counterpart(desk, message, body)
        return
    case, move = await desk.open_conversation(message.to_region, message.conversation)
    match body:
        case InformationSheet():
            await _receive_sheet(desk, case, move, body)
        case FundNotice():
            await _receive_fund_notice(desk, case, move, body)
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


async def _open_counterpart(desk: Desk, message: Message, body: TransferApplication | ContactLetter) -> None:
    """The other city's move opens our side of it; what stands against it goes back at once, all of it."""
    side = Side.OUT if body.transferring_out.region_code == message.to_region else Side.IN
    case, move = await _counterpart_case(desk, message, body, side)
    faults = await _obstacles(desk, case, move)
    if not faults:
        await applications.start(desk, case, move)
        return
    await desk.step(
        case,
        move,
        Action.REFUSE,
        Stage.ENDED,
        reason="；".join(fault.message for fault in faults),
        notice=faults,
    )
    returned = ReturnForCorrection(reason="不符合办理条件", faults=tuple(fault.message for fault in faults))
    await desk.tell(case, move, Kind.RETURN_FOR_CORRECTION, returned, answers=message.digest())


async def _obstacles(desk: Desk, case: Case, move: Move) -> list[Fault]:
    """What stands against our side: the rules, and another open move of the same person."""
    try:
        await repository.add_move(desk.session, move)
        already: tuple[Fault, ...] = ()
    except Refusal as refusal:
        already = (Fault(refusal.code, refusal.message, "/applicant"),)
        move.is_open = False
        await repository.add_move(desk.session, move)
    return [*already, *await applications.reasons_against(desk, case, move)]


async def _counterpart_case(
    desk: Desk, message: Message, body: TransferApplication | ContactLetter, side: Side
) -> tuple[Case, Move]:
    item = desk.office.item(message.to_region, side, desk.today)
    credential = Credential(CredentialType(body.person.credential_type), body.person.credential_no)
    case = await desk.office.casebook.open(
        desk.session,
        NewCase(
            region_code=message.to_region,
            counterpart_region_code=message.from_region,
            operation=item.item.operations[0],
            item_key=item.item.key,
            item_name=item.item.name.text,
            edition_id=item.edition.id,
            channel="exchange",
            subject_key=desk.office.protector.blind_index(credential.canonical),
            subject_name=body.person.name,
            application=_application_of(message, body),
            stage=Stage.CHECKING.value,
        ),
        desk.actor,
        desk.now,
    )
    move = Move(
        case_id=case.id,
        region_code=message.to_region,
        counterpart_region_code=message.from_region,
        conversation=message.conversation,
        conversation_opened=True,
        side=side.value,
        regime=(Regime.LETTER if isinstance(body, ContactLetter) else Regime.PLATFORM).value,
        person_key=case.subject_key,
        insurance_kind=body.insurance.value,
        is_open=True,
        stage_since=desk.today,
        makers={},
        periods=[],
        inquiries=0,
    )
    return case, move


_APPLICANT_FIELDS = ("name", "credential_type", "credential_no", "telephone")


def _application_of(message: Message, body: TransferApplication | ContactLetter) -> dict[str, Any]:
    """The application as a case keeps it, from the other city's form."""
    person = body.person.model_dump(mode="json")
    return {
        "region_code": message.to_region,
        "channel": "exchange",
        "applicant": {name: person[name] for name in _APPLICANT_FIELDS},
        "agent": None,
        "payload": {
            "kind": "transfer",
            "insurance_kind": body.insurance.value,
            "from_region_code": body.transferring_out.region_code,
            "to_region_code": body.transferring_in.region_code,
            "from_agency": {
                "address": body.transferring_out.address,
                "postcode": body.transferring_out.postcode,
            },
            "to_agency": {
                "address": body.transferring_in.address,
                "postcode": body.transferring_in.postcode,
            },
            "certificate_no": getattr(body, "certificate_no", None),
        },
        "materials": [],
        "received_as": {"message_id": str(message.id), "case_no": body.accepted_case_no},
    }


async def _receive_sheet(desk: Desk, case: Case, move: Move, sheet: InformationSheet) -> None:
    if case.status in ENDED:
        return  # it crossed our withdrawal; the journal has it, the other side learns of ours
    await transferring_in.receive_sheet(desk, case, move, sheet, corrected=False)


async def _receive_fund_notice(desk: Desk, case: Case, move: Move, notice: FundNotice) -> None:
    """Paid money beats a withdrawal that crossed it: the case comes back to life to account for it."""
    if case.status in ENDED:
        case = await desk.step(
            case, move, Action.REVIVE, Stage.AWAITING_FUNDS, reason="撤回时对方已划转资金，恢复办理"
        )
    await transferring_in.receive_fund_notice(desk, case, move, notice)


async def _receive_correction(desk: Desk, case: Case, move: Move, correction: Correction) -> None:
    if case.status in ENDED:
        return
    if correction.fund_notice is not None:
        await transferring_in.receive_fund_notice(desk, case, move, correction.fund_notice)
        case = await desk.office.casebook.load_by_id(desk.session, case.id)
    if correction.information_sheet is not None:
        await transferring_in.receive_sheet(desk, case, move, correction.information_sheet, corrected=True)


async def _receive_return(desk: Desk, case: Case, move: Move, returned: ReturnForCorrection) -> None:
    """Our request came back: the move ends with their reasons. Our sheet came back: we correct it."""
    if case.status in ENDED:
        return
    faults = [Fault("returned_by_counterpart", fault, "/") for fault in returned.faults]
    if move.sheet_message_id is not None:
        await transferring_out.receive_return(desk, case, move, faults, returned.reason)
    else:
        await applications.reject(desk, case, move, faults)


async def _receive_withdrawal(desk: Desk, case: Case, move: Move, withdrawal: Withdrawal) -> None:
    if case.status in ENDED:
        return
    action = Action.REJECT if case.stage == Stage.CORRECTING else Action.WITHDRAW
    await desk.step(case, move, action, Stage.ENDED, name="对方撤回", reason=withdrawal.reason)
    await applications.cancel_preparation(desk, case, move, withdrawal.reason)


async def _receive_inquiry(desk: Desk, case: Case, move: Move, inquiry: Inquiry) -> None:
    if case.status in ENDED:
        return
    await desk.step(
        case,
        move,
        Action.ADVANCE,
        Stage(case.stage),
        name="收到催办",
        reason=inquiry.remark,
        details={"overdue_working_days": inquiry.overdue_working_days},
    )
