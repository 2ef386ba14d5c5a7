"""A worker that is killed in the middle of a file. Run as a module, with a database and a moment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from libs.casework.clock import AdjustableClock
from libs.protection.fields import FieldProtector
from libs.webapp.database import ALL_REGIONS, Database
from libs.webapp.settings import ServiceSettings, secret_bytes
from services.enrollment.service.contribution_files import applying
from services.enrollment.service.contribution_files.batch import Batch
from services.enrollment.service.desk import Desk
from tests.support.service import NOW

CHUNK = 10


async def apply_and_die(database_url: str, when: str) -> None:
    """One chunk is committed; the next dies after everything is written, or right after its commit."""
    settings = ServiceSettings(database_url=database_url)
    key = secret_bytes(settings.field_key)
    protector = FieldProtector(
        {settings.field_key_id: key}, settings.field_key_id, secret_bytes(settings.blind_index_key)
    )
    database, clock = Database(database_url), AdjustableClock(NOW)
    for number in range(2):
        async with database.transaction(ALL_REGIONS) as session:
            if number and when == "before_commit":
                _die_once_written()
            await applying.apply_chunk(Desk(session, protector, clock.now()), CHUNK)
    os.kill(os.getpid(), signal.SIGKILL)


def _die_once_written() -> None:
    write = Batch.write

    async def write_and_die(batch: Batch) -> None:
        await write(batch)
        os.kill(os.getpid(), signal.SIGKILL)

    Batch.write = write_and_die  # type: ignore[method-assign]


if __name__ == "__main__":
    asyncio.run(apply_and_die(*sys.argv[1:]))
