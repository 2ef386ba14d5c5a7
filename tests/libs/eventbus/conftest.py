"""Fixtures of the bus: a service's database, and the three transports."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libs.eventbus.transport import Transport
from libs.eventbus.transports.memory import MemoryTransport
from libs.eventbus.transports.postgres_log import PostgresLogTransport
from tests.libs.eventbus.harness import TOPIC, Service, installed, kafka_at, postgres_log_at
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
    async with postgres_log_at(database, PARTITIONS) as transport:
        yield transport


@pytest.fixture
async def kafka_transport(kafka_broker: Broker) -> AsyncIterator[Transport]:
    async with kafka_at(kafka_broker, TOPIC, PARTITIONS) as transport:
        yield transport


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
