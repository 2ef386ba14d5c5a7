"""docker-compose.yml rehearsed without Docker: each container of ours as a process of this machine.

Commands, settings, passwords and order are the file's; only addresses are replaced, and PostgreSQL
and Kafka are the test run's own.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from libs.casework.clock import SHANGHAI
from libs.exchange.seals import Ed25519Signer, KeyDirectory
from libs.runtime.fresh_secrets import fresh_secrets
from libs.runtime.postgres import EmbeddedPostgres
from libs.runtime.seals import keep_paper_seals
from tests.support.compose import VARIABLE, containers, processes

YIBAO = Path(sys.executable).with_name("yibao")
PAPER_SEALS = "paper-seals"
SCRAM = "local all +yibao_app scram-sha-256\nlocal all yibao_owner scram-sha-256\n"


class Rehearsal:
    """The compose file's processes. ``start`` in order, ``stop`` all; a context manager."""

    def __init__(self, folder: Path, postgres: EmbeddedPostgres, kafka_address: str) -> None:
        self._folder = folder
        self._postgres = postgres
        self._kafka_address = kafka_address
        folders = {"EXCHANGE_KEYS_FOLDER": str(folder), "PAPER_SEALS_FOLDER": str(folder / PAPER_SEALS)}
        self._secrets = fresh_secrets() | folders
        self._ports = {name: _free_port() for name in processes() if name != "migrate"}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        _write_seals(folder)
        keep_paper_seals(folder / PAPER_SEALS)

    def __enter__(self) -> Rehearsal:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()

    def migrate(self) -> None:
        """Run the migrations job to its end. Raises CalledProcessError."""
        subprocess.run([YIBAO, "migrate"], env=self._environment("migrate"), check=True, timeout=120)

    def ask_for_passwords(self) -> None:
        """From now on the server lets our roles in by password only, as the container's does."""
        path = self._postgres.folder / "pg_hba.conf"
        path.write_text(SCRAM + path.read_text(encoding="utf-8"), encoding="utf-8")
        psql, url = self._postgres.programs / "psql", self._postgres.url("postgres")
        reload = "SELECT pg_reload_conf()"
        subprocess.run([str(psql), url, "-qAtc", reload], check=True, stdout=subprocess.DEVNULL)

    def start(self, name: str) -> None:
        """Start one container's process; its log goes to ``<name>.log``."""
        role, service, *_ = containers()[name]["command"]
        command = [YIBAO, role, service, "--host", "127.0.0.1", "--port", str(self._ports[name])]
        with (self._folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                command, env=self._environment(name), stdout=log, stderr=log, cwd=self._folder
            )

    def wait_until_healthy(self, name: str, timeout_s: float = 120.0) -> None:
        """Return once /readyz answers 200. Raises RuntimeError with the process's log."""
        deadline = time.monotonic() + timeout_s
        while self.status(name, "/readyz") != 200:
            if self._running[name].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not become ready:\n{self.log(name)}")
            time.sleep(0.2)

    def status(self, name: str, path: str) -> int:
        """HTTP status of a GET; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._ports[name]}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def stop(self, name: str, timeout_s: float = 30.0) -> int:
        """SIGTERM, as Docker sends it; the exit code."""
        process = self._running.pop(name)
        process.terminate()
        return process.wait(timeout_s)

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(encoding="utf-8")[-4000:]

    def _environment(self, name: str) -> dict[str, str]:
        written: dict[str, str] = containers()[name]["environment"]
        ours = {variable: self._translated(value) for variable, value in written.items()}
        inherited = {v: value for v, value in os.environ.items() if not v.startswith("YIBAO_")}
        return inherited | ours

    def _translated(self, value: str) -> str:
        value = VARIABLE.sub(lambda match: self._secrets[match[1]], value)
        value = re.sub(r"http://([a-z-]+):8000", lambda m: f"http://127.0.0.1:{self._ports[m[1]]}", value)
        value = re.sub(r"@postgres/(\w+)", rf"@/\1?host={self._postgres.socket_folder}", value)
        value = value.replace("kafka:9092", self._kafka_address)
        value = value.replace("/run/paper-seals", str(self._folder / PAPER_SEALS))
        return value.replace("/run/exchange-keys", str(self._folder))


def starting_order() -> Iterator[str]:
    """The containers that serve or work, each after those it waits for."""
    left = {
        name: set(container["depends_on"]) & processes().keys() for name, container in processes().items()
    }
    done = {"migrate"}
    while left.keys() - done:
        ready = sorted(name for name in left.keys() - done if left[name] <= done)
        assert ready, f"these wait for one another: {left.keys() - done}"
        yield from ready
        done.update(ready)


def _write_seals(folder: Path) -> None:
    signer, directory = Ed25519Signer.generate("370400"), KeyDirectory()
    directory.add(signer.trusted_key(dt.datetime(2020, 1, 1, tzinfo=SHANGHAI)))
    (folder / "370400.pem").write_bytes(signer.pem())
    (folder / "trusted.json").write_text(json.dumps(directory.to_data()), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
