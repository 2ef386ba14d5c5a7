"""Rows of the bus: submit with outbox, relay, consume with inbox and effect."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import subprocess
import time
from pathlib import Path
from typing import ClassVar

import asyncpg
from sqlalchemy import text

from libs.casework.clock import SHANGHAI
from libs.contracts.base import Fact, topic_of
from libs.eventbus.consumer import Consumer
from libs.eventbus.envelope import Event
from libs.eventbus.handlers import Handlers
from libs.eventbus.outbox import publish
from libs.eventbus.relay import Relay
from libs.eventbus.transport import Transport
from libs.runtime.bench.figures import Row, Sample
from libs.webapp.database import ALL_REGIONS, Database

CONCURRENCY = 8
_AT = dt.datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)


class Benched(Fact):
    """A fact of the size facts usually have."""

    event_type: ClassVar[str] = "cn.yibao.bench.benched.v1"

    case_no: str
    region_code: str
    status: str
    note: str


def _fact(number: int) -> Benched:
    return Benched(
        case_no=f"370400-33-20260302-{number:06d}-0", region_code="370400", status="accepted", note="x" * 300
    )


TOPIC = topic_of(Benched.event_type)


async def submit_with_outbox(url: str, programs: Path, seconds: float) -> Row:
    """A business row and its fact in one transaction, against pgbench with the same SQL."""
    database = Database(url, pool_size=CONCURRENCY)
    deadline = time.perf_counter() + seconds

    async def submitter(lane: int) -> list[float]:
        latencies, number = [], 0
        while (started := time.perf_counter()) < deadline:
            number += 1
            async with database.transaction(ALL_REGIONS) as session:
                await session.execute(_BUSINESS_INSERT, {"lane": lane, "number": number})
                await publish(
                    session, _fact(number), key=f"{lane}-{number}", region_code="370400", subject="s", at=_AT
                )
            latencies.append(time.perf_counter() - started)
        return latencies

    started = time.perf_counter()
    lanes = await asyncio.gather(*(submitter(lane) for lane in range(CONCURRENCY)))
    elapsed = time.perf_counter() - started
    await database.close()
    product = Sample.of([latency for lane in lanes for latency in lane], elapsed)
    floor = await asyncio.to_thread(_pgbench, url, programs, seconds)
    return Row("办件提交与发件箱", "pgbench，同样的SQL与并发", "tx", product, floor, 0.30)


async def relay(url: str, transport: Transport, raw: Transport, name: str, events: int) -> Row:
    """The outbox emptied to the transport, against the transport fed the same bytes directly."""
    await _fill_outbox(url, events)
    running = asyncio.create_task(Relay(url, transport).run())
    product = await _steady_rate(url, "SELECT $1 - count(*) FROM outbox", events)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    floor = await _publish_raw(raw, events)
    return Row("转发（发件箱→总线）", f"直接写入{name}，同样字节", "事件", product, floor, 0.40)


async def consume(url: str, transport: Transport, name: str, events: int) -> Row:
    """Events to inbox and effect, against the same rows in batched SQL."""
    database = Database(url, pool_size=CONCURRENCY)
    handlers = Handlers()

    @handlers.on_batch(Benched)
    async def _effect(session, batch) -> None:  # type: ignore[no-untyped-def]
        ids = [event.id for event, _ in batch]
        await session.execute(_EFFECT_INSERT, {"ids": ids, "states": [fact.status for _, fact in batch]})

    consumer = Consumer(
        group="bench",
        topics=[TOPIC],
        handlers=handlers,
        transport=transport,
        open_transaction=lambda _: database.transaction(ALL_REGIONS),
    )
    running = asyncio.create_task(consumer.run())
    product = await _steady_rate(url, "SELECT count(*) FROM bench_effects WHERE $1 > 0", events)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await database.close()
    floor = await _batched_sql(url, events)
    return Row(f"消费（{name}→收件箱与效果）", "同样的行，批量SQL", "事件", product, floor, 0.30)


_BUSINESS_INSERT = text("INSERT INTO bench_cases (lane, number, status) VALUES (:lane, :number, 'submitted')")
_EFFECT_INSERT = text(
    "INSERT INTO bench_effects SELECT unnest(CAST(:ids AS uuid[])), unnest(CAST(:states AS text[]))"
)

SQL = Path(__file__).parent / "sql"


def _pgbench(url: str, programs: Path, seconds: float) -> Sample:
    command = [
        str(programs / "pgbench"), "-n", "-M", "prepared", "-c", str(CONCURRENCY), "-j", "2",
        "-D", f"size={len(_event(1).to_bytes())}",
        "-T", str(max(int(seconds), 1)), "-f", str(SQL / "submit.sql"), url,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rate = re.search(r"tps = ([\d.]+)", done.stdout)
    latency = re.search(r"latency average = ([\d.]+)", done.stdout)
    assert rate is not None, done.stdout
    assert latency is not None, done.stdout
    return Sample(float(rate[1]), float(latency[1]))


def _event(number: int) -> Event:
    return Event.of(_fact(number), key=str(number % 1000), region_code="370400", subject="s", at=_AT)


async def _fill_outbox(url: str, events: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("TRUNCATE outbox")
    rows = [(number % 16, TOPIC, str(number % 1000), _event(number).to_bytes()) for number in range(events)]
    await connection.copy_records_to_table("outbox", records=rows, columns=["shard", "topic", "key", "body"])
    await connection.close()


async def _publish_raw(transport: Transport, events: int) -> Sample:
    messages = [(str(number % 1000), _event(number).to_bytes()) for number in range(events)]
    await transport.publish("yibao.benchraw", messages[:1])
    started = time.perf_counter()
    for first in range(0, events, 1000):
        await transport.publish("yibao.benchraw", messages[first : first + 1000])
    return Sample(events / (time.perf_counter() - started))


async def _batched_sql(url: str, events: int) -> Sample:
    connection = await asyncpg.connect(url)
    ids = [_event(number).id for number in range(events)]
    started = time.perf_counter()
    for first in range(0, events, 500):
        batch = ids[first : first + 500]
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO bench_floor_inbox (consumer, event_id) SELECT 'bench', unnest($1::uuid[])", batch
            )
            await connection.execute(
                "INSERT INTO bench_floor_effects SELECT unnest($1::uuid[]), 'accepted'", batch
            )
    sample = Sample(events / (time.perf_counter() - started))
    await connection.close()
    return sample


async def _steady_rate(url: str, done_query: str, events: int) -> Sample:
    """Rate from the moment a tenth is done (joining groups and taking leases is over) to the end."""
    connection = await asyncpg.connect(url)
    first = await _until(connection, done_query, events, events // 10)
    started = time.perf_counter()
    last = await _until(connection, done_query, events, events)
    elapsed_s = time.perf_counter() - started
    await connection.close()
    return Sample((last - first) / elapsed_s)


async def _until(connection: asyncpg.Connection, done_query: str, events: int, enough: int) -> int:
    async with asyncio.timeout(300):
        # Another session makes the change, so there is nothing to be woken by.
        while (done := await connection.fetchval(done_query, events)) < enough:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return int(done)
