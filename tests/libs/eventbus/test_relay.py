from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import asyncpg
import pytest
from sqlalchemy import text

from libs.eventbus import dead_letters
from libs.eventbus.envelope import Event
from libs.eventbus.relay import Relay
from libs.eventbus.transport import RecordRefused, Transport, Unavailable
from libs.eventbus.transports.memory import MemoryTransport
from libs.eventbus.transports.postgres_log import PostgresLogTransport
from tests.libs.eventbus.harness import AT, Service, Wire, everything, note, running, until
from tests.libs.eventbus.wrong_relays import CursorRelay, SkipLockedRelay

KEYS = [f"case-{n}" for n in range(30)]


async def write(service: Service, writer: int, transactions: int, per_transaction: int) -> list[Event]:
    """One of many writers: numbers per key are given out under the lock of the key's own row."""
    chance = random.Random(writer)
    published = []
    for _ in range(transactions):
        key = chance.choice(KEYS)
        async with service.sessions.begin() as session:
            last = await session.scalar(
                text("UPDATE counter SET n = n + :by WHERE key = :key RETURNING n"),
                {"key": key, "by": per_transaction},
            )
            published += [await note(session, key, n) for n in range(last - per_transaction, last)]
            # Commits come in another order than ids were given out.
            await session.execute(text(f"SELECT pg_sleep({chance.random() / 200})"))
    return published


async def storm(service: Service, transport: Transport, transactions: int, per_transaction: int) -> Wire:
    """Twenty writers, four relays of which one leaves and one comes in the middle; checks B5."""
    await service.execute("CREATE TABLE counter (key text PRIMARY KEY, n integer NOT NULL DEFAULT 0)")
    await service.execute("INSERT INTO counter SELECT unnest(CAST(:keys AS text[]))", keys=KEYS)

    def relay() -> Relay:
        return Relay(service.database, transport, batch_size=50, lease_s=1.0)

    async with running(relay().run(), relay().run(), relay().run()):
        leaver = asyncio.create_task(relay().run())
        writers = [write(service, n, transactions, per_transaction) for n in range(20)]
        writing = asyncio.gather(*writers)

        async def half_way() -> bool:
            return await service.count("counter", "n > 0") == len(KEYS)

        await until(half_way, what="the middle of the storm")
        leaver.cancel()
        async with running(relay().run()):
            published = [event for some in await writing for event in some]
            wire = await everything(transport, len(published), deadline_s=300)
    assert wire.lost(published) == 0
    assert wire.inversions() == 0
    assert wire.first_copies() == {key: list(range(len(ns))) for key, ns in wire.first_copies().items()}
    return wire


async def test_b5_four_relays_and_twenty_writers_lose_and_invert_nothing(
    service: Service, log_transport: PostgresLogTransport
) -> None:
    wire = await storm(service, log_transport, transactions=20, per_transaction=5)
    assert len(wire.first_copies()) == len(KEYS)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_b5_with_a_hundred_thousand_events(
    service: Service, log_transport: PostgresLogTransport
) -> None:
    await storm(service, log_transport, transactions=100, per_transaction=50)


async def test_control_a_relay_with_a_cursor_loses_a_late_commit(service: Service) -> None:
    transport = MemoryTransport()
    connection = await asyncpg.connect(service.database)
    relay = CursorRelay(connection, transport)
    async with service.sessions.begin() as older:
        late = await note(older, "case-old", 1)
        (early,) = await service.note("case-new", 2)
        await relay.relay_batch()
    await relay.relay_batch()
    await connection.close()
    wire = await everything(transport, 1)
    assert wire.lost([late, early]) == 1


async def test_control_two_relays_with_skip_locked_invert_a_key(service: Service) -> None:
    transport = MemoryTransport()
    await service.note("case-1", 1, 2)
    slow, quick = [await asyncpg.connect(service.database) for _ in range(2)]
    has_rows, may_go_on = asyncio.Event(), asyncio.Event()

    async def be_slow() -> None:
        has_rows.set()
        await may_go_on.wait()

    async def be_quick() -> None:
        """No pause."""

    slow_batch = asyncio.create_task(SkipLockedRelay(slow, transport, be_slow).relay_batch(1))
    await has_rows.wait()
    await SkipLockedRelay(quick, transport, be_quick).relay_batch(1)
    may_go_on.set()
    await slow_batch
    for connection in (slow, quick):
        await connection.close()
    assert (await everything(transport, 2)).inversions() == 1


