"""A member of a Kafka consumer group, and what producer and consumer have in common."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterator, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from libs.eventbus.transport import OwnershipLost, Record, Unavailable

log = structlog.get_logger(__name__)


class KafkaSubscription:
    """One member of a consumer group."""

    def __init__(self, consumer: AIOKafkaConsumer, commit_timeout_s: float) -> None:
        self._consumer = consumer
        self._commit_timeout_s = commit_timeout_s

    async def fetch(self, max_records: int) -> Sequence[Record]:
        with unavailable_without_broker():
            fetched = await self._consumer.getmany(timeout_ms=500, max_records=max_records)
        return [
            Record(
                slot.topic, slot.partition, r.offset, (r.key or b"").decode(errors="replace"), r.value or b""
            )
            for slot, records in fetched.items()
            for r in records
        ]

    async def commit(self, records: Collection[Record]) -> None:
        ends: dict[TopicPartition, int] = {}
        for record in records:
            slot = TopicPartition(record.topic, record.partition)
            ends[slot] = max(ends.get(slot, 0), record.offset + 1)
        try:
            with unavailable_without_broker():
                async with asyncio.timeout(self._commit_timeout_s):
                    await self._consumer.commit(ends)
        except (CommitFailedError, IllegalStateError) as error:
            raise OwnershipLost(repr(error)) from error


@contextlib.contextmanager
def unavailable_without_broker() -> Iterator[None]:
    """Turn errors of the client into ``Unavailable``, those of a lost partition excepted."""
    try:
        yield
    except (CommitFailedError, IllegalStateError):
        raise
    except (KafkaError, OSError) as error:  # TimeoutError is an OSError
        raise Unavailable(repr(error)) from error


async def stop(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Stop a client within bounded time, whatever state its broker is in."""
    try:
        async with asyncio.timeout(5):
            await client.stop()
    except (KafkaError, OSError) as error:
        log.warning("kafka_client_not_stopped_cleanly", error=repr(error))
        connection = client.client if isinstance(client, AIOKafkaProducer) else client._client
        await connection.close()
