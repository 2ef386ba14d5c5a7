"""Many rows in one statement: arrays go to the server once, it takes them apart.

COPY would be faster still, but PostgreSQL has none into tables with row-level security.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.models import Base

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


async def insert_many(session: AsyncSession, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> int:
    """Store rows in their order; all have the columns of the first. How many were stored:

    those that any unique index had already are left out.
    """
    if not rows:
        return 0
    columns = tuple(rows[0])
    documents = {name for name in columns if isinstance(model.__table__.columns[name].type, JSONB)}
    arrays = {
        name: [_document(row[name]) for row in rows] if name in documents else [row[name] for row in rows]
        for name in columns
    }
    result = await session.execute(_insert(model, columns), arrays)
    return int(result.rowcount)  # type: ignore[attr-defined]


def _document(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


@cache
def _insert(model: type[Base], columns: tuple[str, ...]) -> TextClause:
    table = model.__table__
    arrays, taken = [], []
    for name in columns:
        kind = table.columns[name].type
        is_document = isinstance(kind, JSONB)
        arrays.append(f"CAST(:{name} AS {'text' if is_document else kind.compile(dialect=_DIALECT)}[])")
        taken.append(f"CAST(given.{name} AS jsonb)" if is_document else f"given.{name}")
    names = ", ".join(columns)
    return text(
        f"INSERT INTO {table.name} ({names}) SELECT {', '.join(taken)} "
        f"FROM unnest({', '.join(arrays)}) AS given ({names}) ON CONFLICT DO NOTHING"
    )
