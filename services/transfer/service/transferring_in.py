"""The transferring-in side: letter out, sheet in, money matched, taken up, credited."""

from __future__ import annotations

from dataclasses import asdict

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.casework.actors import require_different_person
from libs.casework.lifecycle import Action
from libs.catalogue.lookup import Catalogues
from libs.contracts.enrollment import ContributionPeriod, TransferCredited
from libs.contracts.transfer import FundsReceived, TransferTakenUp
from libs.exchange.bodies import Completion, FundNotice, InformationSheet, ReturnForCorrection
from libs.exchange.envelope import Kind
from libs.money.amounts import fen_of, yuan_of
from libs.refusals.faults import Fault, conflict
from services.transfer import repository
from services.transfer.domain.periods import Continuity, continuity
from services.transfer.domain.stages import Side, Stage, require_stage, stage_after_sheet
from services.transfer.models import BankReceipt, Move
from services.transfer.schemas import BankReceiptBody
from services.transfer.service import forms, telling
from services.transfer.service.desk import OPERATIONS, Desk


async def issue_contact_letter(desk: Desk, case: Case, move: Move) -> Case:
    """发出联系函: numbered, sealed, sent; from now on the other city's limit runs."""
    require_stage(case.stage, Stage.CONTACT_LETTER)
    letter = await forms.contact_letter(desk, case, move)
    case = await desk.step(case, move, Action.ADVANCE, Stage.AWAITING_SHEET, name="发出联系函")
    await desk.tell(case, move, Kind.CONTACT_LETTER, letter)
    await contents.add_document(
        desk.session,
        case,
        desk.office.protector,
        kind="contact_letter",
        number=letter.number,
        title="基本医疗保险关系转移接续联系函",
        content=letter.model_dump(mode="json"),
        at=desk.now,
    )
    return case


async def receive_sheet(
    desk: Desk, case: Case, move: Move, sheet: InformationSheet, *, corrected: bool
) -> None:
    """The 信息表 (or its correction) arrived: keep it, say how the break is treated, match money."""
    move.periods = [period.model_dump() for period in forms.periods_of(sheet)]
    move.sheet_number, move.amount_fen = sheet.number, sheet.account_amount_fen
    move.continuity = await _continuity(desk, move)
    case = await desk.step(
        case,
        move,
        Action.ADVANCE,
        stage_after_sheet(sheet.account_amount_fen, move.received_fen),
        name="收到更正的信息表" if corrected else "收到信息表",
        details={"sheet_number": sheet.number, "amount_fen": sheet.account_amount_fen},
    )
    await contents.add_document(
        desk.session,
        case,
        desk.office.protector,
        kind="received_information_sheet",
        number=f"{move.counterpart_region_code}{sheet.number}",
        title="收到的参保人员基本医疗保险信息表",
        content=sheet.model_dump(mode="json"),
        at=desk.now,
    )
    await match_waiting_receipts(desk, case, move)


async def receive_fund_notice(desk: Desk, case: Case, move: Move, notice: FundNotice) -> None:
    """划转通知: the bank's line with this reference is theirs, whether it is here already or comes later."""
    move.notified_bank_reference = notice.bank_reference
    case = await desk.step(
        case,
        move,
        Action.ADVANCE,
        Stage(case.stage),
        name="收到划转通知",
        details={"amount_fen": notice.amount_fen, "bank_reference": notice.bank_reference},
    )
    await match_waiting_receipts(desk, case, move)


async def record_receipt(desk: Desk, body: BankReceiptBody) -> tuple[BankReceipt, str | None, str]:
    """A line of the bank's statement: stored once, matched if a case waits for exactly this money.

    Returns the line, the number of the case it belongs to (None while it waits), and why.
    """
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
        return receipt, case.case_no, "已与办件匹配。"
    candidates = await repository.moves_awaiting_money(desk.session, receipt)
    if not candidates:
        return receipt, None, "暂无对应的划转通知，收到后自动匹配。"
    case, move = await desk.open_by_id(candidates[0].case_id)
    if move.amount_fen is None:
        return receipt, None, "信息表未到，收到后自动匹配。"
    if move.amount_fen != receipt.amount_fen:
        arrived, stated = yuan_of(receipt.amount_fen), yuan_of(move.amount_fen)
        message = f"到账{arrived}元，与信息表载明的{stated}元不符，请与转出地核对。"
        return receipt, None, message
    await _take_money(desk, case, move, receipt)
    return receipt, case.case_no, "已与办件匹配。"


