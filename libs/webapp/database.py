"""A service's database: engine, and transactions that see only the regions they may.

``yibao.regions`` is what row-level security compares with (second line of region isolation);
it is set for the transaction only, so a pooled connection never carries it to the next caller.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from libs.webapp.read_pool import ReadPool

ALL_REGIONS = ("*",)
_SET_REGIONS = text("SELECT set_config('yibao.regions', :regions, true)")


class Database:
    """Connections of one service to its own database (``postgresql://`` URL)."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            hide_parameters=True,  # an error's text goes to the log, personal data must not
        )
        self.reads = ReadPool(url, pool_size)

    @asynccontextmanager
    async def transaction(self, regions: Iterable[str]) -> AsyncIterator[AsyncSession]:
        """One transaction, committed at the end of the block, rolled back on any exception."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            await session.execute(_SET_REGIONS, {"regions": ",".join(regions)})
            yield session

    def reading(self, regions: Iterable[str]) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """A connection of asyncpg that only reads and sees these regions alone, for the hot paths."""
        return self.reads.reading(regions)

    async def close(self) -> None:
        """Close all pooled connections."""
        await self.reads.close()
        await self.engine.dispose()


async def asyncpg_of(session: AsyncSession) -> asyncpg.Connection:
    """asyncpg's own connection below a session: a prepared read inside the session's transaction."""
    raw = await (await session.connection()).get_raw_connection()
    return raw.driver_connection
