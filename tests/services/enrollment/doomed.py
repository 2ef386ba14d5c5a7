"""A roster worker in a process of its own, to be killed. ``python -m tests.services.enrollment.doomed``.

Arguments: database URL, rows a chunk, seconds of a lease. It says ``chunk`` on a line of its own at
every chunk, before the chunk's transaction is committed: a kill then loses what is half done.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from libs.protection.fields import FieldProtector
from libs.webapp.database import Database
from libs.webapp.settings import ServiceSettings, secret_bytes
from services.enrollment.service.desk import Desk
from services.enrollment.service.rosters.working import RosterWorker
from tests.support.service import NOW


async def work(url: str, chunk_rows: int, lease_s: float) -> None:
    settings = ServiceSettings()
    protector = FieldProtector(
        {settings.field_key_id: secret_bytes(settings.field_key)},
        settings.field_key_id,
        secret_bytes(settings.blind_index_key),
    )
    database = Database(url, pool_size=2)

    @asynccontextmanager
    async def open_desk(regions: Sequence[str]) -> AsyncIterator[Desk]:
        async with database.transaction(regions) as session:
            yield Desk(session, protector, NOW, regions=tuple(regions))
            print("chunk", flush=True)

    await RosterWorker(open_desk, chunk_rows=chunk_rows, lease_s=lease_s, poll_s=0.02).run()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
