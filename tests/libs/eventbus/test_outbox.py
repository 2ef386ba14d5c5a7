from __future__ import annotations

import asyncio

import pytest

from libs.eventbus.relay import Relay
from libs.eventbus.transports.memory import MemoryTransport
from tests.libs.eventbus.harness import Service, everything, note, running, until


async def test_b1_a_fact_whose_transaction_rolled_back_is_no_event(service: Service) -> None:
    transport = MemoryTransport()
    async with service.sessions() as session:
        await note(session, "case-1", 1)
        await session.rollback()
    async with running(Relay(service.database, transport).run()):
        (kept,) = await service.note("case-1", 2)
        wire = await everything(transport, 1)
    assert [event.id for event in wire.events] == [kept.id]


async def test_the_row_is_there_only_after_the_commit(service: Service) -> None:
    async with service.sessions.begin() as session:
        await note(session, "case-1", 1)
        assert await service.count("outbox") == 0
    assert await service.count("outbox") == 1


async def test_a_second_transaction_on_a_key_waits_and_comes_after(service: Service) -> None:
    async with service.sessions.begin() as first:
        await note(first, "case-1", 1)
        second = asyncio.create_task(service.note("case-1", 2))

        async def is_waiting() -> bool:
            return await service.count("pg_locks", "locktype = 'advisory' AND NOT granted") == 1

        await until(is_waiting, what="the wait for the key's lock")
    await second
    transport = MemoryTransport()
    async with running(Relay(service.database, transport).run()):
        wire = await everything(transport, 2)
    assert wire.first_copies() == {"case-1": [1, 2]}


async def test_transactions_on_different_keys_do_not_wait(service: Service) -> None:
    async with service.sessions.begin() as session:
        await note(session, "case-1", 1)
        await asyncio.wait_for(service.note("case-2", 1), timeout=10)


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_a_key_that_no_index_would_take_is_refused(service: Service, key: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        await service.note(key, 1)
