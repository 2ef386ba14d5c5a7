"""Connections for reads: asyncpg's own, with its prepared statements, in read-only transactions.

What SQLAlchemy's session does for a write (objects that know what changed, a savepoint's state, its own
dialect over asyncpg) took half of a read's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache

import asyncpg

from libs.eventbus.faults import DatabaseAway

# For a free connection: as long as SQLAlchemy's own pool waits.
_PATIENCE_S = 30.0


class _ReadConnection(asyncpg.Connection):
    """Nothing outlives the transactions on it, so giving it back needs no statement of its own."""

    def get_reset_query(self) -> str:
        return ""


class ReadPool:
    """Connections of one database for reads, ``size`` at most, opened when they are first needed."""

    def __init__(self, url: str, size: int) -> None:
        self.url = url
        self._size = size
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self, regions: tuple[str, ...]) -> AsyncIterator[asyncpg.Connection]:
        """A read-only transaction that sees these regions. Raises DatabaseAway without a connection."""
        async with self.connection() as connection:
            await connection.execute(_begin(regions))
            try:
                yield connection
            except BaseException:
                # The first failure is the one to tell; a connection that broke the pool replaces.
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection without a transaction. Raises DatabaseAway."""
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
                    self.url, min_size=0, max_size=self._size, connection_class=_ReadConnection
                )
            return self._pool


@lru_cache(maxsize=1000)
def _begin(regions: tuple[str, ...]) -> str:
    """The transaction and what it may see, in one round trip: SET takes no parameters, so it is quoted.

    ``regions`` come from a token the gateway signed. LOCAL: the next caller finds nothing of it.
    """
    seen = ",".join(regions).replace("'", "''")
    return f"BEGIN READ ONLY; SET LOCAL yibao.regions = '{seen}'"
