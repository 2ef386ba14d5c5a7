"""The transferring-in side: letter out, sheet in, taken up, credited."""

from __future__ import annotations

from dataclasses import asdict

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.casework.actors import require_different_person
from libs.casework.lifecycle import ENDED, Action
from libs.contracts.enrollment import ContributionPeriod, TransferCredited
from libs.contracts.transfer import TransferTakenUp
from libs.exchange.bodies import Completion, FundNotice, InformationSheet, ReturnForCorrection
from libs.exchange.envelope import Kind
from libs.identifiers.credentials import clean
from libs.refusals.faults import Fault, conflict, invalid
from services.transfer import repository
from services.transfer.domain.periods import continuity
from services.transfer.domain.stages import Side, Stage, require_stage, stage_with_sheet
from services.transfer.models import Move
from services.transfer.service import forms, limits, receipts, telling
from services.transfer.service.desk import Desk
from services.transfer.service.office import OPERATIONS


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
    """The 信息表 (or its correction) arrived: keep it, say how the break is treated, match money.

    Also where the case has ended: the sheet crossed its end, and the money may follow.
    """
    await _keep_sheet(desk, case, move, sheet)
    if case.status in ENDED:
        return
    notified = move.notified_bank_reference is not None
    case = await desk.step(
        case,
        move,
        Action.ADVANCE,
        stage_with_sheet(sheet.account_amount_fen, move.received_fen, notified=notified),
        name="收到更正的信息表" if corrected else "收到信息表",
        details={"sheet_number": sheet.number, "amount_fen": sheet.account_amount_fen},
    )
    await receipts.match(desk, case, move)


async def receive_fund_notice(desk: Desk, case: Case, move: Move, notice: FundNotice) -> None:
    """划转通知: the bank's line with this reference is theirs, whether it is here already or comes later.

    Paid money beats an end on this side that crossed it: the case comes back to life to account for it.
    """
    if case.status in ENDED:
        case = await _revive(desk, case, move)
    move.notified_bank_reference = notice.bank_reference
    case = await desk.step(
        case,
        move,
        Action.ADVANCE,
        receipts.stage_with_money(case, move),
        name="收到划转通知",
        details={"amount_fen": notice.amount_fen, "bank_reference": notice.bank_reference},
    )
    await receipts.match(desk, case, move)


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


async def _keep_sheet(desk: Desk, case: Case, move: Move, sheet: InformationSheet) -> None:
    if clean(sheet.person.credential_no) != clean(case.application["applicant"]["credential_no"]):
        message = "信息表所载参保人员的证件号码与本件申请人不符，请核对后重新出具。"
        raise invalid("other_person", message, [Fault("other_person", message, "body.person.credential_no")])
    move.periods = [period.model_dump() for period in forms.periods_of(sheet)]
    move.sheet_number, move.amount_fen = sheet.number, sheet.account_amount_fen
    move.continuity = await _continuity(desk, move)
    number = f"{move.counterpart_region_code}{sheet.number}"
    kind = "received_information_sheet"
    if await contents.has_document(desk.session, case.region_code, kind, number):
        message = f"编号为{sheet.number}的信息表已经收到过，每份信息表应有自己的编号。"
        raise invalid("sheet_number", message, [Fault("sheet_number", message, "body.number")])
    await contents.add_document(
        desk.session,
        case,
        desk.office.protector,
        kind=kind,
        number=number,
        title="收到的参保人员基本医疗保险信息表",
        content=sheet.model_dump(mode="json"),
        at=desk.now,
    )


async def _revive(desk: Desk, case: Case, move: Move) -> Case:
    """The case waits for money again; it had ended before its clock was started where it was refused."""
    move.revived = True
    clock = case.clock or limits.total_clock(
        desk.office.item_of(case), move.region_code, move.counterpart_region_code, desk.today
    )
    reason = "本地终止办理时对方已划转资金，恢复办理以核对资金。"
    return await desk.step(case, move, Action.REVIVE, Stage.AWAITING_FUNDS, reason=reason, clock=clock)


async def _continuity(desk: Desk, move: Move) -> dict[str, object] | None:
    """How the break before the person's enrolment here is treated; None while there is none."""
    standings = await repository.standings_of(desk.session, move.region_code, move.person_key)
    enrolled = max(
        (standing for standing in standings if standing.active), key=lambda s: s.started_on, default=None
    )
    if enrolled is None:
        return None
    result = continuity(
        [ContributionPeriod.model_validate(period) for period in move.periods],
        enrolled.started_on,
        changes_kind=enrolled.insurance_kind != move.insurance_kind,
        local_waiting_months=_local_waiting_months(desk, move),
        rules=desk.office.rules,
    )
    return {**asdict(result), "waiting_until": result.waiting_until and result.waiting_until.isoformat()}


def _local_waiting_months(desk: Desk, move: Move) -> int:
    """The region's own waiting period where its catalogue states one, else the longest allowed."""
    stated = desk.office.catalogues.parameter_in_force(
        move.region_code, OPERATIONS[Side.IN], "transfer.waiting_months", desk.today
    )
    return int(stated.parameter.value) if stated else desk.office.rules.longest_waiting_months
