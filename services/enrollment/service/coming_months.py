"""Residents pay a year at once, and a month counts once it has come: this brings the record up to date.

So a resident who takes up work in July has no months of the year's rest in the way of the employee's,
and stopping in the middle of a year is not refused for months that were paid ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.enrollment.domain.contributing import NewMonth, covers
from services.enrollment.domain.kinds import InsuranceKind, counts_as
from services.enrollment.domain.months import month_of, number_of, text_of
from services.enrollment.domain.payments import Outcome
from services.enrollment.models import Payment
from services.enrollment.repository import coming_months, payers, settlements
from services.enrollment.repository.payers import LockedPerson, MonthToAdd
from services.enrollment.repository.settlements import Settlement
from services.enrollment.service.desk import Desk

CHUNK_YEARS = 500


async def record_chunk(desk: Desk, limit: int = CHUNK_YEARS) -> bool:
    """Record the months that have come for some years paid; whether there were any.

    A year whose relation is leaving waits until the transfer has ended one way or the other.
    """
    this_month = month_of(desk.today)
    rows = await coming_months.lock_due(desk.session, this_month, limit)
    if not rows:
        return False
    region_code = rows[0].region_code
    people = await payers.lock_records(desk.session, [row.person_id for row in rows if row.person_id])
    await payers.add_months(
        desk.session, region_code, await _months(desk, rows, people, this_month), desk.now
    )
    await settlements.settle(desk.session, [_settlement(row, this_month) for row in rows], desk.now)
    return True


async def _months(
    desk: Desk, rows: Sequence[Payment], people: Mapping[UUID, LockedPerson], this_month: str
) -> list[MonthToAdd]:
    ids = {person.id for person in people.values()}
    spells = await payers.spells_of(desk.session, ids)
    due = {(row.file_id, row.row_no): _due(row, this_month) for row in rows}
    known = {
        (month.person_id, month.counts_as, month.month)
        for month in await payers.months_of(desk.session, ids, {m for months in due.values() for m in months})
    }
    found = []
    for row in rows:
        assert row.person_id is not None, "a matched row has its person"
        person, kind = people[row.person_id], InsuranceKind(row.insurance_kind)
        own = [spell for spell, _ in spells[person.id] if spell.insurance_kind == kind]
        for month in due[row.file_id, row.row_no]:
            key = (person.id, counts_as(kind), month)
            if key not in known and any(covers(spell, month) for spell in own):
                known.add(key)
                new = NewMonth(month, row.base_fen or 0, 0)
                found.append(MonthToAdd(person.id, kind, new, row.base_fen is not None, row.serial, None))
    return found


def _due(row: Payment, this_month: str) -> list[str]:
    """Months of the year since the last that was recorded, up to this one."""
    first = max(number_of(row.recorded_through or "") + 1, number_of(f"{row.period}-01"))
    last = min(number_of(this_month), number_of(f"{row.period}-12"))
    return [text_of(number) for number in range(first, last + 1)]


def _settlement(row: Payment, this_month: str) -> Settlement:
    return Settlement(
        row.file_id,
        row.row_no,
        Outcome.MATCHED,
        row.reasons,
        row.person_id,
        row.account_fen,
        row.rule,
        this_month if this_month < f"{row.period}-12" else None,
    )
