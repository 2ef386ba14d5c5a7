"""What everybody asks: the work queue, a case's timeline, my cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NoReturn

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casework import case_numbers
from libs.contracts.cases import NoticeItem
from libs.refusals.faults import not_found
from libs.regions import names
from libs.regions.offices import Office, offices_of, offices_serving
from libs.webapp.callers import Caller, CallerKind
from libs.webapp.database import ALL_REGIONS
from libs.webapp.paging import Page, decode_cursor, encode_cursor
from services.tracking import domain, repository
from services.tracking.repository import Rows, Wanted
from services.tracking.schemas import (
    MessageEntry,
    MoveEntry,
    MyCase,
    OfficeContact,
    OfficeTelephone,
    QueueFilter,
    RatingView,
    Timeline,
    TrackedCase,
)

READ_SCOPE = "tracking.read"


async def work_queue(
    session: AsyncSession, caller: Caller, asked: QueueFilter, today: dt.date
) -> Page[TrackedCase]:
    """Cases of the caller's regions (a citizen's: the own ones), those due first in front.

    Raises Refusal (forbidden) for a foreign region, (invalid) for a cursor that is not ours.
    """
    wanted = _wanted(caller, asked, today)
    rows, cursor = await _page(session, wanted, asked.cursor, asked.page_size)
    return Page(items=[TrackedCase(**_case_fields(row, today)) for row in rows], next_cursor=cursor)


async def timeline(session: AsyncSession, caller: Caller, case_no: str, today: dt.date) -> Timeline:
    """Everything known of a case. Raises Refusal (not found), also where it is not theirs to see."""
    case = await visible_case(session, caller, case_no)
    moves = await repository.moves_of(session, case_no)
    messages = await repository.messages_of(session, case_no)
    rating = await repository.rating_of(session, case_no)
    return Timeline(
        case=TrackedCase(**_case_fields(case, today)),
        entries=_entries(moves, messages),
        rating=RatingView(stars=rating.stars, text=rating.text, rated_at=rating.rated_at) if rating else None,
    )


async def my_cases(
    session: AsyncSession, caller: Caller, cursor: str | None, page_size: int, today: dt.date
) -> Page[MyCase]:
    """A citizen's cases with what is missing and where to turn to."""
    rows, next_cursor = await _page(session, Wanted(subject_key=caller.subject), cursor, page_size)
    notices = await repository.last_notices(session, [row.case_no for row in rows])
    items = [_my_case(row, notices.get(row.case_no, []), today) for row in rows]
    return Page(items=items, next_cursor=next_cursor)


async def visible_case(session: AsyncSession, caller: Caller, case_no: str) -> Row[Any]:
    """The case, for its applicant and the agencies of either region. Raises Refusal (not found)."""
    case = await repository.find_case(session, case_no)
    if case is None:
        _no_case(case_no)
    if caller.kind is CallerKind.CITIZEN and case.subject_key != caller.subject:
        _no_case(case_no)
    if caller.kind is CallerKind.SYSTEM:
        caller.require_scope(READ_SCOPE)
    if not (caller.may_see(case.region_code) or caller.may_see(case.counterpart_region_code or "")):
        _no_case(case_no)
    return case


def _wanted(caller: Caller, asked: QueueFilter, today: dt.date) -> Wanted:
    if caller.kind is CallerKind.SYSTEM:
        caller.require_scope(READ_SCOPE)
    if asked.region is not None:
        caller.require_region(asked.region)
    regions = (asked.region,) if asked.region else caller.regions
    return Wanted(
        regions=None if regions == ALL_REGIONS else regions,
        subject_key=caller.subject if caller.kind is CallerKind.CITIZEN else None,
        statuses=tuple(status.value for status in asked.status) if asked.status else None,
        operation=asked.operation,
        item_key=asked.item,
        assignee=asked.assignee,
        due_by=asked.due_by,
        overdue_on=today if asked.overdue else None,
    )


async def _page(
    session: AsyncSession, wanted: Wanted, cursor: str | None, page_size: int
) -> tuple[Rows, str | None]:
    rows = await repository.list_cases(session, wanted, _position(cursor), page_size + 1)
    if len(rows) <= page_size:
        return rows, None
    last = rows[page_size - 1]
    return rows[:page_size], encode_cursor(last.owed_by.isoformat(), last.case_no)


def _position(cursor: str | None) -> tuple[dt.date, str] | None:
    if cursor is None:
        return None
    owed_by, case_no = decode_cursor(cursor, 2)
    return domain.day_of_cursor(owed_by), str(case_numbers.parse(case_no))


def _case_fields(row: Row[Any], today: dt.date) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in TrackedCase.model_fields if name in row._mapping}
    return fields | {
        "region_name": names.name_of(row.region_code),
        "applicant_name": row.subject_name_masked,
        "overdue": row.owed_by < today,
    }


def _entries(moves: Rows, messages: Rows) -> list[MoveEntry | MessageEntry]:
    """Moves in the order of their versions; messages behind the moves of the same moment."""
    steps = [
        MoveEntry(**{name: row._mapping[name] for name in MoveEntry.model_fields if name != "kind"})
        for row in moves
    ]
    told = [MessageEntry(at=row.at, message_kind=row.kind, text=row.text) for row in messages]
    return sorted([*steps, *told], key=lambda entry: (entry.at, isinstance(entry, MessageEntry)))


def _my_case(row: Row[Any], notice: list[dict[str, Any]], today: dt.date) -> MyCase:
    return MyCase(
        **_case_fields(row, today),
        notice=[NoticeItem(**item) for item in notice] if domain.notice_stands(row.status) else [],
        ratable=row.status in domain.RATABLE,
        offices=[_contact(office, row.item_key) for office in _offices(row.region_code, row.item_key)],
    )


def _offices(region_code: str, item_key: str) -> Sequence[Office]:
    """Where the item is handed in; where the guide does not say, all offices of the region."""
    return offices_serving(region_code, item_key) or offices_of(region_code)


def _contact(office: Office, item_key: str) -> OfficeContact:
    telephones = [
        OfficeTelephone(purpose=phone.purpose, number=phone.number)
        for phone in office.telephones_about(item_key)
    ]
    return OfficeContact(name=office.name, address=office.address, telephones=telephones)


def _no_case(case_no: str) -> NoReturn:
    raise not_found("no_case", f"没有编号为{case_no}的办件，或您无权查看。")
