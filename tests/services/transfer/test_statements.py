"""Statements per request: upper bounds that may only sink."""

from __future__ import annotations

from tests.services.transfer.world import YANTAI, ZAOZHUANG, World
from tests.support.statements import assert_statements


async def test_reading_an_application_takes_two_statements(world: World) -> None:
    """The caller's regions, the case."""
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]

    with assert_statements(world.resources.database.engine, at_most=2):
        answer = await world.client.get(
            f"/v1/applications/{case_no}", headers=world.officer(ZAOZHUANG, "clerk")
        )

    assert answer.status_code == 200


async def test_reading_a_case_with_its_notice_takes_three(world: World) -> None:
    person = await world.mover()
    body = world.application(person, YANTAI, ZAOZHUANG, materials=[])
    case_no = (await world.apply(body))["case_no"]

    with assert_statements(world.resources.database.engine, at_most=3):
        await world.client.get(f"/v1/applications/{case_no}", headers=world.officer(ZAOZHUANG, "clerk"))


async def test_submitting_takes_twelve(world: World) -> None:
    """Regions, stored answer; serial, case, record, fact; move in its savepoint; materials; answer."""
    person = await world.mover()
    body = world.application(person, YANTAI, ZAOZHUANG)
    headers = world.officer(ZAOZHUANG, "clerk")

    with assert_statements(world.resources.database.engine, at_most=12):
        answer = await world.post("/v1/applications", body, headers)

    assert answer.status_code == 201


async def test_accepting_and_telling_the_other_city_takes_twenty_five(world: World) -> None:
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]

    with assert_statements(world.resources.database.engine, at_most=25):
        await world.act(case_no, "accept", "clerk")
