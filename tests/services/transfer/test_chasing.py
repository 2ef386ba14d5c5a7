"""A case that is never answered is found, chased, and visible."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from services.transfer.service import chasing
from services.transfer.worker import CHASE
from tests.services.transfer.world import YANTAI, ZAOZHUANG, World

# Accepted on Monday 9 March 2026; the other city has 10 working days for its sheet: until the 23rd.


@pytest.mark.parametrize(("day", "asked"), [(22, 0), (23, 0), (24, 1)])
async def test_the_other_city_is_asked_from_the_day_after_its_limit(
    world: World, day: int, asked: int
) -> None:
    pair = await world.accepted()
    assert (await world.transfer(pair.incoming))["stage_due_on"] == "2026-03-23"
    world.go_to(2026, 3, day)

    assert await world.run(CHASE) == asked
    await world.exchange()

    assert (await world.transfer(pair.incoming))["inquiries"] == asked
    assert (await world.steps(pair.outgoing)).count("收到催办") == asked


@pytest.mark.parametrize(("day", "asked"), [(25, 1), (26, 1), (27, 2)])
async def test_it_is_asked_again_after_three_working_days(world: World, day: int, asked: int) -> None:
    pair = await world.accepted()
    world.go_to(2026, 3, 24)
    await world.run(CHASE)

    world.go_to(2026, 3, day)
    await world.run(CHASE)

    assert (await world.transfer(pair.incoming))["inquiries"] == asked


async def test_the_inquiry_says_what_is_waited_for_and_how_long_it_is_overdue(world: World) -> None:
    pair = await world.accepted()
    world.go_to(2026, 3, 25)
    await world.run(CHASE)

    line = (await world.timeline(pair.incoming))[-1]
    [[details]] = await world.sql(
        "SELECT details FROM case_record WHERE action = 'advance' ORDER BY at DESC LIMIT 1"
    )

    assert (line.action_name, line.actor_name) == ("催办", "系统")
    assert details["overdue_working_days"] == 2
    assert "inquiry" in await world.messages(pair.incoming)


async def test_an_answer_ends_the_chase(world: World) -> None:
    pair = await world.accepted()
    world.go_to(2026, 3, 24)
    await world.run(CHASE)
    await world.exchange()
    await world.prepared(pair.outgoing, 0)
    await world.act(pair.outgoing, "issue-information-sheet", "reviewer")
    await world.exchange()

    world.go_to(2026, 3, 27)
    assert await world.run(CHASE) == 0

    view = await world.transfer(pair.incoming)
    assert (view["case"]["stage"], view["inquiries"]) == ("take_up", 0)


async def test_the_completion_is_waited_for_too(world: World) -> None:
    pair = await world.with_money()
    world.go_to(2026, 3, 17)

    assert await world.run(CHASE) == 1

    assert (await world.steps(pair.outgoing))[-1] == "催办"


async def test_an_officer_asks_whenever_the_other_city_is_waited_for(world: World) -> None:
    pair = await world.accepted()

    asked = await world.act(pair.incoming, "inquire", "clerk", {"remark": "请尽快办理。"})
    await world.exchange()
    refused = await world.try_to(pair.outgoing, "inquire", "clerk")

    assert asked["stage"] == "awaiting_sheet"
    assert (await world.timeline(pair.outgoing))[-1].reason == "请尽快办理。"
    assert (refused.status_code, refused.json()["code"]) == (409, "transfer_stage")


async def test_one_case_that_cannot_be_chased_keeps_no_other_from_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await world.accepted(), await world.accepted()
    world.go_to(2026, 3, 24)
    inquire = chasing.inquire

    async def broken(desk: Any, case: Any, move: Any, remark: Any) -> Any:
        if case.case_no == first.incoming:
            raise RuntimeError("broken")
        return await inquire(desk, case, move, remark)

    monkeypatch.setattr(chasing, "inquire", broken)

    assert await world.run(CHASE) == 1
    assert (await world.transfer(second.incoming))["inquiries"] == 1


async def test_an_inquiry_to_a_case_that_has_ended_disturbs_nothing(world: World) -> None:
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    await world.act(case_no, "accept", "clerk")
    await world.exchange()
    outgoing = await world.counterpart(case_no)
    await world.act(outgoing, "withdraw", "clerk", {"reason": "不再转移。"})
    await world.act(case_no, "inquire", "clerk")

    await world.exchange()

    assert (await world.case(outgoing))["status"] == "withdrawn"
    assert (await world.case(case_no))["status"] == "withdrawn"


def test_the_days_of_this_file_are_what_they_are_taken_for() -> None:
    assert [dt.date(2026, 3, day).isoweekday() for day in (9, 22, 23, 24)] == [1, 7, 1, 2]
