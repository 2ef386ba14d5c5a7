"""Tracking on the wire."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.casework.lifecycle import Status
from libs.contracts.cases import NoticeItem
from libs.webapp.paging import Cursor, PageSize

RegionCode = Annotated[str, Field(pattern=r"^[1-9]\d{5}$", description="行政区划代码（GB/T 2260，六位）")]
Words = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class QueueFilter(BaseModel):
    """Filters of the work queue; all given ones must hold."""

    model_config = ConfigDict(extra="forbid")

    region: RegionCode | None = Field(default=None, description="只列此行政区划的办件")
    status: list[Status] | None = Field(default=None, description="状态，可多选")
    operation: Words | None = Field(default=None, description="业务，如transfer.in")
    item: Words | None = Field(default=None, description="服务事项编码")
    assignee: Words | None = Field(default=None, description="承办人的登录标识")
    due_by: dt.date | None = Field(default=None, description="办理期限在此日及以前，未办结的")
    overdue: bool = Field(default=False, description="只列已超过办理期限的")
    cursor: Cursor = None
    page_size: PageSize = 50


class TrackedCase(BaseModel):
    """Where a case stands. The applicant's name is masked."""

    case_no: str
    version: int
    region_code: str
    region_name: str
    counterpart_region_code: str | None
    operation: str
    item_key: str
    item_name: str
    applicant_name: str
    status: str
    status_name: str
    stage: str
    stage_name: str
    assignee: str | None
    due_on: dt.date | None = Field(description="当前环节的办理期限；停钟期间没有")
    due_provisional: bool = Field(description="跨入尚未公布节假日安排的年份，公布后重算")
    overdue: bool
    moved_at: dt.datetime


class MoveEntry(BaseModel):
    """A step of the case: who, what, why, what was asked for, due when."""

    kind: Literal["move"] = "move"
    at: dt.datetime
    version: int
    action: str
    action_name: str
    status: str
    status_name: str
    stage: str
    stage_name: str
    actor_kind: Literal["citizen", "officer", "system"]
    actor_name: str
    office: str | None
    reason: str | None
    notice: list[NoticeItem]
    due_on: dt.date | None
    due_provisional: bool


class MessageEntry(BaseModel):
    """A message to the applicant."""

    kind: Literal["message"] = "message"
    at: dt.datetime
    message_kind: str
    text: str


class RatingView(BaseModel):
    """The applicant's rating (好差评)."""

    stars: int
    text: str | None
    rated_at: dt.datetime


class Timeline(BaseModel):
    """A case, everything that happened to it (oldest first), and how it was rated."""

    case: TrackedCase
    entries: list[Annotated[MoveEntry | MessageEntry, Field(discriminator="kind")]]
    rating: RatingView | None


class OfficeTelephone(BaseModel):
    """As the office guide prints it, without dialling code."""

    purpose: Literal["progress", "supervision"]
    number: str


class OfficeContact(BaseModel):
    """Where to go and whom to call about a case."""

    name: str
    address: str
    telephones: list[OfficeTelephone]


class MyCase(TrackedCase):
    """A citizen's case with what to do next."""

    notice: list[NoticeItem] = Field(description="尚待补正的事项，或不予受理、审核不通过的全部理由")
    ratable: bool = Field(description="已办结，可以评价（每件一次）")
    offices: list[OfficeContact]


class Rating(BaseModel):
    """好差评: 1 very bad … 5 very good."""

    model_config = ConfigDict(extra="forbid")

    stars: Annotated[int, Field(strict=True, ge=1, le=5, description="1 非常不满意 … 5 非常满意")]
    text: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")] | None = None
