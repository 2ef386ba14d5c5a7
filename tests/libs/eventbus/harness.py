"""What the tests of the bus share: a fact, its effect, and ways to run, wait and check."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

import asyncpg
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from libs.casework.clock import SHANGHAI
from libs.contracts.base import Fact
from libs.eventbus.consumer import Consumer, Handlers, RetryPolicy
from libs.eventbus.envelope import Event
from libs.eventbus.outbox import publish
from libs.eventbus.tables import create_log, install_v1
from libs.eventbus.transport import Record, Subscription, Transport
from libs.eventbus.transports.kafka import KafkaTransport
from libs.eventbus.transports.postgres_log import PostgresLogTransport
from tests.support.kafka import Broker

TOPIC = "yibao.sample"
EFFECTS = "CREATE TABLE effect (place bigserial PRIMARY KEY, key text NOT NULL, n integer NOT NULL)"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI)
QUICK = RetryPolicy(attempts=3, first_delay_s=0.01, longest_delay_s=0.05)


class Noted(Fact):
    """A fact of a service that exists only in these tests."""

    event_type: ClassVar[str] = "cn.yibao.sample.noted.v1"

    n: int


def sqlalchemy_url(database: str) -> str:
    return database.replace("postgresql://", "postgresql+asyncpg://", 1)


class Service:
    """A service as small as can be: its effects stand in one table, in the order they came."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.engine: AsyncEngine = create_async_engine(sqlalchemy_url(database), pool_size=10)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def note(self, key: str, *numbers: int) -> list[Event]:
        """Publish facts in one committed transaction."""
        async with self.sessions.begin() as session:
            return [await note(session, key, n) for n in numbers]

    def transaction(self, event: Event) -> contextlib.AbstractAsyncContextManager[AsyncSession]:
        """``open_transaction`` of the consumers."""
        return self.sessions.begin()

    def consumer(self, transport: Transport, handlers: Handlers, **settings: Any) -> Consumer:
        usual = {
            "group": "reader",
            "topics": [TOPIC],
            "retry": QUICK,
            "release_poll_s": 0.02,
            "open_transaction": self.transaction,
        }
        return Consumer(handlers=handlers, transport=transport, **(usual | settings))

    async def effects(self) -> dict[str, list[int]]:
        """Numbers per key, in the order of their effects."""
        async with self.sessions() as session:
            rows = await session.execute(text("SELECT key, n FROM effect ORDER BY place"))
            found: defaultdict[str, list[int]] = defaultdict(list)
            for key, n in rows:
                found[key].append(n)
            return dict(found)

    async def count(self, table: str, condition: str = "true") -> int:
        async with self.sessions() as session:
            counted = await session.scalar(text(f"SELECT count(*) FROM {table} WHERE {condition}"))
            return int(counted)

    async def execute(self, statement: str, **values: Any) -> None:
        async with self.sessions.begin() as session:
            await session.execute(text(statement), values)


async def installed(database: str) -> Service:
    """A service whose tables have been installed as a migration installs them."""
    service = Service(database)
    async with service.engine.begin() as connection:
        await connection.run_sync(_migrate)
    return service


def _migrate(connection: Connection) -> None:
    operations = Operations(MigrationContext.configure(connection))
    install_v1(operations)
    operations.execute(EFFECTS)


async def note(session: AsyncSession, key: str, n: int) -> Event:
    return await publish(session, Noted(n=n), key=key, region_code="370400", subject=key, at=AT)


async def record_effect(session: AsyncSession, event: Event, fact: Noted) -> None:
    await session.execute(
        text("INSERT INTO effect (key, n) VALUES (:key, :n)"), {"key": event.partitionkey, "n": fact.n}
    )


def recording_handlers() -> Handlers:
    """Every fact leaves its effect."""
    handlers = Handlers()
    handlers.on(Noted)(record_effect)
    return handlers