async def test_a_woken_relay_does_not_sleep_out_its_pause(service: Service) -> None:
    transport = MemoryTransport()
    relay = Relay(service.database, transport, idle_poll_s=3600)
    async with running(relay.run()):

        async def settled() -> bool:
            return await service.count("bus_lease") == 16

        await until(settled, what="the relay's start")
        for n in range(20):  # more often than its pause doubles from 5 ms to an hour
            await service.note("case-1", n)
            relay.wake()
            await everything(transport, n + 1, group=f"tap-{n}")


async def test_relays_on_different_shards_leave_each_other_alone(service: Service) -> None:
    transport = MemoryTransport()
    published = [event for key in KEYS for event in await service.note(key, 1)]
    async with running(Relay(service.database, transport, shards=range(8)).run()):

        async def its_half_is_done() -> bool:
            return await service.count("outbox", "shard < 8") == 0

        await until(its_half_is_done, what="the first half")
        rest = await service.count("outbox")
        assert 0 < rest < len(published)
        async with running(Relay(service.database, transport, shards=range(8, 16)).run()):
            wire = await everything(transport, len(published))
    assert wire.lost(published) == 0


class Moody(MemoryTransport):
    """Refuses one body for good, and is away for the first publish of all."""

    def __init__(self, refused: int | None = None) -> None:
        super().__init__()
        self.refused = refused
        self.away = True

    async def publish(self, topic: str, messages: Sequence[tuple[str, bytes]]) -> None:
        if self.away:
            self.away = False
            raise Unavailable("away")
        for index, (_, body) in enumerate(messages):
            if Event.from_bytes(body).data["n"] == self.refused:
                raise RecordRefused(index, "too large")
        await super().publish(topic, messages)


async def test_a_broker_that_was_away_gets_everything_afterwards(service: Service) -> None:
    transport = Moody()
    published = await service.note("case-1", 1, 2, 3)
    async with running(Relay(service.database, transport, retry_delay_s=0.01).run()):
        wire = await everything(transport, 3)
    assert wire.lost(published) == 0
    assert wire.first_copies() == {"case-1": [1, 2, 3]}


async def refused_letter(service: Service) -> dead_letters.DeadLetter:
    async def buried() -> bool:
        return await service.count("dead_letter", "state = 'open'") == 1

    await until(buried, what="the dead letter")
    async with service.sessions() as session:
        (letter,) = await dead_letters.search(session, consumer="relay")
    return letter


async def test_a_refused_record_becomes_a_dead_letter_and_its_key_waits(service: Service) -> None:
    transport = Moody(refused=2)
    await service.note("case-1", 1, 2, 3)
    await service.note("case-2", 1)
    async with running(Relay(service.database, transport, retry_delay_s=0.01).run()):
        letter = await refused_letter(service)
        wire = await everything(transport, 2)
        await service.note("case-1", 4)
        await service.note("case-2", 5)
        later = await everything(transport, 3, group="another-tap")
    assert (letter.key, letter.fault, letter.reason) == ("case-1", "refused", "too large")
    assert wire.first_copies() == {"case-1": [1], "case-2": [1]}
    assert later.first_copies() == {"case-1": [1], "case-2": [1, 5]}


@pytest.mark.parametrize(("decision", "expected"), [("replay", [1, 2, 3]), ("skip", [1, 3])])
async def test_an_operator_releases_a_key_the_relay_holds(
    service: Service, decision: str, expected: list[int]
) -> None:
    transport = Moody(refused=2)
    await service.note("case-1", 1, 2, 3)
    async with running(Relay(service.database, transport, retry_delay_s=0.01).run()):
        letter = await refused_letter(service)
        transport.refused = None
        async with service.sessions.begin() as session:
            await getattr(dead_letters, decision)(
                session, letter.id, operator="op", reason="limit raised", at=AT
            )
        wire = await everything(transport, len(expected))
    assert wire.first_copies() == {"case-1": expected}
    assert await service.count("outbox") == 0


async def test_a_relay_whose_connections_are_cut_goes_on(service: Service) -> None:
    transport = MemoryTransport()
    async with running(Relay(service.database, transport, retry_delay_s=0.01).run()):
        first = await service.note("case-1", 1)
        await everything(transport, 1)
        watcher = await asyncpg.connect(service.database)
        await watcher.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'relay'"
        )
        await watcher.close()
        second = await service.note("case-1", 2)
        wire = await everything(transport, 2, group="another-tap")
    assert wire.lost([*first, *second]) == 0
