"""What every service tells about its cases; tracking and messaging live on these.

The payload is the same everywhere, the event type names the producer: ``case_facts("transfer")``
of each producer's module declares its two types.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from libs.contracts.base import Fact


class NoticeItem(BaseModel):
    """One thing a notice asks for or a refusal gives as a reason."""

    code: str
    message: str
    pointer: str = ""
    rule: str | None = None


class CaseMoved(Fact):
    """A case was submitted, moved, or got a new due date. One fact per line of its record."""

    case_no: str
    version: int = Field(description="the case's version after the move; grows by 1")
    region_code: str
    operation: str
    item_key: str
    item_name: str
    edition_id: str
    subject_key: str = Field(description="blind index of the person's credential")
    subject_name_masked: str
    action: str
    action_name: str
    status: str
    status_name: str
    stage: str
    stage_name: str
    actor_kind: Literal["citizen", "officer", "system"]
    actor_name: str
    office: str | None = None
    reason: str | None = None
    notice: list[NoticeItem] = Field(default_factory=list)
    due_on: dt.date | None = None
    due_provisional: bool = False
    assignee: str | None = None
    counterpart_region_code: str | None = None
    at: dt.datetime


class MessageSent(Fact):
    """A message to the applicant, from the item's template, personal data masked."""

    case_no: str
    region_code: str
    subject_key: str
    kind: str
    text: str
    at: dt.datetime

    event_type: ClassVar[str]
