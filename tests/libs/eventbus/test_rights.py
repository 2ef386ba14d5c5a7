"""The whole path under a service's own login: what the migrations grant is enough, and no more is used."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.ext.asyncio import AsyncSession

from libs.eventbus import dead_letters
from libs.eventbus.consumer import Handlers
from libs.eventbus.envelope import Event
from libs.eventbus.relay import Relay
from libs.eventbus.transports.postgres_log import PostgresLogTransport
from tests.libs.eventbus.harness import AT, Noted, Service, record_effect, running, until
from tests.libs.eventbus.test_relay import Moody


@pytest.fixture
async def modest(service: Service, log_transport: PostgresLogTransport) -> AsyncIterator[Service]:
    """The service under a login that is a member of ``yibao_app`` and nothing else."""
    login = f"test_{uuid.uuid4().hex[:12]}"
    await service.execute(f"CREATE ROLE {login} LOGIN IN ROLE yibao_app")
    await service.execute("GRANT ALL ON effect, effect_place_seq TO yibao_app")
    modest = Service(service.database.replace("postgresql://postgres@", f"postgresql://{login}@"))

    @sqlalchemy_event.listens_for(modest.engine.sync_engine, "begin")
    def see_all_regions(connection: object) -> None:
        connection.exec_driver_sql("SET LOCAL yibao.regions = '*'")  # type: ignore[attr-defined]

    yield modest
    await modest.engine.dispose()
    await service.execute(f"DROP ROLE {login}")


async def test_outbox_relay_log_consumer_and_dead_letters_work_with_the_granted_rights(
    modest: Service,
) -> None:
    connection = await asyncpg.connect(modest.database)
    assert not await connection.fetchval("SELECT usesuper FROM pg_user WHERE usename = current_user")
    await connection.close()
    transport = PostgresLogTransport(modest.database, partitions=4)
    poison = {2}
    handlers = Handlers()

    @handlers.on(Noted)
    async def handle(session: AsyncSession, event: Event, fact: Noted) -> None:
        await record_effect(session, event, fact)
        if fact.n in poison:
            raise ValueError("poison")

    async def waiting() -> bool:
        return await modest.count("dead_letter") == await modest.count("parked_event") == 1

    async def done() -> bool:
        return await modest.effects() == {"case-1": [1, 2, 3]}

    relay = Relay(modest.database, transport)
    async with running(relay.run(), modest.consumer(transport, handlers).run()):
        await modest.note("case-1", 1, 2, 3)
        await until(waiting, what="the dead letter")
        poison.clear()
        async with modest.sessions.begin() as session:
            (letter,) = await dead_letters.search(session)
            await dead_letters.replay(session, letter.id, operator="op", reason="corrected", at=AT)
        await until(done, what="the effects")
    await transport.rewind("reader", ["yibao.sample"])
    await transport.close()
    assert await modest.count("outbox") == 0


async def test_a_refused_record_is_buried_and_skipped_with_the_granted_rights(modest: Service) -> None:
    transport = Moody(refused=1)
    async with running(Relay(modest.database, transport, retry_delay_s=0.01).run()):
        await modest.note("case-1", 1)

        async def buried() -> bool:
            return await modest.count("dead_letter") == 1

        await until(buried, what="the dead letter")
        async with modest.sessions.begin() as session:
            (letter,) = await dead_letters.search(session, consumer="relay")
            await dead_letters.skip(session, letter.id, operator="op", reason="too large", at=AT)
    assert await modest.count("outbox") == 0
