"""Connections for reads: asyncpg's own, with its prepared statements, for reading only.

What SQLAlchemy's session does for a write (objects that know what changed, a savepoint's state, its own
dialect over asyncpg) took half of a read's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import asyncpg

from libs.eventbus.faults import DatabaseAway

# For a free connection: as long as SQLAlchemy's own pool waits.
_PATIENCE_S = 30.0


class _ReadConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg tells no types
    """Remembers the regions it shows. Giving it back needs no statement: the next caller sets its own."""

    shown: str | None = None

    async def show(self, regions: str) -> None:
        """Row-level security compares with these from now on; after a failure nothing is remembered."""
        if self.shown == regions:
            return
        self.shown = None
        await self.fetchval("SELECT set_config('yibao.regions', $1, false)", regions)
        self.shown = regions

    def get_reset_query(self) -> str:
        return ""


class ReadPool:
    """Connections of one database for reads, ``size`` at most, opened when they are first needed.

    Every statement on them is a read-only transaction of its own. In one transaction with SET LOCAL a
    read of one statement took three round trips, and a round trip is what costs most here; so the regions
    are set for the session, and ``reading`` is the only way to a connection.
    """

    def __init__(self, url: str, size: int) -> None:
        self.url = url
        self._size = size
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def reading(self, regions: Iterable[str]) -> AsyncIterator[asyncpg.Connection]:
        """A connection that reads and sees these regions alone. Raises DatabaseAway without one."""
        async with self._connection() as connection:
            await connection.show(",".join(regions))
            yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        try:
            pool = self._pool or await self._opened()
            connection = await pool.acquire(timeout=_PATIENCE_S)
        except (OSError, TimeoutError) as error:
            raise DatabaseAway(str(error)) from error
        try:
            yield connection
        finally:
            await pool.release(connection)

    async def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _opened(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self.url,
                    min_size=0,
                    max_size=self._size,
                    connection_class=_ReadConnection,
                    server_settings={"default_transaction_read_only": "on"},
                )
            return self._pool
