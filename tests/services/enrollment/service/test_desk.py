"""The first line of region isolation, tried where the second (row-level security) is wide open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from libs.refusals.faults import Refusal
from libs.webapp.database import ALL_REGIONS
from services.enrollment.domain.stops import StopReason
from services.enrollment.service import employers, enrolling, people
from services.enrollment.service.desk import Desk
from tests.services.enrollment.counter import TODAY, YANTAI, ZAOZHUANG, Card, Counter
from tests.support.service import NOW

Look = Callable[[Desk, Card, dict[str, UUID]], Awaitable[object]]

LOOKS: dict[str, Look] = {
    "person": lambda desk, card, ids: people.require_person(desk, UUID(card.id)),
    "person to change": lambda desk, card, ids: people.require_person(desk, UUID(card.id), lock=True),
    "enrolment": lambda desk, card, ids: enrolling.find(desk, ids["enrolment"]),
    "stop": lambda desk, card, ids: enrolling.stop(desk, ids["enrolment"], TODAY, StopReason.OTHER),
    "employer": lambda desk, card, ids: employers.employer_with_people(desk, ids["employer"]),
}


@pytest.mark.parametrize("look", LOOKS)
async def test_a_desk_of_another_region_finds_nothing_here(counter: Counter, look: str) -> None:
    card = await counter.person()
    enrolment, employer = await counter.enrol(card), await counter.employer()
    ids = {"enrolment": UUID(enrolment["id"]), "employer": UUID(employer["id"])}
    protector = counter.resources.protector
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        foreign = Desk(session, protector, NOW, "officer:foreign", regions=(YANTAI,))
        with pytest.raises(Refusal, match="没有此"):
            await LOOKS[look](foreign, card, ids)
        home = Desk(session, protector, NOW, "officer:home", regions=(ZAOZHUANG,))
        assert await LOOKS[look](home, card, ids) is not None
