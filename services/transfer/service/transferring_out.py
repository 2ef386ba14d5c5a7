"""The transferring-out side: record prepared, sheet issued, money paid, corrected, completed."""

from __future__ import annotations

import datetime as dt

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.casework.actors import require_different_person
from libs.casework.lifecycle import Action
from libs.contracts.enrollment import ContributionPeriod, TransferRecordPrepared, TransferRecordRefused
from libs.contracts.transfer import FundsPaid, InformationSheetIssued, TransferOutCompleted
from libs.exchange.bodies import Completion, Correction, InformationSheet
from libs.exchange.envelope import Kind
from libs.refusals.faults import Fault, invalid
from services.transfer import repository
from services.transfer.domain.sheets import corrected_periods, faults_of_rows
from services.transfer.domain.stages import Stage, require_stage
from services.transfer.models import Move
from services.transfer.schemas import PeriodBody
from services.transfer.service import deciding, forms, telling
from services.transfer.service.desk import Desk

_ISSUED = "签发信息表"


async def take_prepared_record(desk: Desk, fact: TransferRecordPrepared) -> None:
    """Enrollment has counted the months and holds the balance: the sheet can be issued."""
    case, move = await desk.open_conversation(fact.region_code, fact.conversation)
    if case.stage != Stage.PREPARING:
        return  # withdrawn meanwhile; enrollment was told to end the hold
    if not fact.periods:
        nothing = Fault("no_months", "转出地没有可转移的缴费月数，无法出具信息表。")
        await deciding.reject(desk, case, move, [nothing])
        return
    move.periods = [period.model_dump() for period in fact.periods]
    move.amount_fen = fact.balance_fen
    await desk.step(
        case,
        move,
        Action.ADVANCE,
        Stage.INFORMATION_SHEET,
        name="汇总缴费记录",
        details={"periods": len(fact.periods), "amount_fen": fact.balance_fen},
    )


async def take_refused_record(desk: Desk, fact: TransferRecordRefused) -> None:
    """Enrollment says the relation cannot leave: the move ends with all its reasons."""
    case, move = await desk.open_conversation(fact.region_code, fact.conversation)
    if case.stage != Stage.PREPARING:
        return
    faults = [Fault("enrollment_refused", reason) for reason in fact.reasons]
    await deciding.reject(desk, case, move, faults)


async def issue_information_sheet(desk: Desk, case: Case, move: Move) -> Case:
    """核对无误，签发信息表: numbered, sealed and sent by another officer than whoever entered it."""
    require_stage(case.stage, Stage.INFORMATION_SHEET)
    require_different_person(desk.actor, move.makers)
    move.makers = {**move.makers, desk.actor.subject: _ISSUED}
    number = await forms.next_document_number(desk, case.region_code, "information_sheet")
    periods = [ContributionPeriod.model_validate(period) for period in move.periods]
    sheet = forms.information_sheet(desk, case, move, number, periods)
    move.sheet_number = number
    if move.sheet_message_id is None:
        return await _issue_first(desk, case, move, sheet)
    return await _issue_correction(desk, case, move, sheet)


async def _issue_first(desk: Desk, case: Case, move: Move, sheet: InformationSheet) -> Case:
    """The balance goes in transit with the first sheet."""
    next_stage = Stage.PAYMENT if move.amount_fen else Stage.AWAITING_COMPLETION
    case = await desk.step(case, move, Action.APPROVE, next_stage, name=_ISSUED)
    message = await desk.tell(case, move, Kind.INFORMATION_SHEET, sheet)
    move.sheet_message_id = message.id
    await _keep_document(desk, case, sheet, "参保人员基本医疗保险信息表")
    issued = InformationSheetIssued(
        **telling.fact_of(case, move),
        sheet_number=sheet.number,
        amount_fen=sheet.account_amount_fen,
        issued_on=desk.today,
    )
    await desk.publish(move, issued)
    return case


async def _issue_correction(desk: Desk, case: Case, move: Move, sheet: InformationSheet) -> Case:
    """A whole corrected sheet replaces the one that was returned; the money is unchanged."""
    assert move.sheet_message_id is not None, "only a sheet that was sent can be returned"
    assert move.correction_reason is not None, "a correction is entered with its reason"
    body = Correction(
        replaces=(move.sheet_message_id,), reason=move.correction_reason, information_sheet=sheet
    )
    paid = move.paid_on is not None or not move.amount_fen
    next_stage = Stage.AWAITING_COMPLETION if paid else Stage.PAYMENT
    reason = move.correction_reason
    case = await desk.step(case, move, Action.ADVANCE, next_stage, name="签发更正的信息表", reason=reason)
    message = await desk.tell(case, move, Kind.CORRECTION, body)
    move.sheet_message_id = message.id
    await _keep_document(desk, case, sheet, "参保人员基本医疗保险信息表（更正）")
    return case


