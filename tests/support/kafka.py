"""A Kafka broker for the tests: the real one if it can be had, else the one built into librdkafka.

In tests/conftest.py::

    from tests.support.kafka import (  # noqa: F401
        kafka_broker, mock_broker, pytest_terminal_summary, real_kafka, real_kafka_or_reason
    )
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib.util
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance

from libs.runtime.kafka import EmbeddedKafka, KafkaMissing, fetch_jars

KAFKA_BROKER = "kafka_broker"
REAL = "Apache Kafka (KRaft)"
BUILT_IN = "librdkafka's built-in broker"


class Broker(Protocol):
    """What the tests need of either broker."""

    name: str
    creates_topics: bool

    @property
    def address(self) -> str: ...

    def create_topic(self, topic: str, partitions: int) -> None: ...


class RealBroker:
    """Apache Kafka; topics are created by the transport."""

    name = REAL
    creates_topics = True

    def __init__(self, server: EmbeddedKafka) -> None:
        self.server = server

    @property
    def address(self) -> str:
        return self.server.address

    def create_topic(self, topic: str, partitions: int) -> None:
        """Left to the transport."""


class MockBroker:
    """librdkafka's broker: no transactions, no fencing, no CreateTopics; errors on command."""

    name = BUILT_IN
    creates_topics = False

    def __init__(self) -> None:
        self._library = ctypes.CDLL(str(_librdkafka()))
        for function in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
            getattr(self._library, function).restype = ctypes.c_void_p
        self._library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        message = ctypes.create_string_buffer(512)
        configuration = ctypes.c_void_p(self._library.rd_kafka_conf_new())
        self._client = ctypes.c_void_p(self._library.rd_kafka_new(0, configuration, message, len(message)))
        self._cluster = ctypes.c_void_p(self._library.rd_kafka_mock_cluster_new(self._client, 1))
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, ctypes.c_int32(100))

    @property
    def address(self) -> str:
        address: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return address.decode()

    def create_topic(self, topic: str, partitions: int) -> None:
        error = self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), partitions, 1)
        assert error == 0, error

    def fail(self, api_key: int, *codes: int) -> None:
        """Answer the next requests of this kind with these error codes."""
        errors = (ctypes.c_int * len(codes))(*codes)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, ctypes.c_int16(api_key), ctypes.c_size_t(len(codes)), errors
        )

    def close(self) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        # Destroying the client waits for its threads; it need not hold up the test run.
        threading.Thread(target=self._library.rd_kafka_destroy, args=(self._client,), daemon=True).start()


def _librdkafka() -> Path:
    specification = importlib.util.find_spec("confluent_kafka")
    if specification is None or specification.origin is None:
        pytest.skip("confluent-kafka is not installed")
    beside = Path(specification.origin).parents[1] / "confluent_kafka.libs"
    libraries = sorted(beside.glob("librdkafka*"))
    if not libraries:
        pytest.skip("this build of confluent-kafka carries no librdkafka of its own")
    return libraries[0]


@pytest.fixture(scope="session")
def real_kafka_or_reason(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka | str]:
    """The running broker, or why there is none. With CI=true and Maven present there must be one."""
    try:
        fetch_jars()
        server = EmbeddedKafka(tmp_path_factory.mktemp("kafka"))
        server.start()
    except KafkaMissing as missing:
        if os.environ.get("CI") == "true" and shutil.which("mvn"):
            pytest.fail(f"CI has Maven, so real Kafka is due: {missing}")
        yield str(missing)
        return
    yield server
    server.stop()


@pytest.fixture
def real_kafka(real_kafka_or_reason: EmbeddedKafka | str, request: pytest.FixtureRequest) -> EmbeddedKafka:
    """Apache Kafka itself; the test is skipped where it cannot be had."""
    if isinstance(real_kafka_or_reason, str):
        pytest.skip(real_kafka_or_reason)
    request.node.user_properties.append((KAFKA_BROKER, REAL))
    return real_kafka_or_reason


@pytest.fixture
def mock_broker() -> Iterator[MockBroker]:
    """A broker of librdkafka for one test, to inject errors into."""
    broker = MockBroker()
    yield broker
    broker.close()


def _let_the_leader_sync_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """librdkafka's broker forgets members whose SyncGroup comes after the leader's."""
    sync_as_leader = CoordinatorGroupRebalance._on_join_leader

    async def later(self: CoordinatorGroupRebalance, response: object) -> object:
        await asyncio.sleep(0.2)
        return await sync_as_leader(self, response)

    monkeypatch.setattr(CoordinatorGroupRebalance, "_on_join_leader", later)


@pytest.fixture
def kafka_broker(
    real_kafka_or_reason: EmbeddedKafka | str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Broker]:
    """Apache Kafka, or librdkafka's broker in its place."""
    if isinstance(real_kafka_or_reason, EmbeddedKafka):
        request.node.user_properties.append((KAFKA_BROKER, REAL))
        yield RealBroker(real_kafka_or_reason)
        return
    request.node.user_properties.append((KAFKA_BROKER, BUILT_IN))
    _let_the_leader_sync_last(monkeypatch)
    broker = MockBroker()
    yield broker
    broker.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which broker the Kafka tests have used."""
    used: dict[str, int] = {}
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for name, value in report.user_properties:
            if name == KAFKA_BROKER:
                used[str(value)] = used.get(str(value), 0) + 1
    for broker, tests in sorted(used.items()):
        terminalreporter.write_line(f"Kafka broker used: {broker}, {tests} tests")
