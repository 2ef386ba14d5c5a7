from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from libs.runtime import kafka
from libs.runtime.kafka import EmbeddedKafka, KafkaMissing
from libs.runtime.migrations import REPOSITORY_ROOT


@pytest.mark.kafka
def test_the_command_says_where_the_broker_is_and_stops_it_on_ctrl_c(
    real_kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "libs.runtime.command", "kafka", "--port", "0", "--data", str(tmp_path)]
    process = subprocess.Popen(command, cwd=REPOSITORY_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    said = next(line for line in lines if "ready" in line)
    port = int(said.split("127.0.0.1:")[1].split(";")[0])
    assert kafka._answers(port)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    assert not kafka._answers(port)
    process.stdout.close()


@pytest.mark.kafka
def test_what_was_stored_survives_a_restart(real_kafka: EmbeddedKafka) -> None:
    address = real_kafka.address
    marker = real_kafka.folder / "data" / "meta.properties"
    formatted = marker.read_text()
    real_kafka.stop()
    real_kafka.start()
    assert (real_kafka.address, marker.read_text()) == (address, formatted)


def test_without_java_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KafkaMissing, match="java"):
        EmbeddedKafka(tmp_path / "broker").start()


def test_without_maven_and_jars_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(kafka, "JARS", tmp_path / "lib")
    with pytest.raises(KafkaMissing, match="mvn"):
        kafka.fetch_jars()


@pytest.mark.kafka
def test_a_broker_that_cannot_start_shows_the_end_of_its_log(
    real_kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    broker = EmbeddedKafka(tmp_path, extra_settings={"num.io.threads": "none"})
    with pytest.raises(RuntimeError, match="none"):
        broker.start()
