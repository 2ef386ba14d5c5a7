"""The case that is never answered: found, chased, and visible."""

from __future__ import annotations

from uuid import UUID

from libs.casebook.cases import Case
from libs.casework.lifecycle import Action
from libs.casework.working_days import working_days_between
from libs.exchange.bodies import Inquiry
from libs.exchange.envelope import Kind
from services.transfer import repository
from services.transfer.domain.stages import AWAITING_OTHER_CITY, Stage, require_stage
from services.transfer.models import Move
from services.transfer.service.desk import Desk

# What we wait for at each stage, as the inquiry names it.
_AWAITED = {
    Stage.AWAITING_SHEET: Kind.INFORMATION_SHEET,
    Stage.AWAITING_FUNDS: Kind.FUND_NOTICE,
    Stage.AWAITING_COMPLETION: Kind.COMPLETION,
}


async def unanswered(desk: Desk) -> list[UUID]:
    """Cases whose other city is past its limit and was not asked within the chase interval."""
    stages = [stage.value for stage in AWAITING_OTHER_CITY]
    overdue = await repository.overdue_moves(desk.session, stages, desk.today)
    return [move.case_id for move in overdue if _is_due(desk, move)]


async def chase(desk: Desk, case_id: UUID) -> bool:
    """Send an inquiry for this case if it is (still) due; False if it is not."""
    case, move = await desk.open_by_id(case_id)
    if case.stage not in AWAITING_OTHER_CITY or not _is_due(desk, move):
        return False
    await inquire(desk, case, move, None)
    return True


async def inquire(desk: Desk, case: Case, move: Move, remark: str | None) -> Case:
    """催办: ask the other city, and keep in the record that we did."""
    require_stage(case.stage, *sorted(AWAITING_OTHER_CITY))
    overdue = max(working_days_between(move.stage_due_on, desk.today), 0) if move.stage_due_on else 0
    case = await desk.step(
        case,
        move,
        Action.ADVANCE,
        Stage(case.stage),
        name="催办",
        reason=remark,
        details={"overdue_working_days": overdue},
    )
    move.inquiries += 1
    move.last_inquiry_on = desk.today
    body = Inquiry(
        about_kind=_AWAITED[Stage(case.stage)],
        waiting_since=move.stage_since,
        overdue_working_days=overdue,
        remark=remark,
    )
    await desk.tell(case, move, Kind.INQUIRY, body)
    return case


def _is_due(desk: Desk, move: Move) -> bool:
    if not move.is_open or move.stage_due_on is None or desk.today <= move.stage_due_on:
        return False
    last = move.last_inquiry_on
    interval = desk.office.rules.chase_interval_working_days
    return last is None or working_days_between(last, desk.today) >= interval
