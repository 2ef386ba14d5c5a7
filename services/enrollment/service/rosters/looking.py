"""How far a roster is, what became of its rows, and the file of those to be put right."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from libs.refusals.faults import Fault, conflict
from libs.rosters.error_files import error_file
from libs.rosters.layouts import RosterKind, layout_of
from libs.rosters.reading import open_roster
from services.enrollment.domain.rosters import ENDED, Outcome, RosterState
from services.enrollment.models import Roster, RosterRow
from services.enrollment.repository import rosters
from services.enrollment.service.desk import Desk
from services.enrollment.service.rosters.applying import faults_context
from services.enrollment.service.rosters.receiving import file_context, find, name_context


@dataclass(frozen=True)
class Progress:
    """``rows_per_s`` since it was taken up, ``expected_end`` at that pace; None while there is no pace.

    ``fault_counts``: code of a fault -> rows refused for it, most frequent first.
    """

    roster: Roster
    file_name: str
    rows_per_s: float | None
    expected_end: dt.datetime | None
    fault_counts: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class RowOutcome:
    """A row and, where it was refused, everything against it."""

    row: RosterRow
    faults: Sequence[Fault]


async def progress(desk: Desk, roster_id: UUID) -> Progress:
    """Raises Refusal (not found)."""
    roster = await find(desk, roster_id)
    counts = await rosters.fault_counts(desk.session, roster.id) if roster.state in ENDED else ()
    return _progress(desk, roster, counts)


async def newest(
    desk: Desk, region_code: str, before: tuple[dt.datetime, UUID] | None, limit: int
) -> list[Progress]:
    """A page of a region's rosters, newest first."""
    return [_progress(desk, one) for one in await rosters.newest(desk.session, region_code, before, limit)]


async def outcomes(
    desk: Desk, roster_id: UUID, outcome: Outcome | None, after: int, limit: int
) -> list[RowOutcome]:
    """Rows done so far after row ``after``, in the file's order. Raises Refusal (not found)."""
    roster = await find(desk, roster_id)
    rows = await rosters.rows_of(desk.session, roster.id, outcome, after, limit)
    return [RowOutcome(row, _faults(desk, roster, row)) for row in rows]


async def errors(desk: Desk, roster_id: UUID) -> tuple[Roster, bytes]:
    """The error file. Raises Refusal: not found, conflict while rows are still to be done."""
    roster = await find(desk, roster_id)
    if roster.state not in ENDED:
        message = f"花名册尚未处理完毕（{roster.rows_done}/{roster.rows_total}），完毕后可下载错误文件。"
        raise conflict("roster_unfinished", message)
    rows = await rosters.rows_of(desk.session, roster.id, Outcome.REFUSED, 0, None)
    reasons = {
        row.row_no: "；".join(fault.message.rstrip("。") for fault in _faults(desk, roster, row))
        for row in rows
    }
    sealed = await rosters.content_of(desk.session, roster.id)
    content = desk.protector.decrypt_bytes(sealed, file_context(roster))
    return roster, await asyncio.to_thread(_error_file, content, RosterKind(roster.kind), reasons)


def _error_file(content: bytes, kind: RosterKind, reasons: dict[int, str]) -> bytes:
    return error_file(open_roster(content, layout_of(kind)), reasons)


def _faults(desk: Desk, roster: Roster, row: RosterRow) -> list[Fault]:
    if row.faults is None:
        return []
    told = desk.protector.decrypt(row.faults, faults_context(roster, row.row_no))
    return [Fault(**fault) for fault in orjson.loads(told)]


def _progress(desk: Desk, roster: Roster, fault_counts: Sequence[tuple[str, int]] = ()) -> Progress:
    file_name = desk.protector.decrypt(roster.file_name, name_context(roster))
    pace, end = None, None
    if roster.started_at is not None and roster.rows_done:
        seconds = ((roster.finished_at or desk.now) - roster.started_at).total_seconds()
        pace = roster.rows_done / seconds if seconds > 0 else None
        if pace and roster.state == RosterState.RUNNING:
            end = desk.now + dt.timedelta(seconds=(roster.rows_total - roster.rows_done) / pace)
    return Progress(roster, file_name, pace, end, fault_counts)
