"""What time does by itself: reminders before and after the due date, and due dates counted anew."""

from __future__ import annotations

from uuid import UUID

from libs.casebook import clocks
from libs.casework import working_days
from libs.casework.lifecycle import ENDED
from services.transfer import repository
from services.transfer.domain.stages import Stage
from services.transfer.service import limits
from services.transfer.service.desk import Desk


async def cases_to_remind(desk: Desk) -> list[UUID]:
    """Cases nearly due or overdue of which that was not said yet."""
    return await clocks.case_ids_to_remind(desk.session, desk.today)


async def remind(desk: Desk, case_id: UUID) -> bool:
    """Say it once, in the case's record. False if there is nothing (more) to say."""
    case, _ = await desk.open_by_id(case_id)
    return await clocks.remind(desk.office.casebook, desk.session, case, desk.now) is not None


async def cases_to_recompute(desk: Desk) -> list[UUID]:
    """Cases with a provisional date, their own or their stage's, whose holidays are announced now."""
    own = await clocks.case_ids_to_recompute(desk.session)
    stages = await repository.case_ids_with_provisional_stage(desk.session, working_days.SETTLED_UNTIL)
    return sorted({*own, *stages})


async def recompute(desk: Desk, case_id: UUID) -> bool:
    """Count the due dates of case and stage again. False where both stand."""
    case, move = await desk.open_by_id(case_id)
    if case.status in ENDED:
        return False
    moved = await clocks.recompute(desk.office.casebook, desk.session, case, desk.now)
    due = limits.stage_due(desk.office, moved or case, move, Stage(case.stage))
    if due is None:
        return moved is not None
    before = (move.stage_due_on, move.stage_due_provisional)
    move.stage_due_on, move.stage_due_provisional = due.on, due.provisional
    return moved is not None or before != (due.on, due.provisional)
