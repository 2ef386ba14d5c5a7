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
    # What is the same in all rows (region, moment, kind) is sent once. The first column stays an array.
    same = frozenset(name for name in columns[1:] if all(row[name] == rows[0][name] for row in rows))
    values = {
        name: _sent(model, name, [rows[0][name]] if name in same else [row[name] for row in rows])
        for name in columns
    }
    values |= {name: values[name][0] for name in same}
    result = await session.execute(_insert(model, columns, same), values)
    return int(result.rowcount)  # type: ignore[attr-defined]


def _sent(model: type[Base], name: str, values: list[Any]) -> list[Any]:
    if not _is_document(model, name):
        return values
    return [None if value is None else orjson.dumps(value).decode() for value in values]


@cache
def _is_document(model: type[Base], name: str) -> bool:
    return isinstance(model.__table__.columns[name].type, JSONB)


@cache
def _insert(model: type[Base], columns: tuple[str, ...], same: frozenset[str]) -> TextClause:
    table = model.__table__
    taken, arrays = [], []
    for name in columns:
        kind = table.columns[name].type.compile(dialect=_DIALECT)
        given = f"CAST(:{name} AS {kind})" if name in same else f"given.{name}"
        taken.append(f"CAST({given} AS jsonb)" if _is_document(model, name) and name not in same else given)
        if name not in same:
            arrays.append((name, "text" if _is_document(model, name) else kind))
    sent = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in arrays)
    return text(
        f"INSERT INTO {model.__tablename__} ({', '.join(columns)}) SELECT {', '.join(taken)} "
        f"FROM unnest({sent}) AS given ({', '.join(name for name, _ in arrays)}) ON CONFLICT DO NOTHING"
    )
