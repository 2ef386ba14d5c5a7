"""Fixtures of the bus: a service's database, and the three transports."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from libs.eventbus.tables import create_log
from libs.eventbus.transport import Transport
from libs.eventbus.transports.kafka import KafkaTransport
from libs.eventbus.transports.memory import MemoryTransport
from libs.eventbus.transports.postgres_log import PostgresLogTransport
from tests.libs.eventbus.harness import TOPIC, OwnNames, Service, installed
from tests.support.kafka import BUILT_IN, KAFKA_BROKER, Broker

PARTITIONS = 4


@pytest.fixture
async def service(database: str) -> AsyncIterator[Service]:
    """A service with the tables of the bus, installed as a migration installs them."""
    service = await installed(database)
    yield service
    await service.engine.dispose()


@pytest.fixture
async def log_transport(database: str) -> AsyncIterator[PostgresLogTransport]:
    """The Postgres log; its tables stand beside the service's, which disturbs neither."""
    connection = await asyncpg.connect(database)
    await create_log(connection)
    await connection.close()
    transport = PostgresLogTransport(database, partitions=PARTITIONS, lease_s=2.0)
    yield transport
    await transport.close()


@pytest.fixture
async def kafka_transport(kafka_broker: Broker) -> AsyncIterator[Transport]:
    """Kafka, with topics and groups of this test alone."""
    kafka = KafkaTransport(
        kafka_broker.address,
        partitions=PARTITIONS,
        session_timeout_s=6.0,
        create_topics=kafka_broker.creates_topics,
    )
    own = OwnNames(kafka)
    kafka_broker.create_topic(own.name(TOPIC), PARTITIONS)
    yield own
    await own.close()


@pytest.fixture(params=["memory", "postgres_log", pytest.param("kafka", marks=pytest.mark.kafka)])
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each of the three transports in turn."""
    chosen: Transport = (
        MemoryTransport(partitions=PARTITIONS)
        if request.param == "memory"
        else request.getfixturevalue(
            {"postgres_log": "log_transport", "kafka": "kafka_transport"}[request.param]
        )
    )
    return chosen


@pytest.fixture
def takes_commits_from_outside(request: pytest.FixtureRequest, transport: Transport) -> None:
    """For tests of ``rewind``, which librdkafka's broker does not allow."""
    if (KAFKA_BROKER, BUILT_IN) in request.node.user_properties:
        pytest.skip("librdkafka's broker takes no commits from outside a group")
