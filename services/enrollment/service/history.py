"""What a person's data said before and after each change, opened for those who may read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.enrollment.domain.changes import ITEM_NAMES, ChangeItem
from services.enrollment.domain.history import ChangedItem, PastChange
from services.enrollment.domain.people import PersonalData
from services.enrollment.models import Change, Person
from services.enrollment.repository import history
from services.enrollment.service.changing import sealed_context
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import personal_data


async def changes_of(
    desk: Desk, person: Person, *, opened: bool, after: UUID | None, limit: int
) -> list[PastChange]:
    """A page of changes, newest first, behind ``after``; ``opened`` shows what is sealed."""
    rows = await history.changes_of(desk.session, person.id, after=after, limit=limit)
    return [_past(desk, row, opened=opened) for row in rows]


async def people_of(
    desk: Desk, region_code: str, *, after: UUID | None, limit: int
) -> list[tuple[Person, PersonalData]]:
    """A page of the region's records, oldest first, behind ``after``."""
    rows = await history.people_of(desk.session, region_code, after=after, limit=limit)
    return [(row, personal_data(desk.protector, row)) for row in rows]


def _past(desk: Desk, row: Change, *, opened: bool) -> PastChange:
    before, after = _values(desk, row, row.before, opened), _values(desk, row, row.after, opened)
    items = [
        ChangedItem(name, _name_of(name), before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
    ]
    return PastChange(row.id, row.subject_id, row.version, row.changed_at, row.changed_by, row.reason, items)


def _values(desk: Desk, row: Change, told: Mapping[str, Any] | None, opened: bool) -> dict[str, Any]:
    values = dict(told or {})
    sealed: Mapping[str, str | None] = values.pop("sealed", {})
    for item, value in sealed.items():
        context = sealed_context(row.region_code, row.subject_id, item)
        values[item] = desk.protector.decrypt(value, context) if value is not None and opened else None
    return values


def _name_of(item: str) -> str:
    known: Sequence[str] = [one.value for one in ChangeItem]
    return ITEM_NAMES[ChangeItem(item)] if item in known else _OTHER_NAMES.get(item, item)


_OTHER_NAMES = {
    "credential_type": "证件类型",
    "applicant_status": ITEM_NAMES[ChangeItem.APPLICANT_STATUS],
    "subsidy_kind": ITEM_NAMES[ChangeItem.SUBSIDY_KIND],
    "merged_into": "并入的档案",
    "merged": "并入本档案的档案",
    "effects": "合并结果",
}
