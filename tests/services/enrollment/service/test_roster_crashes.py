"""kill -9 in mid-roster, several workers, and single enrolments of the same people meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url
from structlog.testing import capture_logs

from libs.contracts.enrollment import EnrolmentStarted
from libs.runtime.databases import OWNER
from services.enrollment.service.rosters import applying
from tests.services.enrollment.counter import YANTAI, Counter, clerk_of
from tests.services.enrollment.registry import Registry, pupils, school_file, worker_of
from tests.support.service import published

ROOT = Path(__file__).resolve().parents[4]
LEASE_S = 0.5


@pytest.fixture
def registry(counter: Counter) -> Registry:
    return Registry(counter)


@contextlib.asynccontextmanager
async def doomed(registry: Registry, chunk_rows: int) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.services.enrollment.doomed",
        registry.resources.database.url, str(chunk_rows), str(LEASE_S),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def dies_after(registry: Registry, chunks: int) -> None:
    """A worker that is killed when it has come so far with its chunks, wherever that is in the next."""
    async with doomed(registry, 20) as process:
        assert process.stdout is not None
        for _ in range(chunks):
            async with asyncio.timeout(60):
                assert (await process.stdout.readline()).strip() == b"chunk"


async def everybody_once(registry: Registry, roster_id: str, count: int) -> None:
    """Every row done once, everybody enrolled once, told once."""
    seen = await registry.seen(roster_id)
    assert (seen["state"], seen["rows_done"], seen["enrolled"]) == ("finished", count, count)
    rows = await registry.rows(roster_id)
    assert [row["row_no"] for row in rows] == list(range(2, count + 2))
    facts = await published(registry.resources, EnrolmentStarted)
    assert len(facts) == len({fact.person_key for fact in facts}) == count
    for table, one in (("persons", "person_key"), ("enrolments", "person_key")):
        counted = await registry.counter.rows(f"SELECT count(*), count(DISTINCT {one}) FROM {table}")
        assert counted == [(count, count)]
    assert await registry.counter.rows("SELECT count(*) FROM changes") == [(2 * count,)]


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(registry: Registry) -> None:
    roster_id = await registry.taken(school_file(pupils(600)))
    rng = random.Random(9)
    done = [0]
    for _ in range(4):
        await dies_after(registry, rng.randrange(4, 9))
        done.append((await registry.seen(roster_id))["rows_done"])
    assert done == sorted(done)
    assert 0 < done[-1] < 600, "it was killed in the middle"
    await _until_finished(registry, roster_id, worker_of(registry.resources, poll_s=0.02))
    await everybody_once(registry, roster_id, 600)


async def _until_finished(registry: Registry, roster_id: str, *workers: Any) -> None:
    running = [asyncio.create_task(worker.run()) for worker in workers]
    async with asyncio.timeout(120):
        version = 0
        while (seen := await registry.seen(roster_id))["state"] != "finished":
            path = f"rosters/{roster_id}?after_version={max(version, seen['version'])}&wait_s=5"
            version = (await registry.counter.get(path)).json()["version"]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_two_workers_share_the_rosters_and_neither_does_the_other_s(registry: Registry) -> None:
    ids = [await registry.taken(school_file(pupils(120, seed=seed))) for seed in (1, 2, 3)]
    workers = [worker_of(registry.resources, chunk_rows=10) for _ in range(2)]
    taken = await asyncio.gather(*(worker.work_off() for worker in workers))
    assert sum(taken) == 3
    assert min(taken) >= 1
    for roster_id in ids:
        assert (await registry.seen(roster_id))["enrolled"] == 120
    rows = await registry.counter.rows("SELECT count(*), count(DISTINCT person_key) FROM enrolments")
    assert rows == [(360, 360)]


async def test_a_worker_stopped_past_its_lease_changes_nothing(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster_id = await registry.taken(school_file(pupils(60)))
    slow, quick = (worker_of(registry.resources, chunk_rows=20, lease_s=0.05) for _ in range(2))
    stopped, go_on = asyncio.Event(), asyncio.Event()
    real = applying.rosters.is_still_ours

    async def after_the_stop(session: Any, roster: Any, worker: Any, next_row: int) -> bool:
        if worker == slow.name and next_row > 1:
            stopped.set()
            await go_on.wait()
        return await real(session, roster, worker, next_row)

    monkeypatch.setattr(applying.rosters, "is_still_ours", after_the_stop)
    with capture_logs() as logged:
        waiting = asyncio.create_task(slow.work_off())
        await asyncio.wait_for(stopped.wait(), 30)
        async with asyncio.timeout(30):
            while (await registry.seen(roster_id))["state"] != "finished":
                await quick.work_off()
        go_on.set()
        await asyncio.wait_for(waiting, 30)
    assert [entry["event"] for entry in logged if entry["event"].startswith("roster")] == [
        "roster_lease_lost"
    ]
    await everybody_once(registry, roster_id, 60)


async def test_the_same_people_enrolled_one_by_one_meanwhile_are_enrolled_once(registry: Registry) -> None:
    people = pupils(80)
    content = school_file(people)
    cards = [await registry.counter.person(YANTAI, person.id_number) for person in people[::4]]
    roster_id = await registry.taken(content)

    async def one_by_one() -> None:
        for card in cards:
            body = {"person_id": card.id, "insurance_kind": "390", "person_kind": "student"}
            await registry.counter.post("enrolments", {**body, "started_on": "2026-03-01"}, clerk_of(YANTAI))

    await asyncio.gather(one_by_one(), worker_of(registry.resources, chunk_rows=7).work_off())
    counted = await registry.counter.rows("SELECT count(*), count(DISTINCT person_key) FROM enrolments")
    assert counted == [(80, 80)]
    seen = await registry.seen(roster_id)
    elsewhere = await registry.counter.rows("SELECT count(*) FROM enrolments WHERE region_code = '370600'")
    assert (seen["refused"], seen["enrolled"]) == (elsewhere[0][0], 80 - elsewhere[0][0])
    facts = await published(registry.resources, EnrolmentStarted)
    assert len(facts) == 80


async def test_whoever_is_enrolled_elsewhere_between_look_and_write_is_refused_with_the_evidence(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = pupils(10)
    card = await registry.counter.person(YANTAI, people[3].id_number)
    roster_id = await registry.taken(school_file(people))
    real = applying._write
    times = 0

    async def overtaken(desk: Any, written: Any) -> None:
        nonlocal times
        times += 1
        if times == 1:
            await registry.counter.enrol(card, "390", "resident", since="2026-02-01")
        await real(desk, written)

    monkeypatch.setattr(applying, "_write", overtaken)
    await worker_of(registry.resources).work_off()
    assert times == 2
    (refused,) = await registry.rows(roster_id, "refused")
    assert refused["row_no"] == 5
    assert "烟台市" in refused["faults"][0]["message"]
    assert (await registry.seen(roster_id))["enrolled"] == 9
    assert await registry.counter.rows("SELECT count(*) FROM persons WHERE region_code = '370400'") == [(9,)]


async def test_rosters_with_the_same_people_in_other_orders_do_not_deadlock(registry: Registry) -> None:
    people = pupils(100)
    here = await registry.taken(school_file(people))
    there = await registry.taken(school_file(people[::-1]), region_code=YANTAI)
    workers = [worker_of(registry.resources, chunk_rows=200) for _ in range(2)]
    with capture_logs() as logged:
        await asyncio.gather(*(worker.work_off() for worker in workers))
    assert not [entry for entry in logged if "error" in entry], "no deadlock had to be broken"
    done = [await registry.seen(here), await registry.seen(there, YANTAI)]
    assert [one["state"] for one in done] == ["finished"] * 2
    assert sum(one["enrolled"] for one in done) == 100
    assert sum(one["refused"] for one in done) == 100


async def test_a_roster_that_cannot_be_worked_on_fails_and_others_go_on(registry: Registry) -> None:
    broken = await registry.taken(school_file(pupils(3, seed=1)))
    whole = await registry.taken(school_file(pupils(3, seed=2)))
    other_key = registry.resources.protector.encrypt_bytes(b"x", "elsewhere")
    spoil = "UPDATE roster_files SET content = $1 WHERE roster_id = $2::text::uuid"
    await _as_owner(registry, spoil, other_key, broken)
    await worker_of(registry.resources).work_off()
    assert (await registry.seen(broken))["state"] == "failed"
    assert (await registry.seen(whole))["enrolled"] == 3
    again = await registry.upload(school_file(pupils(3, seed=1)))
    assert again.status_code == 202, "a file whose roster failed is taken again"


async def _as_owner(registry: Registry, statement: str, *values: object) -> None:
    """What the service's own login may not do."""
    url = make_url(registry.resources.database.url).set(username=OWNER)
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    await connection.execute(statement, *values)
    await connection.close()
