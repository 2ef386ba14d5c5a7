from __future__ import annotations

import pytest

from libs.eventbus.crowds import publish_under_locks
from libs.eventbus.outbox import Saying
from libs.eventbus.relay import Relay
from libs.eventbus.transports.memory import MemoryTransport
from tests.libs.eventbus.harness import AT, Noted, Service, everything, running


def said(key: str, n: int) -> Saying:
    return Saying(Noted(n=n), key, "370400", key)


async def test_a_crowd_s_facts_come_in_the_order_given_and_take_no_lock_each(service: Service) -> None:
    async with service.sessions.begin() as session:
        facts = [said(f"person-{key}", n) for n in (1, 2) for key in (3, 1, 2)]
        await publish_under_locks(session, facts, at=AT)
        assert await service.count("pg_locks", "locktype = 'advisory'") == 0
    transport = MemoryTransport()
    async with running(Relay(service.database, transport).run()):
        wire = await everything(transport, 6)
    assert wire.first_copies() == {f"person-{key}": [1, 2] for key in (1, 2, 3)}


async def test_they_stand_in_the_shards_that_single_facts_stand_in(service: Service) -> None:
    keys = [f"person-{number}" for number in range(8)]
    for key in keys:
        await service.note(key, 1)
    async with service.sessions.begin() as session:
        await publish_under_locks(session, [said(key, 2) for key in keys], at=AT)
    assert await service.count("(SELECT DISTINCT key, shard FROM outbox) AS places") == len(keys)


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_a_key_that_no_index_would_take_is_refused(service: Service, key: str) -> None:
    async with service.sessions() as session:
        with pytest.raises(ValueError, match="characters"):
            await publish_under_locks(session, [said(key, 1)], at=AT)
