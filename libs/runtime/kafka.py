"""Apache Kafka for one machine: development and tests. One node in KRaft mode, jars from Maven.

``make kafka`` calls ``run``: it fetches the jars once (``deploy/kafka/pom.xml`` into the
git-ignored ``deploy/kafka/lib/``), starts the broker in the foreground, prints its address and
stops it on Ctrl-C. Needs Java 17 and, for the fetching, Maven. Production brings its own Kafka.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from libs.runtime.migrations import REPOSITORY_ROOT

KAFKA_FOLDER = REPOSITORY_ROOT / "deploy" / "kafka"
JARS = KAFKA_FOLDER / "lib"
DATA = KAFKA_FOLDER / "run"

# Any constant will do: one node is a cluster of its own.
CLUSTER_ID = "eWliYW8tZGV2ZWxvcG1lbg"

# A broker of our size: starts in seconds and leaves the memory to PostgreSQL.
JAVA_OPTIONS = ("-Xms96m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=ERROR")


class KafkaMissing(RuntimeError):
    """Java, Maven or the jars are missing; the message says which."""


class EmbeddedKafka:
    """A broker whose data live in ``folder``; a context manager. May be stopped and started again.

    ``port`` 0 takes a free one, which is kept across restarts.
    """

    def __init__(self, folder: Path, *, port: int = 0, extra_settings: dict[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self._port = port or _free_port()
        self._controller_port = _free_port()
        self._extra_settings = extra_settings or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """``host:port`` for ``bootstrap_servers``."""
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, *, timeout_s: float = 60.0) -> None:
        """Start the broker and return once it answers on its port.

        Raises ``KafkaMissing``, and ``RuntimeError`` with the end of its log if it does not come up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self._write_settings()
        if not (self.folder / "data" / "meta.properties").exists():
            self._run_tool("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(settings))
        with self._log.open("ab") as log:
            command = [*_java(), "kafka.Kafka", str(settings)]
            # A session of its own, so that Ctrl-C reaches us first and we stop it in order.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._wait_until_ready(time.monotonic() + timeout_s)

    def stop(self, *, timeout_s: float = 20.0) -> None:
        """Stop the broker in order; a broker that does not heed is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait(self) -> int:
        """Wait for the broker to end by itself; its exit code."""
        assert self._process is not None, "the broker is not started"
        return self._process.wait()

    @property
    def _log(self) -> Path:
        return self.folder / "broker.log"

    def _write_settings(self) -> Path:
        settings = {
            "node.id": "1",
            "process.roles": "broker,controller",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
        } | self._extra_settings
        path = self.folder / "server.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return path

    def _run_tool(self, tool: str, *arguments: str) -> None:
        done = subprocess.run([*_java(), tool, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{tool} failed: {done.stdout}{done.stderr}")

    def _wait_until_ready(self, deadline: float) -> None:
        assert self._process is not None
        while not _answers(self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the broker did not come up:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.05)


def fetch_jars() -> None:
    """Copy the broker's jars into ``deploy/kafka/lib/`` unless they are there. Raises ``KafkaMissing``."""
    if jars_fetched():
        return
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaMissing("mvn is needed once to fetch the broker's jars")
    DATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DATA) as unfinished:
        target = Path(unfinished) / "lib"
        command = [maven, "-q", "-B", "-f", str(KAFKA_FOLDER / "pom.xml"), f"-Djars={target}"]
        done = subprocess.run(
            [*command, "dependency:copy-dependencies"], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise KafkaMissing(f"Maven could not fetch the broker's jars:\n{done.stdout}{done.stderr}")
        with contextlib.suppress(OSError):  # another process was faster
            target.rename(JARS)


def jars_fetched() -> bool:
    """Whether the jars are there."""
    return any(JARS.glob("kafka_*.jar"))


def _java() -> list[str]:
    java = shutil.which("java")
    if java is None:
        raise KafkaMissing("java 17 or newer is needed to run the broker")
    if not jars_fetched():
        raise KafkaMissing(f"no jars in {JARS}; run `make kafka`")
    return [java, *JAVA_OPTIONS, "-cp", f"{JARS}/*"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(port: int = 9092, data: Path = DATA) -> None:
    """Run the broker in the foreground until Ctrl-C or SIGTERM. Raises SystemExit without Java or Maven."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        print("Fetching the broker's jars ..." if not jars_fetched() else "Starting Kafka ...", flush=True)
        fetch_jars()
        with EmbeddedKafka(data, port=port) as broker:
            print(f"Kafka is ready at {broker.address}; Ctrl-C stops it.", flush=True)
            broker.wait()
    except KeyboardInterrupt:
        print("Kafka has stopped.", flush=True)
    except KafkaMissing as missing:
        raise SystemExit(str(missing)) from missing