async def _keep_document(desk: Desk, case: Case, sheet: InformationSheet, title: str) -> None:
    await contents.add_document(
        desk.session,
        case,
        desk.office.protector,
        kind="information_sheet",
        number=sheet.number,
        title=title,
        content=sheet.model_dump(mode="json"),
        at=desk.now,
    )


async def pay(desk: Desk, case: Case, move: Move, bank_reference: str, paid_on: dt.date) -> Case:
    """资金已划转: finance confirms the bank's payment, the other city gets the 划转通知."""
    require_stage(case.stage, Stage.PAYMENT)
    require_different_person(desk.actor, move.makers)
    if not case.submitted_on <= paid_on <= desk.today:
        message = f"划转日期应在申请之日（{case.submitted_on}）至今天（{desk.today}）之间。"
        raise invalid("paid_on", message, [Fault("paid_on", message, "/paid_on")])
    await repository.require_new_payment(desk.session, move, bank_reference)
    move.makers = {**move.makers, desk.actor.subject: "划转资金"}
    move.paid_bank_reference, move.paid_on = bank_reference, paid_on
    case = await desk.step(
        case,
        move,
        Action.ADVANCE,
        Stage.AWAITING_COMPLETION,
        name="划转资金",
        details={"amount_fen": move.amount_fen, "bank_reference": bank_reference},
    )
    notice = forms.fund_notice(desk, move, bank_reference, paid_on)
    await desk.tell(case, move, Kind.FUND_NOTICE, notice)
    await desk.publish(
        move,
        FundsPaid(
            **telling.fact_of(case, move),
            amount_fen=move.amount_fen or 0,
            bank_reference=bank_reference,
            paid_on=paid_on,
        ),
    )
    return case


async def correct(desk: Desk, case: Case, move: Move, reason: str, rows: list[PeriodBody]) -> Case:
    """更正: the rows as they should be; another officer issues the corrected sheet.

    Raises Refusal (invalid) with every fault of the rows.
    """
    require_stage(case.stage, Stage.CORRECTING)
    given = [(row.from_month, row.to_month) for row in rows]
    if faults := faults_of_rows(given):
        raise invalid("periods", f"更正的时间段有{len(faults)}处错误，本次未作任何更改。", faults)
    before = {"sheet_number": move.sheet_number, "periods": move.periods}
    agency = desk.office.agencies.require(move.region_code, "/region_code")
    periods = corrected_periods(
        [ContributionPeriod.model_validate(period) for period in move.periods],
        [(row.from_month, row.to_month, row.insurance_kind, row.remark or "") for row in rows],
        home=(agency.region_code, agency.name),
    )
    move.periods = [period.model_dump() for period in periods]
    move.correction_reason = reason
    # A new round: whoever issued the sheet that came back may check this one.
    entered = {subject: what for subject, what in move.makers.items() if what != _ISSUED}
    move.makers = {**entered, desk.actor.subject: "更正信息表"}
    return await desk.step(
        case,
        move,
        Action.ADVANCE,
        Stage.INFORMATION_SHEET,
        name="更正信息表",
        reason=reason,
        details={"before": before},
    )


async def receive_return(desk: Desk, case: Case, move: Move, faults: list[Fault], reason: str) -> None:
    """The other city returned our sheet: it is to be corrected, nothing else moves."""
    await desk.step(
        case, move, Action.ADVANCE, Stage.CORRECTING, name="收到退回更正", reason=reason, notice=faults
    )


async def receive_completion(desk: Desk, case: Case, move: Move, completion: Completion) -> None:
    """办结反馈: the other city has credited the money and recorded the months; our side closes."""
    case = await desk.step(
        case,
        move,
        Action.COMPLETE,
        Stage.ENDED,
        name="收到办结反馈",
        details=completion.model_dump(mode="json"),
    )
    await desk.publish(
        move,
        TransferOutCompleted(
            **telling.fact_of(case, move),
            amount_fen=completion.credited_amount_fen,
            completed_on=completion.completed_on,
        ),
    )
    await telling.notify_applicant(desk, case, "completed")
