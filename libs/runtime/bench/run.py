"""``make bench``: every row with its floor, in one run."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import structlog
from rich.console import Console

from libs.casework.clock import SHANGHAI, ShiftedClock
from libs.eventbus.tables import create_log, metadata
from libs.eventbus.transports.kafka import KafkaTransport
from libs.eventbus.transports.postgres_log import PostgresLogTransport
from libs.runtime.bench import bus_rows, figures, http_load, ledger_rows, read_rows, roster_rows, round_trip
from libs.runtime.bench.figures import Row
from libs.runtime.demo.api import Api, MiniProgram
from libs.runtime.demo.cast import Cast
from libs.runtime.demo.narrator import Narrator
from libs.runtime.demo.stage import Stage
from libs.runtime.embedded import embedded
from libs.runtime.kafka import EmbeddedKafka, KafkaMissing, fetch_jars
from libs.runtime.postgres import EmbeddedPostgres
from libs.runtime.serving import address_of, listening_socket, served

CONNECTIONS = 8
EVENTS = 50_000
TRIPS = 15
PUPILS = 20_000


async def run_bench(console: Console, seconds: float, output: Path, contributions: int) -> int:
    """Measure, show, save. Returns 0; a row that cannot be measured raises."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    # Requests are counted as ever; only the load's one officer may ask more than people do.
    os.environ["YIBAO_OFFICER_LIMIT"] = "100000000/minute"
    folder = Path(tempfile.mkdtemp(prefix="yibao-bench-"))
    rows: list[Row] = []
    try:
        with console.status("读：网关、服务、下限"):
            rows += await _reads(folder / "reads", seconds)
        with console.status("账务：缴费划账"):
            rows.append(await _contributions(folder / "ledger", contributions))
        with console.status("总线：提交、转发、消费"):
            bus = await _bus(folder / "bus", seconds, console)
            rows += bus
        with console.status("花名册"):
            rows.append(await roster_rows.measure(folder / "rosters", PUPILS))
        with console.status("转移全程"):
            submit = bus[0].floor.p50_ms
            hop = rows[0].floor.p50_ms
            assert submit is not None, "pgbench tells its latency"
            assert hop is not None, "HTTP latencies were taken"
            rows.append(await _trips(folder / "trips", submit / 1000, hop / 1000))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures.show(console, rows)
    figures.save(output, rows)
    console.print(f"机器：{figures.machine()}；结果另存 {output}")
    return 0


async def _reads(folder: Path, seconds: float) -> list[Row]:
    async with _server(folder) as told:
        path = f"/v1/enrollment/persons/{told['person_id']}"
        headers = {"Authorization": f"Bearer {told['token']}"}
        floor = await http_load.measure(
            f"{told['floor']}/persons/{told['person_id']}", {}, connections=CONNECTIONS, seconds=seconds
        )
        service = await http_load.measure(
            told["service"] + path, headers, connections=CONNECTIONS, seconds=seconds
        )
        gateway = await http_load.measure(
            told["gateway"] + path, headers, connections=CONNECTIONS, seconds=seconds
        )
        hot = await read_rows.through_the_gateway(told, seconds)
    return [
        Row("服务读（查人员，含权限与脱敏）", "裸FastAPI+asyncpg", "次", service, floor, 0.70),
        Row("网关读（同一次读）", "直接读服务", "次", gateway, service, 0.60),
        *hot,
    ]


@asynccontextmanager
async def _server(folder: Path) -> AsyncIterator[dict[str, Any]]:
    """The process under test, apart from the load."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "libs.runtime.bench.server", str(folder),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None, "its standard output is a pipe"
    assert process.stdin is not None, "its standard input is a pipe"
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def _contributions(folder: Path, count: int) -> Row:
    with EmbeddedPostgres(folder) as postgres:
        admin = await asyncpg.connect(postgres.url("postgres"))
        await admin.execute("CREATE ROLE yibao_app NOLOGIN; CREATE ROLE bench_ledger LOGIN IN ROLE yibao_app")
        await admin.close()
        return await ledger_rows.contributions(
            postgres.url("postgres"), postgres.url("postgres", "bench_ledger"), count
        )


async def _bus(folder: Path, seconds: float, console: Console) -> list[Row]:
    with EmbeddedPostgres(folder) as postgres:
        admin = await asyncpg.connect(postgres.url("postgres"))
        await admin.execute("CREATE ROLE yibao_app NOLOGIN")
        await admin.execute("CREATE DATABASE bench")
        await admin.close()
        url = postgres.url("bench")
        await _make_tables(url)
        rows = [await bus_rows.submit_with_outbox(url, postgres.programs, seconds)]
        log = PostgresLogTransport(url)
        rows.append(await bus_rows.relay(url, log, PostgresLogTransport(url), "Postgres日志", EVENTS))
        rows.append(await bus_rows.consume(url, log, "Postgres日志", EVENTS))
        await log.close()
        rows += await _kafka_rows(url, folder.parent / "kafka", console)
    return rows


async def _kafka_rows(url: str, folder: Path, console: Console) -> list[Row]:
    try:
        await asyncio.to_thread(fetch_jars)
    except KafkaMissing as missing:
        console.print(f"[yellow]没有真实Kafka，略去两行：{missing}[/yellow]")
        return []
    with EmbeddedKafka(folder) as broker:
        transport, raw = KafkaTransport(broker.address), KafkaTransport(broker.address)
        connection = await asyncpg.connect(url)
        await connection.execute("TRUNCATE bench_effects, inbox")
        await connection.close()
        rows = [
            await bus_rows.relay(url, transport, raw, "Kafka", EVENTS),
            await bus_rows.consume(url, transport, "Kafka", EVENTS),
        ]
        await transport.close()
        await raw.close()
    return rows


async def _make_tables(url: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    plain = await asyncpg.connect(url)
    await plain.execute((bus_rows.SQL / "tables.sql").read_text(encoding="utf-8"))
    await create_log(plain)
    await plain.close()


async def _trips(folder: Path, transaction_s: float, hop_s: float) -> Row:
    clock = ShiftedClock(dt.datetime(2026, 3, 2, 9, tzinfo=SHANGHAI))
    door = listening_socket("127.0.0.1", 0)
    async with (
        embedded(folder, gateway_url=address_of(door), clock=clock) as installation,
        served(installation.gateway, door),
        httpx.AsyncClient(base_url=address_of(door), timeout=30) as client,
    ):
        api = Api(client)
        cast = Cast(api, 2)
        await cast.hire_officers(installation.postgres)
        await cast.found_employers()
        quiet = Narrator(Console(quiet=True), clock)
        stage = Stage(api, cast, quiet, clock, MiniProgram("none", "none"))
        return await round_trip.measure(stage, TRIPS, transaction_s, hop_s)
