"""Answers about a person's history, and the list of a region's records."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from libs.casebook.cases import mask_name
from libs.identifiers.credentials import masked
from services.enrollment.domain.history import ChangedItem, PastChange
from services.enrollment.domain.people import PersonalData
from services.enrollment.models import Person


class ChangedItemView(BaseModel):
    """变更的一项。"""

    item: str
    item_name: str
    before: Any = Field(description="变更前；无权查看的为null")
    after: Any = Field(description="变更后；无权查看的为null")

    @classmethod
    def of(cls, item: ChangedItem) -> Self:
        return cls(item=item.item, item_name=item.item_name, before=item.before, after=item.after)


class PastChangeView(BaseModel):
    """一次变更。"""

    person_id: str = Field(description="变更时所在的档案；并入的档案与现档案编号不同")
    version: int
    changed_at: dt.datetime
    changed_by: str
    reason: str | None = Field(description="办件编号或原因")
    items: list[ChangedItemView]

    @classmethod
    def of(cls, past: PastChange) -> Self:
        columns = ("person_id", "version", "changed_at", "changed_by", "reason")
        told = {name: getattr(past, name) for name in columns}
        return cls(**told, items=[ChangedItemView.of(item) for item in past.items])


class HistoryPage(BaseModel):
    """变更历史，最近的在前。"""

    opened: bool = Field(description="变更前后内容是否对查询人开放（本人、审核和稽核人员）")
    items: list[PastChangeView]
    next_cursor: str | None = None


class PersonLine(BaseModel):
    """档案一览的一行；姓名、号码隐去部分。"""

    id: UUID
    region_code: str
    name_masked: str
    credential_masked: str
    sex: Literal["男", "女"]
    birth_date: dt.date
    version: int
    merged_into: UUID | None
    created_at: dt.datetime

    @classmethod
    def of(cls, person: Person, data: PersonalData) -> Self:
        columns = ("id", "region_code", "sex", "birth_date", "version", "merged_into", "created_at")
        told = {name: getattr(person, name) for name in columns}
        return cls(**told, name_masked=mask_name(data.name), credential_masked=masked(data.credential.number))
