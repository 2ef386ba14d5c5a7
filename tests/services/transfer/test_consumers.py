"""Facts of enrollment may come twice, and out of step: one effect each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

import pytest

from libs.contracts.transfer import TransferOutCancelled
from libs.refusals.faults import Refusal
from services.transfer import repository
from tests.services.transfer.world import YANTAI, ZAOZHUANG, Pair, World

Twice = Callable[[World, Pair], Awaitable[None]]


async def prepared_twice(world: World, pair: Pair) -> None:
    await world.prepared(pair.outgoing)


async def refused_twice(world: World, pair: Pair) -> None:
    await world.record_refused(pair.outgoing, "尚未停保。")


async def credited_twice(world: World, pair: Pair) -> None:
    if (await world.case(pair.incoming))["stage"] == "awaiting_sheet":
        await world.prepared(pair.outgoing, 0)
        await world.act(pair.outgoing, "issue-information-sheet", "reviewer")
        await world.exchange()
        await world.act(pair.incoming, "take-up", "reviewer")
    await world.credited(pair.incoming, 0)


@pytest.mark.parametrize("twice", [prepared_twice, refused_twice, credited_twice])
async def test_an_answer_of_enrollment_that_comes_twice_has_one_effect(world: World, twice: Twice) -> None:
    pair = await world.accepted()

    await twice(world, pair)
    before = await world.counts()
    await twice(world, pair)

    assert await world.counts() == before


async def test_the_answer_for_a_move_that_was_withdrawn_meanwhile_changes_nothing(world: World) -> None:
    pair = await world.accepted()
    await world.act(pair.outgoing, "withdraw", "clerk", {"reason": "不再转移。"})
    before = await world.counts()

    await world.prepared(pair.outgoing)

    assert await world.counts() == before
    assert len(await world.facts(TransferOutCancelled)) == 1


async def test_another_amount_credited_than_transferred_is_refused(world: World) -> None:
    """The fact ends as a dead letter, where somebody sees it."""
    pair = await world.with_money()
    await world.act(pair.incoming, "take-up", "reviewer")

    with pytest.raises(Refusal, match="记账金额与信息表不符"):
        await world.credited(pair.incoming, 1)

    assert (await world.case(pair.incoming))["stage"] == "crediting"


ENROLMENTS = [
    ([("start", 1), ("stop", 2)], False),
    ([("stop", 2), ("start", 1)], False),
    ([("start", 1), ("start", 1)], True),
    ([("start", 1), ("stop", 2), ("stop", 2)], False),
    ([("start", 1), ("stop", 2), ("start", 3)], True),
    ([("start", 3), ("stop", 2), ("start", 1)], False),
]


async def test_who_is_enrolled_is_known_whatever_the_order_of_the_facts(
    world: World, subtests: pytest.Subtests
) -> None:
    """A stop that comes before its start counts; so does a start after the stop. (month of 2026)"""
    for facts, active in ENROLMENTS:
        person = world.people.person("370402")
        for what, month in facts:
            tell = world.enrolled if what == "start" else world.stopped
            await tell(person, ZAOZHUANG, dt.date(2026, month, 1))
        async with world.resources.database.transaction((ZAOZHUANG,)) as session:
            [standing] = await repository.standings_of(session, ZAOZHUANG, world.person_key(person))
        with subtests.test(str(facts)):
            assert standing.active is active


async def test_enrolments_of_another_region_are_not_seen(world: World) -> None:
    person = world.people.person("370602")
    await world.enrolled(person, YANTAI, dt.date(2026, 3, 1))

    async with world.resources.database.transaction((ZAOZHUANG,)) as session:
        found = await repository.standings_of(session, YANTAI, world.person_key(person))

    assert found == []
