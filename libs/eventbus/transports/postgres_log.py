"""The Postgres log: a small broker made of tables, for sites that run no Kafka.

Records are appended by the relays alone (``log_append`` gives out the offsets under the lock of
the partition, so no reader skips a number that commits late) and are read in offset order. The
members of a group share the partitions by leases; a commit proves the ownership, so the position
of a partition only moves by the hand of its owner.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

import asyncpg

from libs.eventbus.leases import DATABASE_GONE, OWNED, Leases
from libs.eventbus.transport import GroupRunning, OwnershipLost, Record, RecordRefused, Unavailable, too_large

CHANNEL = "yibao_log"


class Slot(NamedTuple):
    """One partition of a topic."""

    topic: str
    partition: int

    @property
    def name(self) -> str:
        """Its name among the leases."""
        return f"{self.topic}/{self.partition}"


class PostgresLogTransport:
    """Topics in the tables of ``create_log``, reached as ``postgresql://…``.

    ``partitions`` counts for topics made from now on. ``lease_s``: how long the partitions of a
    vanished member wait for another. ``fetch_wait_s``: longest wait of an empty fetch; appends of
    any process wake it at once (LISTEN).
    """

    def __init__(
        self,
        database_url: str,
        *,
        partitions: int = 12,
        lease_s: float = 10.0,
        fetch_wait_s: float = 1.0,
        max_connections: int = 8,
    ) -> None:
        self._database_url = database_url
        self._new_partitions = partitions
        self._lease_s = lease_s
        self._fetch_wait_s = fetch_wait_s
        self._max_connections = max_connections
        self._pool: asyncpg.Pool | None = None
        self._pool_lock = asyncio.Lock()
        self._partitions: dict[str, int] = {}

    async def publish(self, topic: str, messages: Sequence[tuple[str, bytes]]) -> None:
        for index, (_, body) in enumerate(messages):
            if reason := too_large(body):
                raise RecordRefused(index, reason)
        count = (await self._partition_counts([topic]))[topic]
        partitions = [crc32(key.encode()) % count for key, _ in messages]
        keys = [key for key, _ in messages]
        bodies = [body for _, body in messages]
        with unavailable_without_database():
            pool = await self._connected()
            await pool.execute("SELECT log_append($1, $2, $3, $4)", topic, partitions, keys, bodies)

    @contextlib.asynccontextmanager
    async def subscribe(self, group: str, topics: Collection[str]) -> AsyncIterator[LogSubscription]:
        counts = await self._partition_counts(topics)
        slots = [Slot(topic, n) for topic in sorted(topics) for n in range(counts[topic])]
        with unavailable_without_database():
            pool = await self._connected()
            ear = await asyncpg.connect(self._database_url)
            try:
                async with Leases(pool, f"group {group}", lease_s=self._lease_s) as leases:
                    subscription = LogSubscription(pool, ear, group, slots, leases, self._fetch_wait_s)
                    await ear.add_listener(CHANNEL, subscription.heard)
                    yield subscription
            finally:
                ear.terminate()

    async def rewind(self, group: str, topics: Collection[str]) -> None:
        with unavailable_without_database():
            pool = await self._connected()
            if await pool.fetchval(_IS_RUNNING, f"group {group}"):
                raise GroupRunning(group)
            await pool.execute(_REWIND, group, list(topics))

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await pool.close()

    async def _connected(self) -> asyncpg.Pool:
        async with self._pool_lock:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._database_url, min_size=0, max_size=self._max_connections
                )
            return self._pool

    async def _partition_counts(self, topics: Collection[str]) -> dict[str, int]:
        missing = [topic for topic in topics if topic not in self._partitions]
        if missing:
            with unavailable_without_database():
                pool = await self._connected()
                async with pool.acquire() as connection, connection.transaction():
                    await connection.execute("SELECT pg_advisory_xact_lock(20243)")
                    await connection.execute(_MAKE_TOPICS, missing, self._new_partitions)
                rows = await pool.fetch(_PARTITIONS, missing)
            self._partitions |= {row["topic"]: row["count"] for row in rows}
        return self._partitions


class LogSubscription:
    """One member of a group."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        ear: asyncpg.Connection,
        group: str,
        slots: Sequence[Slot],
        leases: Leases,
        fetch_wait_s: float,
    ) -> None:
        self._pool = pool
        self._ear = ear
        self._group = group
        self._slots = {slot.name: slot for slot in slots}
        self._leases = leases
        self._fetch_wait_s = fetch_wait_s
        self._next: dict[Slot, int] = {}
        self._appended = asyncio.Event()

    def heard(self, connection: object, pid: int, channel: str, topic: object) -> None:
        """Something was appended to a topic."""
        if any(slot.topic == topic for slot in self._next):
            self._appended.set()

    async def fetch(self, max_records: int) -> Sequence[Record]:
        if self._ear.is_closed():
            raise Unavailable("the listening connection is gone")
        with unavailable_without_database():
            self._appended.clear()
            records = await self._read(max_records)
            if not records:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._fetch_wait_s):
                        await self._appended.wait()
                records = await self._read(max_records)
        return records

    async def commit(self, records: Collection[Record]) -> None:
        ends = _ends(records)
        with unavailable_without_database():
            committed = await self._pool.fetchval(
                _COMMIT, self._leases.scope, self._leases.member, self._group, *_columns(ends)
            )
        if committed != len(ends):
            self._leases.lost()
            raise OwnershipLost(f"{len(ends) - committed} partitions went to another member of {self._group}")

    async def _read(self, max_records: int) -> list[Record]:
        await self._take_up(await self._leases.share(self._slots))
        rows = await self._pool.fetch(_READ, *_columns(self._next), max_records)
        records = [Record(*row) for row in rows]
        for slot, end in _ends(records).items():
            # Going to the end of the queue gives every other partition its turn first.
            self._next.pop(slot)
            self._next[slot] = end
        return records

    async def _take_up(self, owned: Collection[str]) -> None:
        """Go on where the group stands with partitions that are new, forget those that went."""
        slots = {self._slots[name] for name in owned}
        self._next = {slot: offset for slot, offset in self._next.items() if slot in slots}
        if gained := {slot: 0 for slot in slots if slot not in self._next}:
            _, topics, partitions, _ = _columns(gained)
            rows = await self._pool.fetch(_POSITIONS, self._group, topics, partitions)
            self._next |= {Slot(row["topic"], row["partition"]): row["next_offset"] for row in rows}


