"""Two well-known relays that are wrong: the suite must be able to tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg

from libs.eventbus.transport import Transport


class CursorRelay:
    """Reads "ids larger than the last one": loses what commits late."""

    def __init__(self, connection: asyncpg.Connection, transport: Transport) -> None:
        self._connection = connection
        self._transport = transport
        self._last = 0

    async def relay_batch(self) -> None:
        rows = await self._connection.fetch(
            "SELECT id, topic, key, body FROM outbox WHERE id > $1 ORDER BY id LIMIT 100", self._last
        )
        for row in rows:
            await self._transport.publish(row["topic"], [(row["key"], row["body"])])
            self._last = row["id"]


class SkipLockedRelay:
    """Shares the rows with others by SKIP LOCKED: overtakes within a key."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        transport: Transport,
        before_publishing: Callable[[], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._before_publishing = before_publishing

    async def relay_batch(self, size: int) -> None:
        async with self._connection.transaction():
            rows = await self._connection.fetch(
                "DELETE FROM outbox WHERE id IN"
                " (SELECT id FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)"
                " RETURNING id, topic, key, body",
                size,
            )
            await self._before_publishing()
            for row in sorted(rows, key=lambda row: row["id"]):
                await self._transport.publish(row["topic"], [(row["key"], row["body"])])