class OwnNames:
    """A transport whose topics and groups are this test's alone on a broker that tests share."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._suffix = f".{uuid.uuid4().hex[:8]}"

    def name(self, name: str) -> str:
        return name + self._suffix

    async def publish(self, topic: str, messages: Sequence[tuple[str, bytes]]) -> None:
        await self._transport.publish(self.name(topic), messages)

    @contextlib.asynccontextmanager
    async def subscribe(self, group: str, topics: Collection[str]) -> AsyncIterator[OwnSubscription]:
        own = [self.name(topic) for topic in topics]
        async with self._transport.subscribe(self.name(group), own) as subscription:
            yield OwnSubscription(subscription, self._suffix)

    async def rewind(self, group: str, topics: Collection[str]) -> None:
        await self._transport.rewind(self.name(group), [self.name(topic) for topic in topics])

    async def close(self) -> None:
        await self._transport.close()


class OwnSubscription:
    """Its subscription, which speaks of the topics by their plain names."""

    def __init__(self, subscription: Subscription, suffix: str) -> None:
        self._subscription = subscription
        self._suffix = suffix

    async def fetch(self, max_records: int) -> list[Record]:
        records = await self._subscription.fetch(max_records)
        return [replace(record, topic=record.topic.removesuffix(self._suffix)) for record in records]

    async def commit(self, records: Collection[Record]) -> None:
        own = [replace(record, topic=record.topic + self._suffix) for record in records]
        await self._subscription.commit(own)


class CountingCommits:
    """A transport that knows how many records have been committed through it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.committed = 0
        self.publish = transport.publish
        self.rewind = transport.rewind
        self.close = transport.close

    @contextlib.asynccontextmanager
    async def subscribe(self, group: str, topics: Collection[str]) -> AsyncIterator[Subscription]:
        async with self._transport.subscribe(group, topics) as subscription:
            yield CountingSubscription(self, subscription)

    def reached(self, number: int) -> Callable[[], Awaitable[bool]]:
        async def reached() -> bool:
            return self.committed >= number

        return reached


class CountingSubscription:
    """Its subscription."""

    def __init__(self, counter: CountingCommits, subscription: Subscription) -> None:
        self._counter = counter
        self._subscription = subscription
        self.fetch = subscription.fetch

    async def commit(self, records: Collection[Record]) -> None:
        await self._subscription.commit(records)
        self._counter.committed += len(records)


@contextlib.asynccontextmanager
async def running(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run in the background; an error in there ends the test at once."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        yield
        for task in tasks:
            task.cancel()


async def until(
    condition: Callable[[], Awaitable[bool]], *, deadline_s: float = 30.0, what: str = "it"
) -> None:
    """Wait for a condition; a test never waits for a span of time."""
    end = time.monotonic() + deadline_s
    while not await condition():
        assert time.monotonic() < end, f"{what} has not come about within {deadline_s} s"
        await asyncio.sleep(0.01)


async def collect(subscription: Subscription, number: int, *, deadline_s: float = 30.0) -> list[Record]:
    """Fetch until so many records have come."""
    records: list[Record] = []
    end = time.monotonic() + deadline_s
    while len(records) < number:
        assert time.monotonic() < end, f"{len(records)} of {number} records within {deadline_s} s"
        records.extend(await subscription.fetch(100))
    return records


class Wire:
    """What has gone over the wire, for the check of losses and inversions."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.events = [Event.from_bytes(record.body) for record in records]

    def first_copies(self) -> dict[str, list[int]]:
        """Numbers per key in the order of their first copy."""
        seen: set[object] = set()
        found: defaultdict[str, list[int]] = defaultdict(list)
        for event in self.events:
            if event.id not in seen:
                seen.add(event.id)
                found[event.partitionkey].append(event.data["n"])
        return dict(found)

    def lost(self, published: Collection[Event]) -> int:
        arrived = {event.id for event in self.events}
        return sum(event.id not in arrived for event in published)

    def inversions(self) -> int:
        """Neighbours of one key, the later of which was published first."""
        return sum(
            later < earlier
            for numbers in self.first_copies().values()
            for earlier, later in itertools.pairwise(numbers)
        )


async def everything(
    transport: Transport, number: int, *, group: str = "wire-tap", deadline_s: float = 30.0
) -> Wire:
    """Read a topic from its beginning until so many different events have come."""
    records: list[Record] = []
    ids: set[uuid.UUID] = set()
    async with transport.subscribe(group, [TOPIC]) as subscription:

        async def enough() -> bool:
            fetched = await subscription.fetch(1000)
            records.extend(fetched)
            ids.update(Event.from_bytes(record.body).id for record in fetched)
            return len(ids) >= number

        await until(enough, deadline_s=deadline_s, what=f"the arrival of {number} events")
    return Wire(records)


@contextlib.asynccontextmanager
async def postgres_log_at(url: str, partitions: int) -> AsyncIterator[PostgresLogTransport]:
    """The Postgres log in this database; its tables stand beside a service's, which disturbs neither."""
    connection = await asyncpg.connect(url)
    await create_log(connection)
    await connection.close()
    transport = PostgresLogTransport(url, partitions=partitions, lease_s=2.0)
    try:
        yield transport
    finally:
        await transport.close()


@contextlib.asynccontextmanager
async def kafka_at(broker: Broker, topic: str, partitions: int) -> AsyncIterator[OwnNames]:
    """Kafka, with topics and groups of this test alone; ``topic`` is there already."""
    kafka = KafkaTransport(
        broker.address,
        partitions=partitions,
        session_timeout_s=6.0,
        create_topics=broker.creates_topics,
    )
    own = OwnNames(kafka)
    broker.create_topic(own.name(topic), partitions)
    try:
        yield own
    finally:
        await own.close()
