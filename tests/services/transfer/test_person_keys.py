"""Whose enrolments these are, when credentials change and records merge: whatever order the facts come in."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence

import pytest

from libs.contracts.base import Fact
from libs.contracts.enrollment import EnrolmentStarted, EnrolmentStopped, PersonKeyChanged, PersonsMerged
from services.transfer import repository
from tests.services.transfer.world import ZAOZHUANG, World

OLD, NEW, OTHER = "a" * 64, "b" * 64, "c" * 64
DAY = dt.date(2026, 3, 1)


def started(key: str, version: int, enrolment: str = "e1", person: str | None = "p1") -> EnrolmentStarted:
    return EnrolmentStarted(
        enrolment_id=enrolment,
        person_key=key,
        region_code=ZAOZHUANG,
        insurance_kind="310",
        person_kind="employee",
        started_on=DAY,
        person_id=person,
        person_version=version,
    )


def stopped(key: str, version: int, enrolment: str = "e1", person: str | None = "p1") -> EnrolmentStopped:
    return EnrolmentStopped(
        enrolment_id=enrolment,
        person_key=key,
        region_code=ZAOZHUANG,
        insurance_kind="310",
        person_kind="employee",
        stopped_on=DAY + dt.timedelta(days=5),
        reason="moved_away",
        person_id=person,
        person_version=version,
    )


def key_changed(previous: str, new: str, version: int, person: str = "p1") -> PersonKeyChanged:
    return PersonKeyChanged(
        person_id=person,
        region_code=ZAOZHUANG,
        person_version=version,
        previous_person_key=previous,
        person_key=new,
        changed_on=DAY,
    )


def merged(kept: str, kept_key: str, ending: str, ending_key: str, version: int = 9) -> PersonsMerged:
    return PersonsMerged(
        kept_id=kept,
        kept_version=version,
        person_key=kept_key,
        merged_id=ending,
        merged_person_key=ending_key,
        region_code=ZAOZHUANG,
        merged_on=DAY,
    )


async def known(world: World, key: str) -> list[bool]:
    """Whether each enrolment known under the key is active."""
    async with world.resources.database.transaction((ZAOZHUANG,)) as session:
        found = await repository.standings_of(session, ZAOZHUANG, key)
    return sorted(standing.active for standing in found)


async def hear(world: World, facts: Sequence[Fact]) -> None:
    for fact in facts:
        await world.hear(fact, ZAOZHUANG)


CHANGED = [started(OLD, 2), key_changed(OLD, NEW, 3), stopped(NEW, 4), started(NEW, 5, "e2")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(CHANGED)))))
async def test_a_new_credential_finds_all_enrolments_in_whatever_order(
    world: World, order: tuple[int, ...]
) -> None:
    await hear(world, [CHANGED[place] for place in order])
    await hear(world, CHANGED)  # and the whole topic again
    assert await known(world, NEW) == [False, True]
    assert await known(world, OLD) == [False, True]  # a move that was begun under it goes on


async def test_the_true_bearer_of_a_number_once_recorded_wrongly_has_their_own(world: World) -> None:
    await hear(world, [*CHANGED, started(OLD, 2, "e3", "p2")])
    assert await known(world, OLD) == [True]
    assert await known(world, NEW) == [False, True]


async def test_a_credential_changed_and_changed_back_is_the_present_one(world: World) -> None:
    back = [key_changed(NEW, OLD, 6), *CHANGED]
    await hear(world, back)
    await hear(world, [started(OLD, 1, "e9", "p9"), key_changed(OLD, OTHER, 2, "p9")])
    assert await known(world, OLD) == [False, True]
    assert await known(world, OTHER) == [True]


MERGED = [started(OLD, 2), started(NEW, 2, "e2", "p2"), merged("p1", OLD, "p2", NEW), stopped(OLD, 10, "e2")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(MERGED)))))
async def test_merged_records_are_one_person_in_whatever_order(world: World, order: tuple[int, ...]) -> None:
    await hear(world, [MERGED[place] for place in order])
    await hear(world, MERGED)
    assert await known(world, OLD) == [False, True]
    assert await known(world, NEW) == [False, True]


async def test_records_merged_twice_over_are_one_person(world: World) -> None:
    await hear(
        world,
        [
            merged("p2", NEW, "p3", OTHER),
            started(OTHER, 1, "e3", "p3"),
            merged("p3", OTHER, "p1", OLD),
            started(OLD, 1),
        ],
    )
    for key in (OLD, NEW, OTHER):
        assert await known(world, key) == [True, True]


async def test_facts_of_old_that_name_no_record_count_by_their_key(world: World) -> None:
    await hear(world, [started(OLD, 0, person=None)])
    assert await known(world, OLD) == [True]
    await hear(world, [stopped(OLD, 3), started(OLD, 0, person=None)])
    assert await known(world, OLD) == [False]
    async with world.resources.database.transaction(("370600",)) as session:
        assert await repository.standings_of(session, ZAOZHUANG, OLD) == []
