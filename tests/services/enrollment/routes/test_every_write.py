"""Every write asks for a key, is done once however often it is sent, and knows another body from a repeat."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from libs.webapp.reads import ReadRoute
from services.enrollment.routes import ROUTERS
from tests.services.enrollment.counter import Counter
from tests.services.enrollment.doors import Line, callers, lines
from tests.services.enrollment.town import Town, town_of


@pytest.fixture
async def town(counter: Counter) -> Town:
    return await town_of(counter)


def writes(town: Town) -> list[tuple[str, Line]]:
    """The table's writes; questions that are asked by POST (their key in no URL) write nothing."""
    questions = {
        f"POST {route.path}" for router in ROUTERS for route in router.routes if isinstance(route, ReadRoute)
    }
    table = lines(town).items()
    return [(name, line) for name, line in table if name.startswith("POST") and name not in questions]


async def send(
    counter: Counter, town: Town, name: str, line: Line, headers: dict[str, str], more: str = ""
) -> httpx.Response:
    """``more`` makes it another request."""
    caller = callers(town)[sorted(line.opens)[0]]
    body: dict[str, Any] = {"content": line.body} if isinstance(line.body, bytes) else {"json": line.body}
    path = name.split(" ")[1].format(**town.ids)
    query = line.query | ({"more": more} if more else {})
    return await counter.client.post(path, params=query, headers=caller | headers, **body)


async def test_without_a_key_nothing_is_done(counter: Counter, town: Town) -> None:
    for name, line in writes(town):
        answer = await send(counter, town, name, line, {})
        told = answer.json()
        assert (answer.status_code, told["code"]) == (422, "idempotency_key"), name
        assert told["errors"][0]["pointer"] == "/header/Idempotency-Key", name


async def test_a_repeat_is_answered_as_before_and_another_body_refused(counter: Counter, town: Town) -> None:
    done = set()
    for number, (name, line) in enumerate(writes(town)):
        key = {"Idempotency-Key": f"write-{number}"}
        first = await send(counter, town, name, line, key)
        if not first.is_success:
            continue  # nothing was written: it may be tried again
        done.add(name.split("/")[-1])
        changes = await counter.rows("SELECT count(*) FROM changes")
        again = await send(counter, town, name, line, key)
        assert (again.status_code, again.content) == (first.status_code, first.content), name
        assert again.headers["Idempotency-Replayed"] == "true", name
        other = await send(counter, town, name, line, key, more="other")
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch"), name
        assert await counter.rows("SELECT count(*) FROM changes") == changes, name
    assert len(done) >= 12, done
