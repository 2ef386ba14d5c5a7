"""Cursor paging: stable under inserts, no OFFSET, no total count."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from libs.refusals.faults import Fault, invalid

Item = TypeVar("Item")

LARGEST_PAGE = 200
PageSize = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="每页条数")]
Cursor = Annotated[str | None, Query(max_length=400, description="上一页答复中的next_cursor")]


class Page(BaseModel, Generic[Item]):
    """One page; ``next_cursor`` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


def encode_cursor(*position: str) -> str:
    """Opaque text of the last row's sort key."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def decode_cursor(cursor: str, parts: int) -> list[str]:
    """The sort key inside. Raises Refusal (invalid) for anything but our own cursors."""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError):
        position = None
    if (
        not isinstance(position, list)
        or len(position) != parts
        or not all(isinstance(part, str) and part.isprintable() for part in position)
    ):
        message = "cursor无效：请原样使用上一页答复中的next_cursor，或去掉它从头查询。"
        raise invalid("cursor", message, [Fault("cursor", message, "/query/cursor")])
    return position