async def match_waiting_receipts(desk: Desk, case: Case, move: Move) -> None:
    """Money that came before its notice or its sheet finds its case now."""
    if not move.amount_fen or move.received_fen is not None:
        return
    for receipt in await repository.unmatched_receipts(desk.session, move.region_code):
        named = receipt.bank_reference == move.notified_bank_reference or (
            move.sheet_number is not None and move.sheet_number in receipt.remark
        )
        if named and receipt.amount_fen == move.amount_fen:
            await _take_money(desk, case, move, receipt)
            return


async def take_up(desk: Desk, case: Case, move: Move) -> Case:
    """核对无误，办理转入: enrollment credits the account and records the months."""
    require_stage(case.stage, Stage.TAKE_UP)
    require_different_person(desk.actor, move.makers)
    move.makers = {**move.makers, desk.actor.subject: "办理转入"}
    case = await desk.step(case, move, Action.APPROVE, Stage.CREDITING, name="核对信息表和资金")
    waiting = (move.continuity or {}).get("waiting_until")
    await desk.publish(
        move,
        TransferTakenUp(
            **telling.fact_of(case, move),
            amount_fen=move.amount_fen or 0,
            periods=[ContributionPeriod.model_validate(period) for period in move.periods],
            taken_up_on=desk.today,
            waiting_until=waiting,
        ),
    )
    return case


async def return_for_correction(desk: Desk, case: Case, move: Move, reason: str, faults: list[str]) -> Case:
    """退回更正: every problem at once; the move waits for the corrected sheet."""
    require_stage(case.stage, Stage.AWAITING_FUNDS, Stage.TAKE_UP)
    notice = [Fault("returned", fault, "/periods") for fault in faults]
    case = await desk.step(
        case,
        move,
        Action.ADVANCE,
        Stage.AWAITING_SHEET,
        name="退回更正",
        reason=reason,
        notice=notice,
    )
    await desk.tell(
        case, move, Kind.RETURN_FOR_CORRECTION, ReturnForCorrection(reason=reason, faults=tuple(faults))
    )
    return case


async def complete(desk: Desk, fact: TransferCredited) -> None:
    """Enrollment has credited and recorded: 办结, and the other city is told."""
    case, move = await desk.open_conversation(fact.region_code, fact.conversation)
    if case.stage != Stage.CREDITING:
        return  # told twice
    if fact.amount_fen != (move.amount_fen or 0):
        raise conflict("credited_amount", "记账金额与信息表不符，须人工核对。")
    case = await desk.step(
        case,
        move,
        Action.COMPLETE,
        Stage.ENDED,
        name="记账办结",
        details={"amount_fen": fact.amount_fen, "months_recorded": fact.months_recorded},
    )
    body = Completion(
        credited_amount_fen=fact.amount_fen,
        credited_on=fact.credited_on if fact.amount_fen else None,
        months_recorded=fact.months_recorded,
        completed_on=desk.today,
    )
    await desk.tell(case, move, Kind.COMPLETION, body)
    await telling.notify_applicant(desk, case, "completed")


async def _take_money(desk: Desk, case: Case, move: Move, receipt: BankReceipt) -> None:
    move.received_fen, move.received_on = receipt.amount_fen, receipt.received_on
    await repository.mark_matched(desk.session, receipt, case)
    ready = case.stage == Stage.AWAITING_FUNDS
    case = await desk.step(
        case,
        move,
        Action.ADVANCE,
        Stage.TAKE_UP if ready else Stage(case.stage),
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


async def _continuity(desk: Desk, move: Move) -> dict[str, object] | None:
    standings = await repository.standings_of(desk.session, move.region_code, move.person_key)
    active = [standing for standing in standings if standing.active]
    if not active:
        return None
    result: Continuity = continuity(
        [ContributionPeriod.model_validate(period) for period in move.periods],
        active[0].started_on,
        changes_kind=active[0].insurance_kind != move.insurance_kind,
        local_waiting_months=_local_waiting_months(desk.office.catalogues, move, desk),
        rules=desk.office.rules,
    )
    return {**asdict(result), "waiting_until": result.waiting_until and result.waiting_until.isoformat()}


def _local_waiting_months(catalogues: Catalogues, move: Move, desk: Desk) -> int:
    """The region's own waiting period where its catalogue states one, else the longest allowed."""
    stated = catalogues.parameter_in_force(
        move.region_code, OPERATIONS[Side.IN], "transfer.waiting_months", desk.today
    )
    return int(stated.parameter.value) if stated else desk.office.rules.longest_waiting_months
