"""Apache Kafka through aiokafka.

The producer is idempotent and waits for all in-sync replicas. aiokafka itself retries what Kafka
calls retriable (6 not leader, 7 timed out, 19 too few replicas, 56 storage). After anything else,
45 and 59 above all, its sequence numbers are beyond repair for the partition, so the producer is
thrown away and the next publish opens a new one: the records are published again and consumers
recognise those that had arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    CommitFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from aiokafka.partitioner import murmur2

from libs.eventbus.transport import (
    GroupRunning,
    ProducerBroken,
    RecordRefused,
    Unavailable,
    too_large,
)
from libs.eventbus.transports.kafka_subscription import KafkaSubscription, stop, unavailable_without_broker

_BATCH_BYTES = 512 * 1024
_TOPIC_ALREADY_EXISTS = 36
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

Numbered = tuple[int, str, bytes]  # a message and its place in the publish call


class KafkaTransport:
    """Topics of a Kafka cluster.

    Missing topics are created with ``partitions`` and ``replication_factor`` unless
    ``create_topics`` is off. ``client`` holds aiokafka's connection settings (``security_protocol``,
    ``ssl_context``, ``sasl_…``). ``publish_timeout_s`` bounds one publish, after which the producer
    is replaced; ``commit_timeout_s`` a commit, which aiokafka may otherwise wait on for ever.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        partitions: int = 12,
        replication_factor: int = 1,
        create_topics: bool = True,
        publish_timeout_s: float = 30.0,
        commit_timeout_s: float = 10.0,
        session_timeout_s: float = 10.0,
        client: Mapping[str, Any] | None = None,
    ) -> None:
        self._client = {"bootstrap_servers": bootstrap_servers, **(client or {})}
        self._partitions = partitions
        self._replication_factor = replication_factor
        self._create_topics = create_topics
        self._publish_timeout_s = publish_timeout_s
        self._commit_timeout_s = commit_timeout_s
        self._session_timeout_ms = int(session_timeout_s * 1000)
        self._known_topics: set[str] = set()
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(self, topic: str, messages: Sequence[tuple[str, bytes]]) -> None:
        for index, (_, body) in enumerate(messages):
            if reason := too_large(body):
                raise RecordRefused(index, reason)
        numbered = [(index, key, body) for index, (key, body) in enumerate(messages)]
        try:
            await self._send(topic, numbered, _BATCH_BYTES)
        except _TOO_LARGE:
            # The broker refuses a batch as a whole; one by one it says which record it means.
            await self._send(topic, numbered, 1)

    @contextlib.asynccontextmanager
    async def subscribe(self, group: str, topics: Collection[str]) -> AsyncIterator[KafkaSubscription]:
        await self._ensure(topics)
        consumer = AIOKafkaConsumer(
            *topics,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=self._session_timeout_ms // 4,
            **self._client,
        )
        try:
            with unavailable_without_broker():
                await consumer.start()
            yield KafkaSubscription(consumer, self._commit_timeout_s)
        finally:
            await stop(consumer)

    async def rewind(self, group: str, topics: Collection[str]) -> None:
        producer = await self._ready()
        consumer = AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **self._client)
        with unavailable_without_broker():
            try:
                await consumer.start()
                slots = [TopicPartition(t, n) for t in topics for n in await producer.partitions_for(t)]
                consumer.assign(slots)
                await consumer.commit(await consumer.beginning_offsets(slots))
            except CommitFailedError as error:
                raise GroupRunning(group) from error
            finally:
                await stop(consumer)

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop(producer)

    async def _send(self, topic: str, messages: Sequence[Numbered], batch_bytes: int) -> None:
        producer = await self._ready()
        try:
            async with asyncio.timeout(self._publish_timeout_s):
                await self._send_all(producer, topic, messages, batch_bytes)
        except (KafkaError, RecordRefused, TimeoutError) as error:
            await self._discard(producer)
            if isinstance(error, (RecordRefused, *_TOO_LARGE)):
                raise
            raise ProducerBroken(repr(error)) from error

    async def _send_all(
        self, producer: AIOKafkaProducer, topic: str, messages: Sequence[Numbered], batch_bytes: int
    ) -> None:
        await self._ensure([topic])
        count = len(await producer.partitions_for(topic))
        by_partition: defaultdict[int, list[Numbered]] = defaultdict(list)
        for message in messages:
            by_partition[_partition_of(message[1], count)].append(message)
        sending = [
            _send_partition(producer, TopicPartition(topic, n), part, batch_bytes)
            for n, part in by_partition.items()
        ]
        for outcome in await asyncio.gather(*sending, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _ready(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    enable_idempotence=True,
                    max_batch_size=_BATCH_BYTES,
                    max_request_size=2 * _BATCH_BYTES,
                    request_timeout_ms=10_000,
                    **self._client,
                )
                try:
                    with unavailable_without_broker():
                        async with asyncio.timeout(self._publish_timeout_s):
                            await producer.start()
                except BaseException:
                    await stop(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
            self._known_topics.clear()  # the cluster may be another one when it comes back
        sender = producer._sender.sender_task
        sender.cancel()
        await producer.client.close()
        await asyncio.wait([sender], timeout=5)
        # Of itself stop() would wait for what the broken producer will never deliver.
        unsent = producer._message_accumulator
        for batch in (*unsent._pending_batches, *itertools.chain(*unsent._batches.values())):
            batch.future.cancel()
        await stop(producer)

    async def _ensure(self, topics: Collection[str]) -> None:
        missing = [topic for topic in topics if topic not in self._known_topics]
        if missing and self._create_topics:
            await self._create(missing)
        self._known_topics.update(missing)

    async def _create(self, topics: Sequence[str]) -> None:
        admin = AIOKafkaAdminClient(**self._client)
        new = [NewTopic(topic, self._partitions, self._replication_factor) for topic in topics]
        try:
            with unavailable_without_broker():
                await admin.start()
                answer = await admin.create_topics(new)
        finally:
            await admin.close()
        for name, code, *_ in answer.topic_errors:
            if code not in (0, _TOPIC_ALREADY_EXISTS):
                raise Unavailable(f"topic {name} not created, error {code}")


async def _send_partition(
    producer: AIOKafkaProducer, slot: TopicPartition, messages: Sequence[Numbered], batch_bytes: int
) -> None:
    """Send in order, a batch after the other's acknowledgement: nothing overtakes a failure."""
    rest = list(messages)
    while rest:
        batch = producer.create_batch()
        taken = 0
        for _, key, body in rest:
            full = taken and batch.size() + len(body) > batch_bytes
            if full or batch.append(timestamp=None, key=key.encode(), value=body) is None:
                break
            taken += 1
        batch.close()
        try:
            await (await producer.send_batch(batch, slot.topic, partition=slot.partition))
        except _TOO_LARGE as error:
            if taken == 1:
                raise RecordRefused(rest[0][0], repr(error)) from error
            raise
        rest = rest[taken:]


@lru_cache(maxsize=65_536)
def _partition_of(key: str, count: int) -> int:
    """Kafka's own default, so that other producers' records of a key meet ours."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % count
