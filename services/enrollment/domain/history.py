"""What a person's record said before and after a change."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class ChangedItem:
    """One item of a change; values are None where there was none or they are not the reader's business."""

    item: str
    item_name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class PastChange:
    """One change of a person's record, or of one merged into it (``person_id``)."""

    id: UUID
    person_id: str
    version: int
    changed_at: dt.datetime
    changed_by: str
    reason: str | None
    items: list[ChangedItem]
