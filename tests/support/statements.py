"""Counting SQL statements, so that a route's number of round trips cannot creep up unseen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


@contextmanager
def assert_statements(engine: AsyncEngine, expected: int) -> Iterator[None]:
    """The block executes exactly ``expected`` statements, besides the one that sets the regions."""
    executed: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "set_config('yibao.regions'" not in statement:
            executed.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", count)
    listing = "\n---\n".join(executed)
    assert len(executed) == expected, f"{len(executed)} statements, expected {expected}:\n{listing}"
