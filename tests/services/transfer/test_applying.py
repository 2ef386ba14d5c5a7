"""Applications: what cannot become a case, two at once, input that changes nothing."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from libs.contracts.transfer import TransferCaseMoved
from tests.services.transfer.world import WUHAN, YANTAI, ZAOZHUANG, World
from tests.support.tokens import once, system

GUANGZHOU = "440100"


async def test_everything_that_makes_an_application_impossible_is_said_at_once(world: World) -> None:
    person = await world.mover()
    body = world.application(person, YANTAI, ZAOZHUANG, item_key="zaozhuang-transfer-out")
    body["payload"]["from_region_code"] = GUANGZHOU
    before = await world.counts()

    answer = await world.post("/v1/applications", body, world.officer(ZAOZHUANG, "clerk"))

    assert answer.status_code == 422
    faults = {fault["code"]: fault["pointer"] for fault in answer.json()["errors"]}
    assert faults == {"item": "/item_key", "agency_unknown": "/payload/from_region_code"}
    assert await world.counts() == before


async def test_a_region_that_is_neither_end_takes_no_application(world: World) -> None:
    person = await world.mover()
    body = world.application(person, YANTAI, ZAOZHUANG) | {"region_code": WUHAN, "item_key": "002036003002"}

    answer = await world.post("/v1/applications", body, world.officer(WUHAN, "clerk"))

    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/region_code"]


BROKEN: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "nothing at all",
        {"region_code": None, "item_key": None, "channel": None},
        ["/region_code", "/item_key"],
    ),
    ("a channel nobody has", {"channel": "pigeon"}, ["/channel"]),
    ("a misspelt field", {"chanel": "window"}, ["/chanel"]),
    ("a name of spaces", {"applicant": {"name": "   "}}, ["/applicant/name"]),
    ("NUL in a name", {"applicant": {"name": "王\x00五"}}, ["/applicant/name"]),
    (
        "a wrong check digit",
        {"applicant": {"credential_no": "370402199001010010"}},
        ["/applicant/credential_no"],
    ),
    ("a telephone with letters", {"applicant": {"telephone": "call me"}}, ["/applicant/telephone"]),
    ("a lone surrogate", {"applicant": {"name": "\ud800"}}, ["/applicant/name"]),
    ("full-width digits", {"region_code": "３７０４００"}, ["/region_code"]),
    (
        "a commitment without its text",
        {"materials": [{"key": "identity-proof", "source": "commitment"}]},
        ["/materials/0"],
    ),
    (
        "a foreign insurance",
        {"payload": {"insurance_kind": "999", "to_region_code": "37"}},
        ["/payload/insurance_kind", "/payload/to_region_code"],
    ),
]


async def test_bad_input_is_answered_field_by_field_and_changes_nothing(
    world: World, subtests: pytest.Subtests
) -> None:
    good = world.application(world.people.person("370602"), YANTAI, ZAOZHUANG)
    before = await world.counts()
    for name, changes, pointers in BROKEN:
        with subtests.test(name):
            answer = await world.post(
                "/v1/applications", merged(good, changes), world.officer(ZAOZHUANG, "clerk")
            )
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/problem+json"
            told = answer.json()["errors"]
            assert {fault["pointer"] for fault in told} >= set(pointers)
            assert all(re.search("[一-鿿]", fault["message"]) for fault in told)
    assert await world.counts() == before


async def test_two_applications_at_once_for_one_person_are_one_case(world: World) -> None:
    person = await world.mover()
    body = world.application(person, YANTAI, ZAOZHUANG)

    answers = await asyncio.gather(
        *(world.post("/v1/applications", body, world.officer(ZAOZHUANG, "clerk")) for _ in range(6))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"move_already_open"}
    assert (await world.sql("SELECT count(*) FROM moves"))[0][0] == 1
    assert len(await world.facts(TransferCaseMoved)) == 1


async def test_after_a_refusal_the_person_may_apply_again(world: World) -> None:
    person = await world.mover()
    first = await world.apply(world.application(person, YANTAI, ZAOZHUANG))
    await world.act(first["case_no"], "refuse", "clerk", {"reasons": ["申请人要求改日办理。"]})

    again = await world.apply(world.application(person, YANTAI, ZAOZHUANG))

    assert again["case_no"] != first["case_no"]


async def test_the_same_application_sent_again_gets_the_same_answer(world: World) -> None:
    person = await world.mover()
    body = world.application(person, YANTAI, ZAOZHUANG)
    headers = once(world.officer(ZAOZHUANG, "clerk"))

    first = await world.client.post("/v1/applications", json=body, headers=headers)
    second = await world.client.post("/v1/applications", json=body, headers=headers)

    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["ETag"] == '"1"'
    assert (await world.sql("SELECT count(*) FROM cases"))[0][0] == 1


async def test_a_citizen_applies_for_nobody_else(world: World) -> None:
    person, neighbour = await world.mover(), await world.mover()
    body = world.application(person, YANTAI, ZAOZHUANG, channel="mini_program")

    own = await world.post("/v1/applications", body, world.citizen(person))
    other = await world.post("/v1/applications", body, world.citizen(neighbour))

    assert own.status_code == 201
    assert (other.status_code, other.json()["code"]) == (403, "not_own")


async def test_a_system_cannot_apply(world: World) -> None:
    person = await world.mover()

    answer = await world.post(
        "/v1/applications", world.application(person, YANTAI, ZAOZHUANG), system("transfer.read")
    )

    assert answer.status_code == 403


def merged(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """``changes`` over ``body``, level by level; None takes a field away."""
    result = {name: value for name, value in body.items() if changes.get(name, "") is not None}
    for name, value in changes.items():
        if value is not None:
            deeper = isinstance(value, dict) and isinstance(body.get(name), dict)
            result[name] = merged(body[name], value) if deeper else value
    return result
