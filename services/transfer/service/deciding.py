"""受理, 不予受理, 审核不通过, 撤回: how a move begins, and how it ends before its end."""

from __future__ import annotations

from collections.abc import Sequence

from libs.casebook.cases import Case
from libs.casework.lifecycle import Action
from libs.contracts.transfer import TransferOutCancelled
from libs.exchange.bodies import Withdrawal
from libs.exchange.envelope import Kind
from libs.refusals.faults import Fault, conflict, invalid
from services.transfer import repository
from services.transfer.domain import eligibility
from services.transfer.domain.stages import (
    Regime,
    Side,
    Stage,
    first_stage_after_acceptance,
    require_withdrawable,
)
from services.transfer.models import Move
from services.transfer.service import limits, supplementing, telling
from services.transfer.service.desk import Desk

# As long as the 撤回 form takes (libs/exchange/forms.py).
_LONGEST_REASON = 1000


async def accept(desk: Desk, case: Case, move: Move) -> Case:
    """受理: complete and eligible as far as this end can see; the clock starts today.

    Raises Refusal (conflict) with every reason against it; the officer then refuses or asks.
    """
    faults = await supplementing.still_missing(desk, case) + await reasons_against(desk, case, move)
    if faults:
        raise conflict("not_acceptable", "暂不能受理，原因如下；请一次性告知补正，或不予受理。", faults)
    return await start(desk, case, move)


async def start(desk: Desk, case: Case, move: Move) -> Case:
    """The accepted case begins: clock, first stage, and in the platform regime the first message."""
    side, regime = Side(move.side), Regime(move.regime)
    clock = case.clock or limits.total_clock(
        desk.office.item_of(case), move.region_code, move.counterpart_region_code, desk.today
    )
    move.makers = {**move.makers, desk.actor.subject: "受理"}
    opened_here = not move.conversation_opened
    case = await desk.step(case, move, Action.ACCEPT, first_stage_after_acceptance(side, regime), clock=clock)
    if opened_here and regime is Regime.PLATFORM:
        await telling.send_application(desk, case, move)
    if side is Side.OUT:
        await telling.ask_enrollment_to_prepare(desk, case, move)
    return case


async def refuse(desk: Desk, case: Case, move: Move, reasons: Sequence[str]) -> Case:
    """不予受理 with all reasons: the system's and the officer's. Raises Refusal where there is none."""
    faults = await supplementing.still_missing(desk, case) + await reasons_against(desk, case, move)
    faults += [Fault("officer_reason", reason) for reason in reasons]
    if not faults:
        raise invalid("no_reason", "符合受理条件且未写明理由，不能不予受理。")
    case = await desk.step(case, move, Action.REFUSE, Stage.ENDED, reason=joined(faults), notice=faults)
    await telling.notify_applicant(desk, case, "not_completed", reason=joined(faults))
    return case


async def withdraw(desk: Desk, case: Case, move: Move, reason: str) -> Case:
    """撤回, as long as no money has moved; the other city is told if it knows of the move."""
    require_withdrawable(Side(move.side), case.stage, money_moved=move.money_moved)
    return await end_by_withdrawal(desk, case, move, reason)


async def end_by_withdrawal(
    desk: Desk, case: Case, move: Move, reason: str, *, name: str | None = None
) -> Case:
    """The move ends on this side, and the other city is told."""
    case = await desk.step(case, move, Action.WITHDRAW, Stage.ENDED, name=name, reason=reason)
    await _tell_the_end(desk, case, move, reason)
    return case


async def reject(desk: Desk, case: Case, move: Move, faults: Sequence[Fault]) -> Case:
    """审核不通过 with all reasons, as long as no money has moved; the conversation ends."""
    require_withdrawable(Side(move.side), case.stage, money_moved=move.money_moved)
    return await end_by_rejection(desk, case, move, faults)


async def end_by_rejection(desk: Desk, case: Case, move: Move, faults: Sequence[Fault]) -> Case:
    """The move ends with these reasons; the other city and the applicant are told."""
    reason = joined(faults)
    case = await desk.step(case, move, Action.REJECT, Stage.ENDED, reason=reason, notice=list(faults))
    await _tell_the_end(desk, case, move, reason)
    await telling.notify_applicant(desk, case, "not_completed", reason=reason)
    return case


async def _tell_the_end(desk: Desk, case: Case, move: Move, reason: str) -> None:
    if move.conversation_opened:
        await desk.tell(case, move, Kind.WITHDRAWAL, Withdrawal(reason=reason[:_LONGEST_REASON]))
    await cancel_preparation(desk, case, move, reason)


async def cancel_preparation(desk: Desk, case: Case, move: Move, reason: str) -> None:
    """The transferring-out side lets enrollment end its hold, if it was ever asked for one."""
    if move.side == Side.OUT and case.clock is not None:
        await desk.publish(move, TransferOutCancelled(**telling.fact_of(case, move), reason=reason))


async def reasons_against(desk: Desk, case: Case, move: Move) -> list[Fault]:
    """All reasons this end knows against the move."""
    origin, destination = (
        (move.counterpart_region_code, move.region_code)
        if move.side == Side.IN
        else (move.region_code, move.counterpart_region_code)
    )
    standings = await repository.standings_of(desk.session, move.region_code, move.person_key)
    wish = eligibility.Wish(origin, destination, move.insurance_kind)
    return eligibility.faults_at(Side(move.side), wish, standings)


def joined(faults: Sequence[Fault]) -> str:
    """All reasons in one sentence."""
    return "；".join(fault.message.rstrip("。") for fault in faults) + "。"
