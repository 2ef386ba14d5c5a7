"""kill -9 and SIGSTOP of real processes, at the worst moments."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil

from libs.eventbus.leases import Leases
from libs.eventbus.relay import Relay
from libs.eventbus.transports.postgres_log import PostgresLogTransport
from tests.libs.eventbus.harness import Service, everything, recording_handlers, running, until

ROOT = Path(__file__).resolve().parents[3]


@contextlib.asynccontextmanager
async def doomed(what: str, service: Service) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.libs.eventbus.doomed",
        what,
        service.database,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def dies(what: str, service: Service) -> None:
    async with doomed(what, service) as process:
        assert await asyncio.wait_for(process.wait(), timeout=60) == -signal.SIGKILL


async def test_b2_a_fact_committed_just_before_kill_9_is_delivered(
    service: Service, log_transport: PostgresLogTransport
) -> None:
    await dies("submit", service)
    async with running(Relay(service.database, log_transport).run()):
        wire = await everything(log_transport, 3)
    assert wire.first_copies() == {"case-1": [1, 2, 3]}


async def test_b3_a_relay_killed_between_ack_and_delete_makes_a_duplicate_and_one_effect(
    service: Service, log_transport: PostgresLogTransport
) -> None:
    await service.note("case-1", 1, 2, 3)
    await dies("relay", service)
    assert await service.count("outbox") == 3
    assert await service.count("log_record") == 3
    consumer = service.consumer(log_transport, recording_handlers())
    async with running(Relay(service.database, log_transport, lease_s=1.0).run(), consumer.run()):
        await service.note("case-1", 4)

        async def done() -> bool:
            return (await service.effects()).get("case-1", [])[-1:] == [4]

        await until(done, what="the last effect")
    assert await service.count("log_record") == 7
    assert await service.effects() == {"case-1": [1, 2, 3, 4]}


async def test_b4_a_consumer_killed_between_commit_and_offset_has_one_effect(
    service: Service, log_transport: PostgresLogTransport
) -> None:
    async with running(Relay(service.database, log_transport).run()):
        await service.note("case-1", 1, 2, 3)
        await everything(log_transport, 3)
        await dies("consume", service)
        assert await service.effects() == {"case-1": [1, 2, 3]}
        assert await service.count("log_position", "\"group\" = 'reader'") == 0
        async with running(service.consumer(log_transport, recording_handlers()).run()):
            await service.note("case-1", 4)

            async def caught_up() -> bool:
                return await service.count("log_position", "\"group\" = 'reader' AND next_offset = 4") == 1

            await until(caught_up, what="the move of the offset")
    assert await service.effects() == {"case-1": [1, 2, 3, 4]}


async def test_b7_a_relay_stopped_past_its_lease_deletes_nothing(
    service: Service, log_transport: PostgresLogTransport
) -> None:
    await service.note("case-1", 1, 2, 3)
    async with doomed("stopping-relay", service) as process:

        async def stopped() -> bool:
            return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED

        await until(stopped, what="the stop after the ack")
        assert await service.count("outbox") == 3
        pool = await asyncpg.create_pool(service.database)
        async with pool, Leases(pool, "relay", lease_s=60) as heir:

            async def inherited() -> bool:
                return len(await heir.share([str(n) for n in range(16)])) == 16

            await until(inherited, what="the end of the lease")
            os.kill(process.pid, signal.SIGCONT)
            assert process.stdout is not None
            async with asyncio.timeout(30):
                line = await process.stdout.readline()
                while b"relay_fenced" not in line:
                    assert line, "the old owner ended without being fenced"
                    line = await process.stdout.readline()
            assert await service.count("outbox") == 3
