"""The workers' loop: take a roster, apply its chunks one transaction each, until its end.

A worker that is killed leaves the roster where its last committed chunk left it; whoever takes it
up when the lease has ended goes on from there. The fence in every chunk (``is_still_ours``) makes a
worker that was stopped past its lease change nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from uuid import UUID, uuid4

import structlog

from libs.eventbus.faults import describe, is_database_away
from libs.rosters.layouts import RosterKind, layout_of
from libs.rosters.reading import open_roster
from services.enrollment.models import Roster
from services.enrollment.repository import rosters
from services.enrollment.service.desk import ALL_REGIONS, Desk
from services.enrollment.service.rosters.applying import LeaseLost, Overtaken, apply
from services.enrollment.service.rosters.chunks import Chunk, ChunkReader
from services.enrollment.service.rosters.receiving import file_context

log = structlog.get_logger(__name__)

# A transaction with the regions it may see, and the desk it is worked on.
OpenDesk = Callable[[Sequence[str]], AbstractAsyncContextManager[Desk]]

# Every row holds a place in PostgreSQL's table of locks (6400 by default) until its chunk is committed.
CHUNK_ROWS = 500
LEASE_S = 30.0
POLL_S = 0.5
_RETRY_S = 0.2


class RosterWorker:
    """One worker; run as many as you like. ``lease_s``: how long a killed one holds its roster up."""

    def __init__(
        self,
        open_desk: OpenDesk,
        *,
        chunk_rows: int = CHUNK_ROWS,
        lease_s: float = LEASE_S,
        poll_s: float = POLL_S,
    ) -> None:
        self.name = uuid4()
        self._open_desk = open_desk
        self._chunk_rows = chunk_rows
        self._lease_s = lease_s
        self._poll_s = poll_s

    async def run(self) -> None:
        """Work until cancelled; a database that is away is waited for."""
        while True:
            if not await self._one():
                await asyncio.sleep(self._poll_s)

    async def work_off(self) -> int:
        """Work until no roster waits; how many were taken up."""
        taken = 0
        while await self._one():
            taken += 1
        return taken

    async def _one(self) -> bool:
        """Take a roster and work on it. False if there was none, or no database."""
        try:
            async with self._open_desk(ALL_REGIONS) as desk:
                roster_id = await rosters.take(desk.session, self.name, desk.now, self._lease_s)
        except Exception as error:
            if not is_database_away(error) and not isinstance(error, OSError):
                raise
            log.warning("rosters_wait_for_database", error=describe(error))
            return False
        if roster_id is None:
            return False
        await self._work_on(roster_id)
        return True

    async def _work_on(self, roster_id: UUID) -> None:
        try:
            roster, reader = await self._open(roster_id)
            async with aclosing(self._chunks(reader)) as chunks:
                async for chunk in chunks:
                    await self._apply(roster, chunk)
        except LeaseLost:
            log.warning("roster_lease_lost", roster=str(roster_id))
        except Exception as error:
            if is_database_away(error) or isinstance(error, OSError):
                log.warning("roster_waits_for_database", roster=str(roster_id), error=describe(error))
                return  # taken up again when the lease has ended
            # One roster that cannot be worked on must not keep the others waiting.
            log.error("roster_failed", roster=str(roster_id), error=describe(error))
            async with self._open_desk(ALL_REGIONS) as desk:
                await rosters.fail(desk.session, roster_id, self.name, desk.now)

    async def _open(self, roster_id: UUID) -> tuple[Roster, ChunkReader]:
        async with self._open_desk(ALL_REGIONS) as desk:
            roster = await rosters.find(desk.session, roster_id)
            assert roster is not None, "rosters are never deleted"
            content = desk.protector.decrypt_bytes(
                await rosters.content_of(desk.session, roster_id), file_context(roster)
            )
            protector = desk.protector
        opened = await asyncio.to_thread(open_roster, content, layout_of(RosterKind(roster.kind)))
        return roster, ChunkReader(opened, protector, roster.next_row)

    async def _chunks(self, reader: ChunkReader) -> AsyncGenerator[Chunk, None]:
        """All chunks; the next is read while the one before is being written."""
        reading = asyncio.create_task(asyncio.to_thread(reader.next, self._chunk_rows))
        try:
            while True:
                chunk = await reading
                if not chunk.is_last:
                    reading = asyncio.create_task(asyncio.to_thread(reader.next, self._chunk_rows))
                yield chunk
                if chunk.is_last:
                    return
        finally:
            await asyncio.gather(reading, return_exceptions=True)  # a thread cannot be cancelled

    async def _apply(self, roster: Roster, chunk: Chunk) -> None:
        """The chunk, as often as others overtake it: each time it sees what they did."""
        while True:
            try:
                async with self._open_desk((roster.region_code,)) as desk:
                    await apply(desk, roster, self.name, chunk, self._lease_s)
                return
            except Overtaken as overtaken:
                log.info("roster_chunk_again", roster=str(roster.id), table=str(overtaken))
            except Exception as error:
                if not is_database_away(error):
                    raise
                log.warning("roster_chunk_again", roster=str(roster.id), error=describe(error))
                await asyncio.sleep(_RETRY_S)
