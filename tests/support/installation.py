"""A whole installation as a process of its own, that can be killed and started again."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from libs.runtime.postgres import EmbeddedPostgres
from libs.runtime.registration import register_officer
from libs.runtime.serving import listening_socket
from libs.webapp.callers import Role

START_S = 120.0


class Running:
    """``yibao up`` on a free port, its data in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it is ready."""
        command = [sys.executable, "-m", "libs.runtime.command", "up", "--folder", str(self.folder)]
        with (self.folder.parent / "up.log").open("ab") as log:
            self._process = subprocess.Popen([*command, "--port", str(self.port)], stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while not self._is_ready():
            assert self._process.poll() is None, (self.folder.parent / "up.log").read_text()[-4000:]
            assert time.monotonic() < deadline, "the installation did not become ready"
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9: no chance to finish anything."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(60)

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    async def officer(self, username: str, region_code: str, *roles: Role) -> str:
        """An officer's password."""
        password = secrets.token_urlsafe(18)
        with EmbeddedPostgres(self.folder / "postgres") as postgres:
            await register_officer(
                postgres,
                username=username,
                password=password,
                name="测试员",
                roles=list(roles),
                office="测试",
                regions=[region_code],
            )
        return password

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


def _free_port() -> int:
    listener = listening_socket("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    listener.close()
    return port
