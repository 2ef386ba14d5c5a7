"""The production size without Docker: the compose file's processes, passwords, Kafka, order and stop."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from libs.runtime.kafka import EmbeddedKafka
from libs.runtime.postgres import THROW_AWAY_SETTINGS, EmbeddedPostgres
from tests.support.rehearsal import Rehearsal, starting_order


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_every_container_starts_answers_and_stops_in_order(real_kafka: EmbeddedKafka) -> None:
    with (
        # A server of its own, because this one asks for passwords.
        tempfile.TemporaryDirectory(prefix="yibao-rehearsal-") as folder,
        EmbeddedPostgres(Path(folder) / "pg", THROW_AWAY_SETTINGS) as postgres,
        Rehearsal(Path(folder), postgres, real_kafka.address) as rehearsal,
    ):
        rehearsal.migrate()
        rehearsal.ask_for_passwords()
        rehearsal.migrate()  # again, now with the owner's password: changes nothing, fails at nothing
        order = list(starting_order())
        for name in order:
            rehearsal.start(name)
        for name in order:
            rehearsal.wait_until_healthy(name)
        assert rehearsal.status("gateway", "/openapi.json") == 200
        assert rehearsal.status("gateway", "/v1/applications") == 401
        assert rehearsal.status("tracking-worker", "/metrics") == 200
        assert {name: rehearsal.stop(name) for name in reversed(order)} == dict.fromkeys(order, 0)