def _ends(records: Collection[Record]) -> dict[Slot, int]:
    """Per partition the offset behind its last record."""
    ends: dict[Slot, int] = {}
    for record in records:
        slot = Slot(record.topic, record.partition)
        ends[slot] = max(ends.get(slot, 0), record.offset + 1)
    return ends


def _columns(offsets: Mapping[Slot, int]) -> tuple[list[str], list[str], list[int], list[int]]:
    """Names, topics, partitions, offsets: arrays for ``unnest``."""
    return (
        [slot.name for slot in offsets],
        [slot.topic for slot in offsets],
        [slot.partition for slot in offsets],
        list(offsets.values()),
    )


@contextlib.contextmanager
def unavailable_without_database() -> Iterator[None]:
    """Turn errors of the database into ``Unavailable``."""
    try:
        yield
    except DATABASE_GONE as error:
        raise Unavailable(f"the database of the log: {error!r}") from error


# Under a lock, because a topic's number of partitions never changes once it has been used.
_MAKE_TOPICS = """
    INSERT INTO log_partition (topic, partition)
    SELECT topic, n FROM unnest($1::text[]) AS topic, generate_series(0, $2::integer - 1) AS n
    WHERE NOT EXISTS (SELECT FROM log_partition AS made WHERE made.topic = topic.topic)
"""

_PARTITIONS = "SELECT topic, count(*) FROM log_partition WHERE topic = ANY ($1::text[]) GROUP BY topic"

_IS_RUNNING = "SELECT EXISTS (SELECT FROM bus_member WHERE scope = $1 AND expires_at > clock_timestamp())"

_REWIND = 'DELETE FROM log_position WHERE "group" = $1 AND topic = ANY ($2::text[])'

_READ = """
    SELECT r.topic, r.partition, r."offset", r.key, r.body
    FROM unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[])
         AS wanted (slot, topic, partition, next_offset)
    CROSS JOIN LATERAL (
        SELECT * FROM log_record AS l
        WHERE l.topic = wanted.topic AND l.partition = wanted.partition AND l."offset" >= wanted.next_offset
        ORDER BY l."offset" LIMIT $5
    ) AS r
    LIMIT $5
"""

_POSITIONS = """
    SELECT wanted.topic, wanted.partition, coalesce(p.next_offset, 0) AS next_offset
    FROM unnest($2::text[], $3::smallint[]) AS wanted (topic, partition)
    LEFT JOIN log_position AS p
           ON p."group" = $1 AND p.topic = wanted.topic AND p.partition = wanted.partition
"""

_COMMIT = f"""
    WITH owned AS MATERIALIZED ({OWNED}),
    moved AS (
        INSERT INTO log_position ("group", topic, partition, next_offset)
        SELECT $3, ends.topic, ends.partition, ends.next_offset
        FROM unnest($4::text[], $5::text[], $6::smallint[], $7::bigint[])
             AS ends (slot, topic, partition, next_offset)
        JOIN owned USING (slot)
        ORDER BY ends.slot
        ON CONFLICT ("group", topic, partition) DO UPDATE SET next_offset = excluded.next_offset
        RETURNING 1
    )
    SELECT count(*) FROM moved
"""
