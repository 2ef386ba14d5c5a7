"""A roster applied, against COPY of the rows it makes into tables alike, in the same server."""

from __future__ import annotations

import csv
import datetime as dt
import importlib
import io
import time
from pathlib import Path
from typing import Any

import asyncpg

from libs.casework.clock import SHANGHAI, ShiftedClock
from libs.identifiers.made_up import MadeUp
from libs.rosters.layouts import RosterKind
from libs.runtime import composition
from libs.runtime.bench.figures import Row, Sample
from libs.runtime.databases import OWNER, login_of, provision
from libs.runtime.generated_settings import settings_of
from libs.runtime.migrations import upgrade
from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources

SERVICE = "enrollment"
REGION, COUNTY = "370400", "370402"
_PUBLIC_KEY = "A" * 43 + "="  # nobody signs in here
_AT = dt.datetime(2026, 3, 2, 9, tzinfo=SHANGHAI)
# What a row leaves besides its outcome and history: the floor copies these, byte for byte.
_COPIED = ("persons", "enrolments", "outbox")


async def measure(folder: Path, people: int) -> Row:
    """Rows per second of a csv of ``people`` pupils, none known before."""
    with EmbeddedPostgres(folder) as postgres:
        await provision(postgres.url("postgres"), databases=(SERVICE,))
        await upgrade(SERVICE, postgres.url(SERVICE, OWNER))
        url = postgres.url(SERVICE, login_of(SERVICE))
        settings = settings_of(SERVICE)(database_url=url, token_public_key=_PUBLIC_KEY)
        async with composition.resources_of(settings, ShiftedClock(_AT)) as resources:
            await _upload(resources, people)
            worker = importlib.import_module(f"services.{SERVICE}.worker").create_roster_worker(resources)
            started = time.perf_counter()
            await worker.work_off()
            product = Sample(people / (time.perf_counter() - started))
        floor = await _floor(postgres.url(SERVICE), people)
    return Row(
        "花名册（读文件、核验、参保、发件箱）", "COPY同样的人员、参保、发件箱行", "人", product, floor, 0.10
    )


def roster_file(people: int) -> bytes:
    """A csv as a school district would send it; made-up pupils, the same each time."""
    made_up = MadeUp(20260901)
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["姓名", "证件类型", "证件号码", "性别", "学校", "年级班级", "联系电话"])
    for _ in range(people):
        one = made_up.person(COUNTY, born=(2008, 2019))
        school = ("安宁小学（虚构）", "一年级二班")
        rows.writerow([one.name, "居民身份证", one.id_number, one.sex, *school, one.telephone])
    return text.getvalue().encode()


async def _upload(resources: Resources, people: int) -> None:
    receiving: Any = importlib.import_module(f"services.{SERVICE}.service.rosters.receiving")
    desks: Any = importlib.import_module(f"services.{SERVICE}.service.desk")
    new = receiving.NewRoster(
        region_code=REGION,
        kind=RosterKind.STUDENT,
        started_on=dt.date(2026, 3, 1),
        file_name="bench.csv",
        content=roster_file(people),
    )
    async with resources.database.transaction(ALL_REGIONS) as session:
        await receiving.receive(desks.Desk(session, resources.protector, resources.clock.now()), new)


async def _floor(url: str, people: int) -> Sample:
    connection = await asyncpg.connect(url)
    rows = {}
    for table in _COPIED:
        columns = [
            row["attname"]
            for row in await connection.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 "
                "AND NOT attisdropped AND attidentity = '' ORDER BY attnum",
                table,
            )
        ]
        records = [tuple(row) for row in await connection.fetch(f"SELECT {', '.join(columns)} FROM {table}")]
        # A pupil nobody knew is told of twice: registered, and enrolled.
        expected = people * (2 if table == "outbox" else 1)
        assert len(records) == expected, f"{len(records)} rows in {table}"
        rows[table] = (columns, records)
        await connection.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
    started = time.perf_counter()
    for table, (columns, records) in rows.items():
        await connection.copy_records_to_table(f"bench_{table}", records=records, columns=columns)
    elapsed_s = time.perf_counter() - started
    await connection.close()
    return Sample(people / elapsed_s)
