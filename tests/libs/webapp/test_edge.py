"""One request, one transaction: committed before the answer leaves; seen regions; a database away."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.types import Message, Receive, Scope, Send

from libs.casebook.contents import next_number
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS, Database
from tests.libs.webapp.conftest import REGION, Stage
from tests.support.tokens import officer, once

CLERK = officer(REGION, Role.CLERK)


async def test_what_is_answered_is_committed(stage: Stage) -> None:
    """Seen from another connection at the moment the answer's first byte leaves."""
    seen: list[int] = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def look_then_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.append(await stage.counter())
            await send(message)

        await stage.app(scope, receive, look_then_send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(watched), base_url="http://s") as client:
        answer = await client.post("/raise", json={}, headers=once(CLERK))

    assert (answer.status_code, seen) == (201, [1])


async def test_a_transaction_sees_and_writes_only_the_regions_it_may(stage: Stage) -> None:
    database = stage.resources.database
    async with database.transaction(ALL_REGIONS) as session:
        for region in ("370400", "370600", "420100"):
            await next_number(session, region, "c", 2026)

    for regions in (("370400",), ("370400", "420100"), ("*",), ()):
        async with database.transaction(regions) as session:
            rows = (await session.scalars(text("SELECT region_code FROM document_counters"))).all()
        everywhere = ("370400", "370600", "420100")
        assert sorted(rows) == sorted(everywhere if regions == ("*",) else regions)

    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.transaction(("370400",)) as session:
            await next_number(session, "370600", "d", 2026)


async def test_a_pooled_connection_carries_no_region_to_the_next_caller(stage: Stage) -> None:
    single = Database(stage.resources.database.url, pool_size=1)
    try:
        async with single.transaction(ALL_REGIONS) as session:
            first = await session.scalar(text("SELECT pg_backend_pid()"))
        async with single.engine.connect() as connection:
            second = await connection.scalar(text("SELECT pg_backend_pid()"))
            regions = await connection.scalar(text("SELECT current_setting('yibao.regions', true)"))
        assert (second, regions or "") == (first, "")
    finally:
        await single.close()


async def test_the_text_of_a_database_error_shows_no_values(stage: Stage) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with stage.resources.database.transaction(ALL_REGIONS) as session:
            await session.execute(text("SELECT CAST(:secret AS integer)"), {"secret": "王五"})
    assert "parameters hidden" in str(failed.value)


async def test_a_database_that_is_away_is_told_as_such(stage: Stage) -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing")
    stage.app.state.resources = replace(stage.resources, database=nowhere)

    answer = await stage.client.post("/raise", json={}, headers=once(CLERK))
    ready = await stage.client.get("/readyz")
    alive = await stage.client.get("/healthz")

    assert (answer.status_code, answer.json()["code"]) == (503, "database")
    assert "稍后重试" in answer.json()["detail"]
    assert (ready.status_code, alive.status_code) == (503, 200)
    await nowhere.close()


async def test_readiness_asks_the_database(stage: Stage) -> None:
    assert (await stage.client.get("/readyz")).json() == {"status": "ready"}
