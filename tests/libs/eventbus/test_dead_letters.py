from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from libs.eventbus import dead_letters
from libs.eventbus.consumer import Handlers
from libs.eventbus.dead_letters import DeadLetter, DeadLetterClosed, UnknownDeadLetter
from libs.eventbus.envelope import Event
from libs.eventbus.transports.memory import MemoryTransport
from tests.libs.eventbus.harness import AT, TOPIC, Noted, Service, record_effect, running, until


class Desk:
    """A service with a consumer, some poison, and an operator."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.transport = MemoryTransport()
        self.poison: set[int] = set()
        handlers = Handlers()
        handlers.on(Noted)(self.handle)
        self.consumer = service.consumer(self.transport, handlers)

    async def handle(self, session: AsyncSession, event: Event, fact: Noted) -> None:
        await record_effect(session, event, fact)
        if fact.n in self.poison:
            raise ValueError("poison")

    async def publish(self, key: str, *numbers: int) -> None:
        events = [Event.of(Noted(n=n), key=key, region_code="370400", subject=key, at=AT) for n in numbers]
        await self.transport.publish(TOPIC, [(key, event.to_bytes()) for event in events])

    async def open_letters(
        self, number: int = 1, *, other_than: Sequence[DeadLetter] = ()
    ) -> list[DeadLetter]:
        found: list[DeadLetter] = []

        async def there() -> bool:
            async with self.service.sessions() as session:
                found[:] = await dead_letters.search(session)
            fresh = [letter for letter in found if letter.id not in {old.id for old in other_than}]
            return len(fresh) == len(found) == number

        await until(there, what=f"{number} dead letters")
        return found

    async def parked(self, number: int) -> None:
        async def there() -> bool:
            return await self.service.count("parked_event") == number

        await until(there, what=f"{number} parked events")

    async def replay(self, letter: DeadLetter) -> None:
        async with self.service.sessions.begin() as session:
            await dead_letters.replay(session, letter.id, operator="王复核", reason="数据已更正", at=AT)

    async def skip(self, letter: DeadLetter) -> None:
        async with self.service.sessions.begin() as session:
            await dead_letters.skip(session, letter.id, operator="王复核", reason="重复申报", at=AT)

    async def effects(self, expected: dict[str, list[int]]) -> None:
        async def there() -> bool:
            return await self.service.effects() == expected

        await until(there, what=f"the effects {expected}")


@pytest.fixture
def desk(service: Service) -> Desk:
    return Desk(service)


async def test_b10_a_replayed_event_and_what_waited_behind_it_are_handled_in_order(desk: Desk) -> None:
    desk.poison = {2}
    async with running(desk.consumer.run()):
        await desk.publish("case-1", 1, 2, 3, 4)
        (letter,) = await desk.open_letters()
        await desk.parked(2)
        desk.poison.clear()
        await desk.replay(letter)
        await desk.effects({"case-1": [1, 2, 3, 4]})
        await desk.publish("case-1", 5)
        await desk.effects({"case-1": [1, 2, 3, 4, 5]})
    assert await desk.service.count("held_key") == 0
    assert await desk.service.count("parked_event") == 0


async def test_b11_a_skipped_event_lets_the_later_ones_go_on_in_order(desk: Desk) -> None:
    desk.poison = {2}
    async with running(desk.consumer.run()):
        await desk.publish("case-1", 1, 2, 3, 4)
        (letter,) = await desk.open_letters()
        await desk.parked(2)
        await desk.skip(letter)
        await desk.effects({"case-1": [1, 3, 4]})


async def test_b11_the_operators_decision_stays_on_record(desk: Desk) -> None:
    desk.poison = {2}
    async with running(desk.consumer.run()):
        await desk.publish("case-1", 2)
        (letter,) = await desk.open_letters()
        await desk.skip(letter)
    async with desk.service.sessions() as session:
        (closed,) = await dead_letters.search(session, state="skipped")
    assert (closed.id, closed.closed_by, closed.close_reason, closed.closed_at) == (
        letter.id,
        "王复核",
        "重复申报",
        AT,
    )


async def test_a_replay_that_fails_again_is_a_new_letter_and_holds_the_key(desk: Desk) -> None:
    desk.poison = {2}
    async with running(desk.consumer.run()):
        await desk.publish("case-1", 1, 2, 3)
        first = await desk.open_letters()
        await desk.parked(1)
        await desk.replay(first[0])
        (second,) = await desk.open_letters(other_than=first)
        await desk.publish("case-1", 4)
        await desk.parked(2)
        assert await desk.service.effects() == {"case-1": [1]}
        desk.poison.clear()
        await desk.replay(second)
        await desk.effects({"case-1": [1, 2, 3, 4]})


async def test_an_event_that_waited_may_turn_out_poison_itself(desk: Desk) -> None:
    desk.poison = {2, 3}
    async with running(desk.consumer.run()):
        await desk.publish("case-1", 1, 2, 3, 4)
        first = await desk.open_letters()
        await desk.parked(2)
        await desk.skip(first[0])
        (second,) = await desk.open_letters(other_than=first)
        assert (second.waiting, await desk.service.effects()) == (1, {"case-1": [1]})
        await desk.skip(second)
        await desk.effects({"case-1": [1, 4]})


async def test_other_groups_do_not_wait(desk: Desk) -> None:
    desk.poison = {2}
    handlers = Handlers()
    handlers.on(Noted)(record_effect)
    other = desk.service.consumer(desk.transport, handlers, group="another")
    async with running(desk.consumer.run(), other.run()):
        await desk.publish("case-1", 2, 3)
        await desk.open_letters()
        await desk.effects({"case-1": [2, 3]})


async def test_a_letter_is_closed_once(desk: Desk) -> None:
    desk.poison = {2}
    async with running(desk.consumer.run()):
        await desk.publish("case-1", 2)
        (letter,) = await desk.open_letters()
        await desk.skip(letter)
        for decide in (desk.skip, desk.replay):
            with pytest.raises(DeadLetterClosed):
                await decide(letter)


async def test_an_unknown_letter_is_said_to_be_unknown(desk: Desk) -> None:
    async with desk.service.sessions() as session:
        with pytest.raises(UnknownDeadLetter):
            await dead_letters.skip(session, uuid4(), operator="op", reason="r", at=AT)


@pytest.mark.parametrize(("operator", "reason"), [("", "r"), ("op", " ")])
async def test_no_decision_without_operator_and_reason(desk: Desk, operator: str, reason: str) -> None:
    async with desk.service.sessions() as session:
        with pytest.raises(ValueError, match="operator and a reason"):
            await dead_letters.replay(session, uuid4(), operator=operator, reason=reason, at=AT)


async def test_letters_are_found_by_what_is_known_of_them_page_by_page(desk: Desk) -> None:
    desk.poison = set(range(10))
    async with running(desk.consumer.run()):
        for n in range(5):
            await desk.publish(f"case-{n}", n)
        letters = await desk.open_letters(5)
    async with desk.service.sessions() as session:
        assert [
            letter.key for letter in await dead_letters.search(session, key="case-3", consumer="reader")
        ] == ["case-3"]
        assert await dead_letters.search(session, region_code="420100") == []
        assert await dead_letters.search(session, state="skipped") == []
        assert len(await dead_letters.search(session, state=None, event_type=Noted.event_type)) == 5
        first = await dead_letters.search(session, limit=3)
        rest = await dead_letters.search(session, after=first[-1].id)
    assert first + rest == letters
    assert all(letter.waiting == 0 and letter.fault == "poison" for letter in letters)
