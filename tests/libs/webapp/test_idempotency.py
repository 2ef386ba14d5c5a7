"""The same key and body get the same answer, once (B20)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libs.webapp.callers import Role
from tests.libs.webapp.conftest import REGION, Stage
from tests.support.tokens import officer, once

CLERK = officer(REGION, Role.CLERK)


async def test_five_hundred_identical_requests_at_once_have_one_effect_and_one_answer(stage: Stage) -> None:
    headers = once(CLERK)

    answers = await asyncio.gather(
        *(stage.client.post("/raise", json={}, headers=headers) for _ in range(500))
    )

    done = [answer for answer in answers if answer.status_code == 201]
    running = [answer for answer in answers if answer.status_code == 409]
    assert len(done) + len(running) == 500
    assert {answer.content for answer in done} == {b'{"count":1}'}
    assert {answer.json()["code"] for answer in running} <= {"idempotency_running"}
    assert (await stage.counter(), await stage.stored_answers()) == (1, 1)
    assert sum("Idempotency-Replayed" not in answer.headers for answer in done) == 1


async def test_a_repetition_gets_status_headers_and_body_of_the_first(stage: Stage) -> None:
    headers = once(CLERK)
    first = await stage.client.post("/raise", json={}, headers=headers)

    again = await stage.client.post("/raise", json={}, headers=headers)

    assert (again.status_code, again.content) == (201, first.content)
    for name in ("content-type", "etag", "location"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await stage.counter() == 1


async def test_while_the_first_runs_others_with_its_key_are_told_so(stage: Stage) -> None:
    headers = once(CLERK)
    first = asyncio.create_task(stage.client.post("/raise", json={"then": "wait"}, headers=headers))
    await asyncio.wait_for(stage.entered.wait(), 30)

    second = await stage.client.post("/raise", json={"then": "wait"}, headers=headers)
    stage.door.set()

    assert (second.status_code, second.json()["code"]) == (409, "idempotency_running")
    assert (await first).status_code == 201
    third = await stage.client.post("/raise", json={"then": "wait"}, headers=headers)
    assert third.content == (await first).content


@pytest.mark.parametrize("change", [{"json": {"counter": "d"}}, {"json": {}, "params": {"x": "1"}}])
async def test_another_body_under_the_same_key_is_refused(stage: Stage, change: dict[str, Any]) -> None:
    headers = once(CLERK)
    await stage.client.post("/raise", json={}, headers=headers)

    other = await stage.client.post("/raise", headers=headers, **change)

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert (await stage.counter(), await stage.counter("d")) == (1, 0)


async def test_the_same_key_of_another_caller_is_another_request(stage: Stage) -> None:
    key = "the-same-key"
    await stage.client.post("/raise", json={}, headers=once(CLERK, key))
    other = officer(REGION, Role.CLERK, subject="officer-2")

    answer = await stage.client.post("/raise", json={}, headers=once(other, key))

    assert answer.json() == {"count": 2}


@pytest.mark.parametrize(("then", "status"), [("refuse", 409), ("break", 500), ("break-commit", 503)])
async def test_an_effect_that_is_rolled_back_takes_its_answer_along(
    stage: Stage, then: str, status: int
) -> None:
    headers = once(CLERK)
    failed = await stage.client.post("/raise", json={"then": then}, headers=headers)
    assert failed.status_code == status
    assert (await stage.counter(), await stage.stored_answers()) == (0, 0)

    again = await stage.client.post("/raise", json={}, headers=headers)

    assert (again.status_code, again.json()) == (201, {"count": 1})


@pytest.mark.parametrize("key", [None, "", "k" * 201, "键", "a\tb"])
async def test_a_write_needs_a_readable_key(stage: Stage, key: str | None) -> None:
    headers = [(name.encode(), value.encode()) for name, value in CLERK.items()]
    if key is not None:
        headers.append((b"Idempotency-Key", key.encode()))

    answer = await stage.client.post("/raise", json={}, headers=headers)

    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/header/Idempotency-Key", "idempotency_key")
    assert await stage.counter() == 0


async def test_a_read_needs_no_key(stage: Stage) -> None:
    assert (await stage.client.get("/me", headers=CLERK)).status_code == 200
