"""What only Kafka can do wrong: outages, produce errors, refused records, commits that never end."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from structlog.testing import capture_logs

from libs.eventbus import dead_letters
from libs.eventbus.relay import Relay
from libs.eventbus.transport import ProducerBroken, RecordRefused, Unavailable
from libs.eventbus.transports.kafka import KafkaTransport
from libs.eventbus.transports.kafka_subscription import KafkaSubscription
from libs.runtime.kafka import EmbeddedKafka
from tests.libs.eventbus.harness import (
    AT,
    TOPIC,
    OwnNames,
    Service,
    collect,
    recording_handlers,
    running,
    until,
)
from tests.support.kafka import MockBroker

pytestmark = pytest.mark.kafka

PRODUCE = 0  # Kafka's number of the request


@pytest.mark.parametrize(
    "outage_s",
    [pytest.param(3.0, id="3 s"), pytest.param(30.0, id="30 s", marks=pytest.mark.slow)],
)
async def test_b8_a_broker_that_is_gone_under_load_costs_nothing_but_time(
    real_kafka: EmbeddedKafka, service: Service, outage_s: float
) -> None:
    transport = OwnNames(KafkaTransport(real_kafka.address, partitions=4, publish_timeout_s=1.0))
    consumer = service.consumer(transport, recording_handlers())
    published = 0

    async def submit(number: int) -> None:
        nonlocal published
        for _ in range(number):
            await service.note(f"case-{published % 7}", published // 7)
            published += 1

    async def drained() -> bool:
        return await service.count("effect") >= published

    async with running(Relay(service.database, transport, retry_delay_s=0.1).run(), consumer.run()):
        await submit(70)
        await until(drained, what="the effects before the outage")
        await asyncio.to_thread(real_kafka.stop)
        until_then = time.monotonic() + outage_s
        while time.monotonic() < until_then:
            await submit(7)
        assert await service.count("outbox") == published - 70
        await asyncio.to_thread(real_kafka.start)
        await submit(70)
        await until(drained, deadline_s=60, what="the effects after the outage")
    await transport.close()
    expected = list(range(published // 7))
    assert await service.effects() == {f"case-{n}": expected for n in range(7)}
    assert await service.count("outbox") == 0


@pytest.fixture
async def mocked(mock_broker: MockBroker) -> KafkaTransport:
    mock_broker.create_topic(TOPIC, 4)
    transport = KafkaTransport(mock_broker.address, create_topics=False)
    await transport.publish(TOPIC, [("warm", b"up")])
    return transport


@pytest.mark.parametrize("code", [6, 7, 19, 56])
async def test_b9_a_passing_produce_error_is_retried_by_the_same_producer(
    mock_broker: MockBroker, mocked: KafkaTransport, code: int
) -> None:
    producer = mocked._producer
    mock_broker.fail(PRODUCE, code, code)
    await mocked.publish(TOPIC, [("case-1", b"1"), ("case-1", b"2")])
    assert mocked._producer is producer
    async with mocked.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, 3)
    assert [record.body for record in records if record.key == "case-1"] == [b"1", b"2"]
    await mocked.close()


@pytest.mark.parametrize("code", [45, 59])
async def test_b9_a_producer_beyond_repair_is_replaced_and_nothing_is_lost(
    mock_broker: MockBroker, mocked: KafkaTransport, code: int
) -> None:
    producer = mocked._producer
    mock_broker.fail(PRODUCE, code)
    with pytest.raises(ProducerBroken):
        await mocked.publish(TOPIC, [("case-1", b"1")])
    await mocked.publish(TOPIC, [("case-1", b"1"), ("case-1", b"2")])
    assert mocked._producer is not producer
    async with mocked.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, 3)
    assert [record.body for record in records if record.key == "case-1"] == [b"1", b"2"]
    await mocked.close()


@pytest.mark.parametrize("code", [6, 45, 59])
async def test_b9_the_relay_delivers_through_produce_errors(
    mock_broker: MockBroker, mocked: KafkaTransport, service: Service, code: int
) -> None:
    mock_broker.fail(PRODUCE, code)
    await service.note("case-1", 1, 2, 3)
    consumer = service.consumer(mocked, recording_handlers())

    async def delivered() -> bool:
        return await service.effects() == {"case-1": [1, 2, 3]}

    async with running(Relay(service.database, mocked, retry_delay_s=0.05).run(), consumer.run()):
        await until(delivered, what="the effects")
    await mocked.close()


async def test_b9_a_record_too_large_for_the_broker_is_dead_lettered_and_its_key_held(
    mock_broker: MockBroker, mocked: KafkaTransport, service: Service
) -> None:
    mock_broker.fail(PRODUCE, 10, 10)  # the batch, then its first record alone
    await service.note("case-1", 1, 2, 3)
    consumer = service.consumer(mocked, recording_handlers())

    async def buried() -> bool:
        return await service.count("dead_letter", "consumer = 'relay' AND fault = 'refused'") == 1

    async with running(Relay(service.database, mocked).run(), consumer.run()):
        await until(buried, what="the dead letter")
        await service.note("case-2", 1)

        async def other_key_goes_on() -> bool:
            return await service.effects() == {"case-2": [1]}

        await until(other_key_goes_on, what="the effect of the other key")
        async with service.sessions.begin() as session:
            (letter,) = await dead_letters.search(session, consumer="relay")
            await dead_letters.replay(session, letter.id, operator="op", reason="limit raised", at=AT)

        async def all_delivered() -> bool:
            return await service.effects() == {"case-2": [1], "case-1": [1, 2, 3]}

        await until(all_delivered, what="the effects after the replay")
    await mocked.close()


async def test_the_brokers_own_limit_finds_the_one_large_record_of_a_batch(real_kafka: EmbeddedKafka) -> None:
    topic = f"narrow.{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=real_kafka.address)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"max.message.bytes": "2000"})])
    await admin.close()
    transport = KafkaTransport(real_kafka.address)
    small = [("a", str(n).encode()) for n in range(300)]
    with pytest.raises(RecordRefused) as refusal:
        await transport.publish(topic, [*small, ("b", b"x" * 5000), ("b", b"after")])
    assert refusal.value.index == 300
    await transport.publish(topic, [("c", b"goes on")])
    async with transport.subscribe("readers", [topic]) as subscription:
        records = await collect(subscription, 301)
    await transport.close()
    assert [record.body for record in records if record.key == "a"] == [body for _, body in small]
    assert "b" not in {record.key for record in records}


async def test_a_topic_is_created_with_the_partitions_of_the_setting(real_kafka: EmbeddedKafka) -> None:
    topic = f"wide.{uuid.uuid4().hex[:8]}"
    transport = KafkaTransport(real_kafka.address, partitions=7)
    await transport.publish(topic, [(f"k{n}", b"") for n in range(200)])
    async with transport.subscribe("readers", [topic]) as subscription:
        records = await collect(subscription, 200)
    await transport.close()
    assert {record.partition for record in records} == set(range(7))


async def test_keys_go_where_kafkas_own_clients_send_them(real_kafka: EmbeddedKafka) -> None:
    topic = f"hashed.{uuid.uuid4().hex[:8]}"
    transport = KafkaTransport(real_kafka.address, partitions=5)
    keys = [f"案件-{n}" for n in range(30)]
    await transport.publish(topic, [(key, b"ours") for key in keys])
    producer = await transport._ready()
    for key in keys:
        await producer.send_and_wait(topic, b"theirs", key.encode())
    async with transport.subscribe("readers", [topic]) as subscription:
        records = await collect(subscription, 60)
    await transport.close()
    for key in keys:
        assert len({record.partition for record in records if record.key == key}) == 1


class NeverCommitting(AIOKafkaConsumer):
    """A consumer whose commit never ends."""

    def __init__(self) -> None:
        """Connects to nothing."""

    async def commit(self, offsets: object = None) -> None:
        await asyncio.Event().wait()

    def __del__(self) -> None:
        """Nothing was opened."""


async def test_a_commit_that_never_ends_is_given_up() -> None:
    with pytest.raises(Unavailable):
        await KafkaSubscription(NeverCommitting(), commit_timeout_s=0.05).commit([])


async def test_without_a_broker_publishing_says_so_and_closing_ends() -> None:
    transport = KafkaTransport("127.0.0.1:1", publish_timeout_s=0.5)
    with capture_logs(), pytest.raises(Unavailable):
        await transport.publish(TOPIC, [("a", b"1")])
    await asyncio.wait_for(transport.close(), timeout=20)
