"""好差评: by the applicant, after the end, once."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from libs.casework.lifecycle import Action, Status
from libs.webapp.callers import Role
from tests.services.tracking.conftest import Hear
from tests.services.tracking.facts import LI, WANG, ZAOZHUANG, case_number, moved
from tests.support.tokens import citizen, officer, once

CASE = case_number()
PATH = f"/v1/tracking/cases/{CASE}/rating"


async def rate(client: httpx.AsyncClient, headers: dict[str, str], body: object) -> httpx.Response:
    return await client.post(PATH, json=body, headers=once(headers))


async def test_a_completed_case_is_rated_and_the_rating_stands_in_its_timeline(
    client: httpx.AsyncClient, hear: Hear
) -> None:
    await hear(moved(CASE, 2, Action.COMPLETE, Status.COMPLETED))
    answer = await rate(client, citizen(LI), {"stars": 5, "text": "很快"})
    assert answer.status_code == 201
    told = await client.get(f"/v1/applications/{CASE}/timeline", headers=officer(ZAOZHUANG, Role.SUPERVISOR))
    assert (told.json()["rating"]["stars"], told.json()["rating"]["text"]) == (5, "很快")


async def test_a_case_is_rated_once_even_at_the_same_moment(client: httpx.AsyncClient, hear: Hear) -> None:
    await hear(moved(CASE, 2, Action.REFUSE, Status.REFUSED))
    answers = await asyncio.gather(*(rate(client, citizen(LI), {"stars": n}) for n in (1, 2, 3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.ACCEPTED, Status.WITHDRAWN])
async def test_a_case_the_agency_has_not_decided_cannot_be_rated(
    client: httpx.AsyncClient, hear: Hear, status: Status
) -> None:
    await hear(moved(CASE, 2, Action.ADVANCE, status))
    answer = await rate(client, citizen(LI), {"stars": 4})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ratable")


async def test_only_the_applicant_rates(client: httpx.AsyncClient, hear: Hear) -> None:
    await hear(moved(CASE, 2, Action.COMPLETE, Status.COMPLETED))
    assert (await rate(client, citizen(WANG), {"stars": 1})).status_code == 404
    assert (await rate(client, officer(ZAOZHUANG, Role.CLERK), {"stars": 5})).status_code == 403


@pytest.mark.parametrize(
    "body", [{"stars": 0}, {"stars": 6}, {"stars": 4.5}, {"stars": 5, "text": "a\0"}, {}]
)
async def test_a_rating_out_of_range_is_refused(client: httpx.AsyncClient, hear: Hear, body: object) -> None:
    await hear(moved(CASE, 2, Action.COMPLETE, Status.COMPLETED))
    answer = await rate(client, citizen(LI), body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
