"""How many SQL statements a piece of work takes: asserted, so that they cannot creep.

Counted are the statements sent, savepoints included; BEGIN and COMMIT are not. Reads that go past
SQLAlchemy (``Database.reading``) count as well, the setting of their regions included.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from unittest.mock import patch

import asyncpg
from sqlalchemy import event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from libs.webapp.read_pool import ReadPool


@contextmanager
def assert_statements(engine: AsyncEngine, at_most: int) -> Iterator[list[str]]:
    """Fails if the block sends more than ``at_most`` statements, and shows them. Gives the list."""
    sent: list[str] = []

    def note(_: Connection, __: object, statement: str, *___: object) -> None:
        sent.append(" ".join(statement.split()))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        with _reads_noted(engine, sent):
            yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)
    lines = "\n".join(f"{number:3} {statement[:150]}" for number, statement in enumerate(sent, start=1))
    assert len(sent) <= at_most, f"{len(sent)} statements, not {at_most}:\n{lines}"


@contextmanager
def _reads_noted(engine: AsyncEngine, sent: list[str]) -> Iterator[None]:
    """Statements of the same database's asyncpg connections, as asyncpg itself tells them."""
    connections = ReadPool._connection

    @asynccontextmanager
    async def told(pool: ReadPool) -> AsyncIterator[asyncpg.Connection]:
        def note(query: asyncpg.connection.LoggedQuery) -> None:
            sent.append(" ".join(query.query.split()))

        async with connections(pool) as connection:
            if make_url(pool.url).database != engine.url.database:
                yield connection
                return
            with connection.query_logger(note):
                yield connection

    with patch.object(ReadPool, "_connection", told):
        yield
