"""Reads past the session: the caller's regions, nothing written, failures told as everywhere else."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, Response
from pydantic import BaseModel

from libs.casebook.contents import next_number
from libs.refusals.faults import conflict
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS, Database
from libs.webapp.reads import ReadingDep, ReadRoute, answered
from tests.libs.webapp.conftest import REGION, Stage
from tests.support.statements import assert_statements
from tests.support.tokens import officer

CLERK = officer(REGION, Role.CLERK)
SEEN = "SELECT region_code FROM document_counters ORDER BY 1"


class Seen(BaseModel):
    regions: list[str]


@pytest.fixture
async def client(stage: Stage) -> httpx.AsyncClient:
    router = APIRouter(route_class=ReadRoute)

    @router.get("/seen", response_model=Seen)
    async def read_seen(reading: ReadingDep) -> Response:
        rows = await reading.connection.fetch(SEEN)
        return answered(Seen(regions=[row[0] for row in rows]), version=7)

    @router.get("/fail/{how}")
    async def fail(how: str, reading: ReadingDep) -> Response:
        if how == "refuse":
            raise conflict("no", "不行。")
        await reading.connection.execute(STATEMENTS[how])
        raise AssertionError("it should have failed")

    stage.app.include_router(router)
    async with stage.resources.database.transaction(ALL_REGIONS) as session:
        for region in ("370600", "370400", "420100"):
            await next_number(session, region, "c", 2026)
    return stage.client


STATEMENTS = {
    "unstorable": "SELECT CAST('x' AS integer)",
    "away": "SELECT pg_terminate_backend(pg_backend_pid())",
    "write": "INSERT INTO document_counters DEFAULT VALUES",
}


async def test_a_read_sees_the_callers_regions_and_no_other(client: httpx.AsyncClient) -> None:
    answer = await client.get("/seen", headers=CLERK)
    assert (answer.json(), answer.headers["etag"]) == ({"regions": [REGION]}, '"7"')
    assert answer.headers["content-type"] == "application/json"
    assert (await client.get("/seen", headers=officer("420100", Role.CLERK))).json() == {
        "regions": ["420100"]
    }
    assert (await client.get("/seen")).status_code == 401


async def test_a_pooled_connection_shows_each_caller_their_own_regions(stage: Stage) -> None:
    """One connection for all of them, so what the one before was shown is still set when the next comes."""
    single = Database(stage.resources.database.url, pool_size=1)
    other = "420100"
    try:
        async with single.transaction(ALL_REGIONS) as session:
            for region in (REGION, other):
                await next_number(session, region, "c", 2026)
        for regions, expected in (
            (ALL_REGIONS, [REGION, other]),
            ((), []),
            ((REGION,), [REGION]),
            ((REGION,), [REGION]),
            ((other,), [other]),
            ((REGION, other), [REGION, other]),
            (("'; SET yibao.regions = '*",), []),
        ):
            async with single.reading(regions) as connection:
                assert [row[0] for row in await connection.fetch(SEEN)] == expected
    finally:
        await single.close()


async def test_regions_that_could_not_be_set_are_not_taken_for_set(stage: Stage) -> None:
    single = Database(stage.resources.database.url, pool_size=1)
    try:
        async with single.reading(ALL_REGIONS) as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
        with pytest.raises((asyncpg.PostgresError, ValueError)):
            async with single.reading(("a\0b",)):
                raise AssertionError("NUL stands in no setting")
        async with single.reading(("370600",)) as connection:
            assert await connection.fetchval("SELECT current_setting('yibao.regions')") == "370600"
            assert await connection.fetchval("SELECT pg_backend_pid()") == pid
    finally:
        await single.close()


async def test_nothing_is_written_in_a_read(stage: Stage) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with stage.resources.database.reading(ALL_REGIONS) as connection:
            await connection.execute(STATEMENTS["write"])


async def test_a_failed_read_leaves_its_connection_fit_for_the_next(stage: Stage) -> None:
    single = Database(stage.resources.database.url, pool_size=1)
    try:
        for _ in range(2):
            with pytest.raises(asyncpg.UndefinedTableError):
                async with single.reading(ALL_REGIONS) as connection:
                    await connection.fetch("SELECT * FROM no_such_table")
        async with single.reading((REGION,)) as connection:
            assert await connection.fetch(SEEN) == []
    finally:
        await single.close()


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [("refuse", 409, "no"), ("unstorable", 422, "unstorable"), ("away", 503, "database")],
)
async def test_a_failure_is_told_as_on_every_other_route(
    client: httpx.AsyncClient, how: str, status: int, code: str
) -> None:
    answer = await client.get(f"/fail/{how}", headers=CLERK)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await client.get("/seen", headers=CLERK)).status_code == 200


async def test_a_malfunction_stays_one(client: httpx.AsyncClient) -> None:
    assert (await client.get("/fail/write", headers=CLERK)).status_code == 500


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/nothing", "postgresql://n@/n?host=%2Fnowhere"]
)
async def test_a_database_that_is_away_is_told_as_such(
    client: httpx.AsyncClient, stage: Stage, url: str
) -> None:
    nowhere = Database(url)
    stage.app.state.resources = replace(stage.resources, database=nowhere)
    answer = await client.get("/seen", headers=CLERK)
    assert (answer.status_code, answer.json()["code"]) == (503, "database")
    await nowhere.close()


async def test_statements_of_reads_are_counted_too(client: httpx.AsyncClient, stage: Stage) -> None:
    engine = stage.resources.database.engine
    with assert_statements(engine, 2) as sent:
        await client.get("/seen", headers=CLERK)
    assert sent == ["SELECT set_config('yibao.regions', $1, false)", SEEN]
    with pytest.raises(AssertionError, match="1 statements, not 0"), assert_statements(engine, 0):
        await client.get("/seen", headers=CLERK)
