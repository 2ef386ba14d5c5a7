"""Every route for every caller: a route added later must stand in the table (doors.py)."""

from __future__ import annotations

from typing import get_args

import httpx
import pytest
from fastapi.routing import APIRoute

from libs.webapp.callers import Role
from services.enrollment.routes import ROUTERS
from services.enrollment.schemas.applications import Payload
from tests.services.enrollment.counter import Counter
from tests.services.enrollment.doors import ANYBODY, A, Line, abroad, applications, ask, callers, lines
from tests.services.enrollment.town import Town, town_of
from tests.support.tokens import citizen

# Refusals that come after the rights: nobody checks their own request; 武汉 has no item for rosters.
LATER = frozenset({"maker_checker", "no_item"})
# What is asked for in order to be printed, paid or put right: all of it.
IN_FULL = frozenset(
    {
        "/v1/applications/{case_no}/documents",
        "/v1/enrollment/papers/{document_id}",
        "/v1/enrollment/payout-batches/{batch_id}/file",
        "/v1/enrollment/rosters/{roster_id}/errors",
    }
)
# Who pays compares the account with the papers.
CLEARED_AS_WELL = {"withdrawals": (Role.FINANCE, Role.CHIEF)}


@pytest.fixture
async def town(counter: Counter) -> Town:
    return await town_of(counter)


def test_no_route_and_no_kind_of_application_is_left_out(town: Town) -> None:
    routes = {
        f"{method} {route.path}"
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    told = lines(town)
    assert {" ".join(name.split(" ")[:2]) for name in told} == routes
    kinds = {str(kind.model_fields["kind"].annotation.__args__[0]) for kind in get_args(get_args(Payload)[0])}
    assert {name.split(" ")[2] for name in told if name.startswith(f"POST {A} ")} == kinds


async def test_whoever_is_not_let_in_is_refused_and_changes_nothing(counter: Counter, town: Town) -> None:
    wrong = []
    before = await counter.rows("SELECT count(*) FROM idempotency_keys")
    for name, line in lines(town).items():
        if (await ask(counter, town, name, line, None)).status_code != 401:
            wrong.append((name, "anonymous", 0, ""))
        for who, caller in callers(town).items():
            if who in line.opens:
                continue
            answer = await ask(counter, town, name, line, caller)
            if answer.status_code not in (403, 404) or _tells(answer, town):
                wrong.append((name, str(who), answer.status_code, answer.text[:200]))
    assert not wrong, "\n".join(map(str, wrong))
    assert await counter.rows("SELECT count(*) FROM idempotency_keys") == before


async def test_another_region_is_let_in_nowhere(counter: Counter, town: Town) -> None:
    wrong = []
    for name, line in lines(town).items():
        for who, caller in abroad().items():
            answer = await ask(counter, town, name, line, caller)
            refused = answer.status_code in (403, 404) or (line.abroad and answer.status_code < 500)
            if not refused or _tells(answer, town):
                wrong.append((name, who, answer.status_code, answer.text[:200]))
    assert not wrong, "\n".join(map(str, wrong))


async def test_whoever_is_let_in_is_never_told_that_they_are_not(counter: Counter, town: Town) -> None:
    wrong = []
    for name, line in lines(town).items():
        known = callers(town)
        for who in line.opens:
            answer = await ask(counter, town, name, line, known[who])
            told_off = answer.status_code in (401, 403, 404) and answer.json()["code"] not in LATER
            if told_off or answer.status_code >= 500:
                wrong.append((name, str(who), answer.status_code, answer.text[:200]))
    assert not wrong, "\n".join(map(str, wrong))


async def test_a_citizen_gets_nothing_of_somebody_else_by_applying_in_their_own_name(
    counter: Counter, town: Town
) -> None:
    me = town.stranger
    key = counter.resources.protector.blind_index(f"resident_id:{me.made_up.id_number}")
    wrong = []
    for kind, body in applications(town, me.body()).items():
        if kind == "employer_registration":
            continue  # of a new employer: nobody else's
        answer = await ask(counter, town, f"POST {A}", Line(ANYBODY, body), citizen(key))
        done = answer.status_code == 201 and answer.json()["status"] == "completed"
        if done or answer.status_code >= 500 or _tells(answer, town):
            wrong.append((kind, answer.status_code, answer.text[:300]))
    assert not wrong, "\n".join(map(str, wrong))


async def test_below_clearance_no_number_is_shown_in_full(counter: Counter, town: Town) -> None:
    wrong = []
    for name, line in lines(town).items():
        if name.split(" ")[1] in IN_FULL or not name.startswith("GET"):
            continue
        cleared = {"owner", Role.REVIEWER, *CLEARED_AS_WELL.get(name.split("/")[3], ())}
        for who in line.opens - cleared:
            answer = await ask(counter, town, name, line, callers(town)[who])
            shown = [number for number in town.numbers if number in answer.text]
            if shown:
                wrong.append((name, str(who), shown))
    assert not wrong, "\n".join(map(str, wrong))


def _tells(answer: httpx.Response, town: Town) -> bool:
    """Whether something of the town stands in the answer that its reader did not say themselves."""
    asked = (answer.request.content or b"").decode(errors="replace") + str(answer.request.url)
    return any(secret in answer.text and secret not in asked for secret in town.secrets)
