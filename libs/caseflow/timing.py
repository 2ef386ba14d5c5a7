"""What time does to cases by itself: reminders before and after the due date, due dates counted anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

import structlog

from libs.casebook import clocks
from libs.caseflow.desk import CaseDesk

log = structlog.get_logger(__name__)

OpenDesk = Callable[[], AbstractAsyncContextManager[CaseDesk]]


@dataclass(frozen=True)
class Job:
    """Something done to cases by the clock: which ones (a look without locks), and what to each."""

    name: str
    find: Callable[[CaseDesk], Awaitable[Sequence[UUID]]]
    do: Callable[[CaseDesk, UUID], Awaitable[bool]]


async def cases_to_remind(desk: CaseDesk) -> list[UUID]:
    """Cases nearly due or overdue of which that was not said yet."""
    return await clocks.case_ids_to_remind(desk.session, desk.today)


async def remind(desk: CaseDesk, case_id: UUID) -> bool:
    """Say it once, in the case's record. False if there is nothing (more) to say."""
    case = await desk.flow.casebook.load_by_id(desk.session, case_id, lock=True)
    return await clocks.remind(desk.flow.casebook, desk.session, case, desk.now) is not None


async def cases_to_recompute(desk: CaseDesk) -> Sequence[UUID]:
    """Cases with a provisional due date whose holidays are announced now."""
    return await clocks.case_ids_to_recompute(desk.session)


async def recompute(desk: CaseDesk, case_id: UUID) -> bool:
    """Count the due date again. False where it stands."""
    case = await desk.flow.casebook.load_by_id(desk.session, case_id, lock=True)
    return await clocks.recompute(desk.flow.casebook, desk.session, case, desk.now) is not None


REMIND = Job("remind", cases_to_remind, remind)
RECOMPUTE = Job("recompute", cases_to_recompute, recompute)


async def run_job(open_desk: OpenDesk, job: Job) -> int:
    """Look for cases and work on them, one transaction a case. Returns on how many something was done."""
    async with open_desk() as desk:
        found = await job.find(desk)
    done = 0
    for case_id in found:
        try:
            async with open_desk() as desk:
                done += await job.do(desk, case_id)
        except Exception:
            # One case that cannot be worked on must not keep the others from it; it is tried again.
            log.exception("timer_case_failed", job=job.name, case_id=str(case_id))
    return done
