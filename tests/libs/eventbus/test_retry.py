"""A transaction that PostgreSQL ended for another's sake is done again; any other error is told."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from libs.eventbus.retry import through_deadlocks
from libs.webapp.database import ALL_REGIONS, Database

LOCK = text("SELECT pg_advisory_xact_lock(:key)")


async def test_two_that_wait_for_one_another_both_come_to_an_end(database: str) -> None:
    base = Database(database)
    meeting = asyncio.Barrier(2)
    tries: list[int] = []

    async def work(first: int, second: int) -> int:
        tries.append(first)
        async with base.transaction(ALL_REGIONS) as session:
            await session.execute(LOCK, {"key": first})
            if len(tries) <= 2:  # both hold one lock before either asks for its second
                await meeting.wait()
            await session.execute(LOCK, {"key": second})
        return first

    try:
        done = await asyncio.gather(
            through_deadlocks(lambda: work(1, 2)), through_deadlocks(lambda: work(2, 1))
        )
    finally:
        await base.close()
    assert (sorted(done), len(tries)) == ([1, 2], 3)


async def test_other_errors_are_told_at_once(database: str) -> None:
    base = Database(database)
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        async with base.transaction(ALL_REGIONS) as session:
            await session.execute(text("SELECT 1 / 0"))

    try:
        with pytest.raises(DBAPIError):
            await through_deadlocks(work)
    finally:
        await base.close()
    assert tries == 1
