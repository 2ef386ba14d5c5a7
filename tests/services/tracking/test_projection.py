"""The same facts give the same picture, in whatever order and however often they are heard."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import select

from libs.casework.lifecycle import Action, Status
from libs.contracts.cases import CaseMoved, MessageSent
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.tracking import domain
from services.tracking.models import tracked_cases, tracked_messages, tracked_moves
from services.tracking.service.projection import record_moves
from tests.services.tracking.conftest import Hear
from tests.services.tracking.facts import case_number, moved, told
from tests.support.service import NOW

CASE = case_number()
STORY: list[CaseMoved | MessageSent] = [
    moved(CASE, 1),
    moved(CASE, 2, Action.ACCEPT, Status.ACCEPTED, due_on=NOW.date()),
    told(CASE, "您的申请已受理。"),
    moved(CASE, 3, Action.COMPLETE, Status.COMPLETED, due_on=NOW.date()),
]


async def picture(resources: Resources) -> list[list[tuple[object, ...]]]:
    """All rows of the projection."""
    async with resources.database.transaction(ALL_REGIONS) as session:
        return [
            [tuple(row) for row in (await session.execute(select(table).order_by(*table.primary_key))).all()]
            for table in (tracked_cases, tracked_moves, tracked_messages)
        ]


async def test_facts_in_order_show_the_last_state(hear: Hear, resources: Resources) -> None:
    await hear(*STORY)
    cases, moves, messages = await picture(resources)
    assert [(row[0], row[1]) for row in cases] == [(CASE, 3)]
    assert len(moves) == 3
    assert len(messages) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[1::5])
async def test_order_makes_no_difference(hear: Hear, resources: Resources, order: tuple[int, ...]) -> None:
    await hear(*(STORY[n] for n in order))
    out_of_order = await picture(resources)
    await hear(*STORY)
    assert await picture(resources) == out_of_order
    assert out_of_order[0][0][1] == 3
    assert len(out_of_order[1]) == 3


async def test_facts_heard_twice_leave_one_trace(hear: Hear, resources: Resources) -> None:
    await hear(*STORY)
    once = await picture(resources)
    await hear(*STORY, *reversed(STORY))
    assert await picture(resources) == once


async def test_one_batch_is_the_same_as_one_by_one(hear: Hear, resources: Resources) -> None:
    moves = [fact for fact in STORY if isinstance(fact, CaseMoved)]
    async with resources.database.transaction(ALL_REGIONS) as session:
        await record_moves(session, [moves[2], moves[0], moves[1], moves[0]])
    together = await picture(resources)
    await hear(*moves)
    assert await picture(resources) == together


async def test_two_messages_of_one_moment_are_both_kept(hear: Hear, resources: Resources) -> None:
    await hear(told(CASE, "您的申请已受理。"), told(CASE, "预计9个工作日办结。"))
    assert len((await picture(resources))[2]) == 2


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.REFUSED, Status.WITHDRAWN])
def test_nothing_is_owed_after_the_end(status: Status) -> None:
    assert domain.owed_by(status.value, NOW.date()) == domain.NOTHING_OWED


def test_nothing_is_owed_while_the_clock_stands_still() -> None:
    assert domain.owed_by(Status.SUPPLEMENTING.value, None) == domain.NOTHING_OWED


def test_a_running_case_owes_its_due_date() -> None:
    assert domain.owed_by(Status.ACCEPTED.value, NOW.date()) == NOW.date()
