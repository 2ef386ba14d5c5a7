"""What all tables of this service have in common."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Tables of this service."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: BigInteger,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        dt.datetime: DateTime(timezone=True),
    }

    def values(self) -> dict[str, Any]:
        """Column -> value, for INSERT … ON CONFLICT, which the session's own flush cannot say."""
        return {column.key: getattr(self, column.key) for column in self.__table__.columns}
