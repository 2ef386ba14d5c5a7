"""The relay: publishes what stands in the outbox, in order per key, at least once.

Every shard of keys has one owner (``leases``). The owner reads its oldest rows, publishes them
outside any transaction, waits for the acknowledgements and deletes exactly these rows, proving in
the same statement that it is still the owner. A crash in between publishes again: consumers
recognise the event id. Two owners for a moment (a stopped process that continues) publish twice,
but each in order, so the first copy of every event is still in order.

It never reads "ids larger than the last one": an older transaction may commit later than a newer
one, and its event would be lost. Nor do several relays share rows with SKIP LOCKED: that
overtakes within a key.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import asyncpg
import structlog

from libs.eventbus import relay_sql as sql
from libs.eventbus.leases import DATABASE_GONE, Leases
from libs.eventbus.tables import SHARDS
from libs.eventbus.transport import RecordRefused, Transport, Unavailable

log = structlog.get_logger(__name__)

_SHORTEST_PAUSE_S = 0.005


class Relay:
    """Moves events from one service's outbox to a transport. Run as many as you like.

    ``shards`` are the shards (0 to 15) it competes for, ``idle_poll_s`` is the longest pause
    between two looks at an empty outbox, ``lease_s`` how long a vanished relay's shards wait.
    """

    def __init__(
        self,
        database_url: str,
        transport: Transport,
        *,
        shards: Sequence[int] = range(SHARDS),
        batch_size: int = 1000,
        idle_poll_s: float = 0.2,
        lease_s: float = 10.0,
        retry_delay_s: float = 0.5,
    ) -> None:
        self._database_url = database_url
        self._transport = transport
        self._slots = [str(shard) for shard in shards]
        self._batch_size = batch_size
        self._idle_poll_s = idle_poll_s
        self._lease_s = lease_s
        self._retry_delay_s = retry_delay_s
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at the outbox now: call it after a commit in the same process."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled; a database or broker that is gone is waited for."""
        while True:
            try:
                async with (
                    sql.pool(self._database_url) as pool,
                    Leases(pool, sql.SCOPE, lease_s=self._lease_s) as leases,
                ):
                    await self._serve(pool, leases)
            except DATABASE_GONE as error:
                log.warning("relay_waits_for_database", error=repr(error))
                await asyncio.sleep(self._retry_delay_s)

    async def _serve(self, pool: asyncpg.Pool, leases: Leases) -> None:
        pause_s = _SHORTEST_PAUSE_S
        while True:
            self._woken.clear()
            if await self._relay_batch(pool, leases):
                pause_s = _SHORTEST_PAUSE_S
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):  # wait_for may swallow a cancellation
                    await self._woken.wait()
            pause_s = min(pause_s * 2, self._idle_poll_s)

    async def _relay_batch(self, pool: asyncpg.Pool, leases: Leases) -> bool:
        """Publish and delete the oldest rows. False if there was nothing to do."""
        shards = [int(slot) for slot in await leases.share(self._slots)]
        rows = await pool.fetch(sql.OLDEST, shards, self._batch_size)
        if not rows:
            return False
        try:
            await self._publish(pool, leases, rows)
        except Unavailable as error:
            log.warning("relay_waits_for_broker", error=str(error), waiting=len(rows))
            await asyncio.sleep(self._retry_delay_s)
        return True

    async def _publish(self, pool: asyncpg.Pool, leases: Leases, rows: Sequence[asyncpg.Record]) -> None:
        for topic in dict.fromkeys(row["topic"] for row in rows):
            batch = [row for row in rows if row["topic"] == topic]
            try:
                await self._transport.publish(topic, [(row["key"], row["body"]) for row in batch])
            except RecordRefused as refusal:
                await sql.bury(pool, leases, batch[refusal.index], refusal.reason)
                return  # the rest is read again, without the key that is now held
            await self._delete(pool, leases, [row["id"] for row in batch])

    async def _delete(self, pool: asyncpg.Pool, leases: Leases, ids: list[int]) -> None:
        deleted = await pool.fetchval(sql.DELETE, sql.SCOPE, leases.member, ids)
        if deleted != len(ids):
            log.warning("relay_fenced", published=len(ids), deleted=deleted)
            leases.lost()
