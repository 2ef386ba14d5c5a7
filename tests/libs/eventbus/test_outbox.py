from __future__ import annotations

import asyncio

import pytest

from libs.eventbus.outbox import Saying, publish_many
from libs.eventbus.relay import Relay
from libs.eventbus.transports.memory import MemoryTransport
from tests.libs.eventbus.harness import AT, Noted, Service, everything, note, running, until


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


def said(*noted: tuple[str, int]) -> list[Saying]:
    return [Saying(Noted(n=n), key, "370400", key) for key, n in noted]


async def test_many_facts_at_once_keep_the_order_of_each_key(service: Service) -> None:
    sayings = said(("case-2", 1), ("case-1", 1), ("case-2", 2), ("case-1", 2), ("case-2", 3))
    async with service.sessions.begin() as session:
        events = await publish_many(session, sayings, at=AT)
    await service.note("case-1", 3)
    transport = MemoryTransport()
    async with running(Relay(service.database, transport).run()):
        wire = await everything(transport, 6)
    assert wire.first_copies() == {"case-1": [1, 2, 3], "case-2": [1, 2, 3]}
    assert {event.id for event in events} < {event.id for event in wire.events}


async def test_no_fact_at_all_is_nothing(service: Service) -> None:
    async with service.sessions.begin() as session:
        assert await publish_many(session, [], at=AT) == []
    assert await service.count("outbox") == 0


async def test_many_wait_for_one_of_their_keys_and_come_after(service: Service) -> None:
    async def many() -> None:
        async with service.sessions.begin() as session:
            await publish_many(session, said(("case-0", 1), ("case-1", 2)), at=AT)

    async with service.sessions.begin() as first:
        await note(first, "case-1", 1)
        second = asyncio.create_task(many())

        async def is_waiting() -> bool:
            return await service.count("pg_locks", "locktype = 'advisory' AND NOT granted") == 1

        await until(is_waiting, what="the wait for the key's lock")
    await second
    transport = MemoryTransport()
    async with running(Relay(service.database, transport).run()):
        wire = await everything(transport, 3)
    assert wire.first_copies() == {"case-0": [1], "case-1": [1, 2]}


async def test_transactions_with_the_same_keys_in_other_orders_do_not_deadlock(service: Service) -> None:
    keys = [f"case-{number}" for number in range(50)]

    async def many(order: list[str]) -> None:
        async with service.sessions.begin() as session:
            await publish_many(session, said(*((key, 1) for key in order)), at=AT)

    await asyncio.gather(*(many(keys if lane % 2 else keys[::-1]) for lane in range(20)))
    assert await service.count("outbox") == 1000


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_one_bad_key_among_many_refuses_all(service: Service, key: str) -> None:
    async with service.sessions.begin() as session:
        with pytest.raises(ValueError, match="characters"):
            await publish_many(session, said(("case-1", 1), (key, 1)), at=AT)
    assert await service.count("outbox") == 0
