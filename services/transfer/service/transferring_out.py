"""The transferring-out side: record prepared, sheet issued, money paid, corrected, completed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.casework.actors import require_different_person
from libs.casework.lifecycle import Action
from libs.contracts.enrollment import ContributionPeriod, TransferRecordPrepared, TransferRecordRefused
from libs.contracts.transfer import FundsPaid, InformationSheetIssued, TransferOutCompleted
from libs.exchange.bodies import Completion, Correction
from libs.exchange.envelope import Kind
from libs.refusals.faults import Fault, invalid
from libs.regions import names
from services.transfer.domain.periods import month_number
from services.transfer.domain.stages import Stage, require_stage
from services.transfer.models import Move
from services.transfer.schemas import PeriodBody
from services.transfer.service import applications, forms, telling
from services.transfer.service.desk import Desk


async def take_prepared_record(desk: Desk, fact: TransferRecordPrepared) -> None:
    """Enrollment has counted the months and holds the balance: the sheet can be issued."""
    case, move = await desk.open_conversation(fact.region_code, fact.conversation)
    if case.stage != Stage.PREPARING:
        return  # withdrawn meanwhile; enrollment was told to end the hold
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
    faults = [Fault("enrollment_refused", reason, "/") for reason in fact.reasons]
    await applications.reject(desk, case, move, faults)


async def issue_information_sheet(desk: Desk, case: Case, move: Move) -> Case:
    """核对无误，签发信息表: the sheet is numbered, sealed, sent; the balance goes in transit."""
    require_stage(case.stage, Stage.INFORMATION_SHEET)
    require_different_person(desk.actor, move.makers)
    move.makers = {**move.makers, desk.actor.subject: "签发信息表"}
    move.sheet_number = await forms.next_document_number(desk, case.region_code, "information_sheet")
    periods = [ContributionPeriod.model_validate(period) for period in move.periods]
    sheet = forms.information_sheet(desk, case, move, move.sheet_number, periods)
    amount_fen = move.amount_fen or 0
    next_stage = Stage.PAYMENT if amount_fen else Stage.AWAITING_COMPLETION
    case = await desk.step(case, move, Action.APPROVE, next_stage, name="签发信息表")
    message = await desk.tell(case, move, Kind.INFORMATION_SHEET, sheet)
    move.sheet_message_id = message.id
    await contents.add_document(
        desk.session,
        case,
        desk.office.protector,
        kind="information_sheet",
        number=move.sheet_number,
        title="参保人员基本医疗保险信息表",
        content=sheet.model_dump(mode="json"),
        at=desk.now,
    )
    await desk.publish(
        move,
        InformationSheetIssued(
            **telling.fact_of(case, move),
            sheet_number=move.sheet_number,
            amount_fen=amount_fen,
            issued_on=desk.today,
        ),
    )
    return case


async def pay(desk: Desk, case: Case, move: Move, bank_reference: str, paid_on: dt.date) -> Case:
    """资金已划转: finance confirms the bank's payment, the other city gets the 划转通知."""
    require_stage(case.stage, Stage.PAYMENT)
    require_different_person(desk.actor, move.makers)
    if paid_on > desk.today:
        message = f"划转日期不能晚于今天（{desk.today}）。"
        raise invalid("paid_on", message, [Fault("paid_on", message, "/paid_on")])
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
    """更正: a whole corrected sheet replaces the one that was returned; the money is unchanged."""
    require_stage(case.stage, Stage.CORRECTING)
    assert move.sheet_message_id is not None, "only a sheet that was sent can be returned"
    periods = [_period(move, row) for row in rows]
    number = await forms.next_document_number(desk, case.region_code, "information_sheet")
    sheet = forms.information_sheet(desk, case, move, number, periods)
    body = Correction(replaces=(move.sheet_message_id,), reason=reason, information_sheet=sheet)
    before = {"sheet_number": move.sheet_number, "periods": move.periods}
    move.periods, move.sheet_number = [period.model_dump() for period in periods], number
    paid = move.paid_on is not None or not move.amount_fen
    case = await desk.step(
        case,
        move,
        Action.ADVANCE,
        Stage.AWAITING_COMPLETION if paid else Stage.PAYMENT,
        name="更正信息表",
        reason=reason,
        details={"before": before},
    )
    message = await desk.tell(case, move, Kind.CORRECTION, body)
    move.sheet_message_id = message.id
    await contents.add_document(
        desk.session,
        case,
        desk.office.protector,
        kind="information_sheet",
        number=number,
        title="参保人员基本医疗保险信息表（更正）",
        content=sheet.model_dump(mode="json"),
        at=desk.now,
    )
    return case


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


def _period(move: Move, row: PeriodBody) -> ContributionPeriod:
    """A corrected row; agency and region as on the sheet before, or ours for a new stretch."""
    earlier: dict[str, Any] = next(
        (
            period
            for period in move.periods
            if period["from_month"] <= row.to_month and row.from_month <= period["to_month"]
        ),
        {},
    )
    own = names.name_of(move.region_code)
    return ContributionPeriod(
        from_month=row.from_month,
        to_month=row.to_month,
        insurance_kind=row.insurance_kind,
        months_paid=month_number(row.to_month) - month_number(row.from_month) + 1,
        region_code=earlier.get("region_code", move.region_code),
        agency_name=earlier.get("agency_name", f"{own}医疗保障经办机构"),
        remark=row.remark or "",
    )
