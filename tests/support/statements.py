"""How many SQL statements a piece of work takes: asserted, so that they cannot creep.

Counted are the statements sent, savepoints included; BEGIN and COMMIT are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine


@contextmanager
def assert_statements(engine: AsyncEngine, at_most: int) -> Iterator[list[str]]:
    """Fails if the block sends more than ``at_most`` statements, and shows them. Gives the list."""
    sent: list[str] = []

    def note(_: Connection, __: object, statement: str, *___: object) -> None:
        sent.append(" ".join(statement.split()))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
    lines = "\n".join(f"{number:3} {statement[:150]}" for number, statement in enumerate(sent, start=1))
    assert len(sent) <= at_most, f"{len(sent)} statements, not {at_most}:\n{lines}"
