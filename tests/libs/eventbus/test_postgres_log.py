from __future__ import annotations

import asyncio

import asyncpg
import pytest

from libs.eventbus.transport import Unavailable
from libs.eventbus.transports.postgres_log import PostgresLogTransport
from tests.libs.eventbus.harness import TOPIC, collect, until


async def test_an_append_that_commits_late_is_not_skipped(
    database: str, log_transport: PostgresLogTransport
) -> None:
    await log_transport.publish(TOPIC, [("k", b"first")])
    slow = await asyncpg.connect(database)
    partition = await slow.fetchval("SELECT partition FROM log_record")
    late = slow.transaction()
    await late.start()
    await slow.execute("SELECT log_append($1, $2, $3, $4)", TOPIC, [partition], ["k"], [b"late"])
    quick = asyncio.create_task(log_transport.publish(TOPIC, [("k", b"quick")]))

    async def quick_is_waiting() -> bool:
        return bool(await slow.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    await until(quick_is_waiting, what="the wait of the second append")
    async with log_transport.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, 1)
        await late.commit()
        await quick
        records += await collect(subscription, 2)
    await slow.close()
    assert [(record.offset, record.body) for record in records] == [
        (0, b"first"),
        (1, b"late"),
        (2, b"quick"),
    ]


async def test_appends_to_several_partitions_at_once_do_not_lock_each_other_out(
    log_transport: PostgresLogTransport,
) -> None:
    keys = [f"k{n}" for n in range(40)]
    forward = [(key, b"") for key in keys]
    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(log_transport.publish(TOPIC, forward))
            tasks.create_task(log_transport.publish(TOPIC, forward[::-1]))
    async with log_transport.subscribe("readers", [TOPIC]) as subscription:
        assert len(await collect(subscription, 20 * len(keys))) == 20 * len(keys)


async def test_an_append_wakes_the_reader_of_another_process(
    database: str, log_transport: PostgresLogTransport
) -> None:
    reader = PostgresLogTransport(database, partitions=4, fetch_wait_s=3600)
    async with reader.subscribe("readers", [TOPIC]) as subscription:
        waiting = asyncio.create_task(subscription.fetch(10))
        while not waiting.done():  # the reader may not have begun to wait with the first one
            await log_transport.publish(TOPIC, [("k", b"wake up")])
            await asyncio.wait([waiting], timeout=0.2)
        assert [record.body for record in await waiting][:1] == [b"wake up"]
    await reader.close()


async def test_the_number_of_partitions_of_a_topic_is_that_of_its_first_use(
    database: str, log_transport: PostgresLogTransport
) -> None:
    await log_transport.publish(TOPIC, [("k", b"1")])
    other = PostgresLogTransport(database, partitions=99)
    await other.publish(TOPIC, [("k", b"2")])
    async with other.subscribe("readers", [TOPIC]) as subscription:
        records = await collect(subscription, 2)
    await other.close()
    assert [(record.offset, record.body) for record in records] == [(0, b"1"), (1, b"2")]


async def test_a_busy_partition_does_not_starve_the_others(log_transport: PostgresLogTransport) -> None:
    await log_transport.publish(TOPIC, [("busy", b"")] * 50)
    await log_transport.publish(TOPIC, [(f"k{n}", b"") for n in range(40)])
    async with log_transport.subscribe("readers", [TOPIC]) as subscription:
        seen = set()
        for _ in range(4):
            seen |= {record.partition for record in await subscription.fetch(10)}
    assert seen == {0, 1, 2, 3}


async def test_a_database_that_is_gone_is_unavailable_and_reached_again_later(
    database: str, log_transport: PostgresLogTransport
) -> None:
    await log_transport.publish(TOPIC, [("k", b"1")])
    elsewhere = PostgresLogTransport(database.replace("test_", "no_such_"))
    with pytest.raises(Unavailable):
        await elsewhere.publish(TOPIC, [("k", b"1")])
    async with log_transport.subscribe("readers", [TOPIC]) as subscription:
        connection = await asyncpg.connect(database)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await connection.close()

        async def noticed() -> bool:
            try:
                await subscription.fetch(10)
            except Unavailable:
                return True
            return False

        await until(noticed, what="the notice of the lost connection")
    async with log_transport.subscribe("readers", [TOPIC]) as subscription:
        assert len(await collect(subscription, 1)) == 1
