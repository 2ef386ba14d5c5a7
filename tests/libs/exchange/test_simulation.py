"""Two regions, a bad network and sudden deaths, from a seed: nothing lost, nothing twice, money to the fen.

Every random choice comes from the seed in the test's name; a failing seed stays here as a test.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from random import Random

import pytest

from libs.exchange import conversations, journal
from libs.exchange.bodies import Body
from libs.exchange.courier import NotCarried
from libs.exchange.envelope import Kind, Message, Refusal
from libs.exchange.exports import export_case
from libs.exchange.retry import RetryPolicy
from libs.exchange.seals import sealed
from libs.exchange.standing import Conversation
from libs.exchange.transitions import State
from libs.exchange.verification import verify_export
from tests.libs.exchange import papers
from tests.libs.exchange.papers import WUHAN, YANTAI, ZAOZHUANG
from tests.libs.exchange.test_crossings import choices
from tests.libs.exchange.world import Direct, Killed, World

STEPS = 40
CASES = ("case-1", "case-2", "case-3")
LIFETIME = dt.timedelta(days=60)


@dataclass
class BadNetwork:
    """Loses, repeats, delays and garbles; old messages turn up again; either end may die."""

    world: World
    chance: Random
    delayed: list[bytes] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)
    weather: dict[str, int] = field(default_factory=dict)

    async def carry(self, to_region: str, raw: bytes) -> bytes:
        self.seen.append(raw)
        self.world.clock.advance(dt.timedelta(seconds=self.chance.randint(-90, 120)))
        if self.chance.random() < 0.3:
            await self.deliver_something_old()
        event = self.chance.choice(
            ["arrives"] * 5
            + ["lost", "delayed", "twice", "answer lost", "answer garbled", "garbled", "posed"]
            + ["sender dies before", "sender dies after", "receiver dies"]
        )
        self.weather[event] = self.weather.get(event, 0) + 1
        return await self.happen(event, raw)

    async def happen(self, event: str, raw: bytes) -> bytes:
        await self.before(event, raw)
        answer = (await self.world.receive(raw)).raw()
        match event:
            case "twice":
                assert (await self.world.receive(raw)).raw() == answer
            case "answer lost":
                raise NotCarried("连接中断")
            case "sender dies after":
                raise Killed
            case "answer garbled":
                return answer[:-9] + b'garbled"}'
        return answer

    async def before(self, event: str, raw: bytes) -> None:
        """What keeps the message from arriving, or comes before it."""
        match event:
            case "lost":
                raise NotCarried("丢失")
            case "delayed":
                self.delayed.append(raw)
                raise NotCarried("超时")
            case "sender dies before":
                raise Killed
            case "receiver dies":
                await self.receiver_dies(raw)
            case "garbled":
                await self.world.receive(raw.replace(b'"sequence":', b'"sequence":1', 1))
            case "posed":
                await self.world.receive(self.posed(raw))

    async def deliver_something_old(self) -> None:
        if self.delayed:
            await self.world.receive(self.delayed.pop(self.chance.randrange(len(self.delayed))))
        await self.world.receive(self.chance.choice(self.seen))

    async def receiver_dies(self, raw: bytes) -> None:
        async def die(session: object, message: Message) -> None:
            raise Killed

        self.world.deliver = die
        try:
            await self.world.receive(raw)
        finally:
            self.world.deliver = None

    def posed(self, raw: bytes) -> bytes:
        """The same message under the seal of a region that has a key, but not this one."""
        return sealed(Message.model_validate_json(raw), self.world.signers[WUHAN]).raw()


class Simulation:
    """Officers of both regions who do whatever is permitted, in an order the seed decides."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = Random(seed)
        self.network = BadNetwork(world, self.chance)
        self.sent: list[Message] = []
        self.deaths = 0

    async def run(self) -> None:
        for case in CASES:
            await self.act(case, ZAOZHUANG)
        for _ in range(STEPS):
            if self.chance.random() < 0.4:
                await self.act(self.chance.choice(CASES), self.chance.choice((YANTAI, ZAOZHUANG)))
            if self.chance.random() < 0.7:  # otherwise messages pile up and cross
                await self.deliver_once()
            self.world.clock.advance(dt.timedelta(seconds=self.chance.randint(0, 90)))
        await self.world.deliver_all(Direct(self.world))

    async def act(self, case: str, region: str) -> None:
        standing = await self.standing(region, case)
        options: list[tuple[Kind, Body]] = [
            (kind, body)
            for kind, body in choices(standing, region)
            if kind is not Kind.WITHDRAWAL or self.chance.random() < 0.15
        ]
        if standing.state is State.NEW and region == ZAOZHUANG:
            options = [(Kind.CONTACT_LETTER, papers.contact_letter())]
        if not standing.over and options:
            kind, body = self.chance.choice(options)
            message = await self.world.send(kind, body, by=region, conversation=case, lifetime=LIFETIME)
            self.sent.append(message)

    async def deliver_once(self) -> None:
        retry = RetryPolicy(first_delay_s=5, delay_max_s=60, randomness=self.chance)
        sender = self.world.sender(self.network, retry=retry, batch=1)
        try:
            await sender.deliver_due()
        except Killed:
            self.deaths += 1

    async def standing(self, region: str, case: str) -> Conversation:
        async with self.world.database.session() as session:
            held = await conversations.find(session, region, case)
        return held.standing if held else Conversation()

    async def finish(self, case: str) -> None:
        """The officers bring what is still open to its end."""
        for _ in range(6):
            for region in (YANTAI, ZAOZHUANG):
                standing = await self.standing(region, case)
                ways = dict(choices(standing, region))
                for kind in (Kind.COMPLETION, Kind.FUND_NOTICE, Kind.CORRECTION, Kind.INFORMATION_SHEET):
                    if not standing.over and kind in ways:
                        sent = await self.world.send(kind, ways[kind], by=region, conversation=case)
                        self.sent.append(sent)
                        break
                await self.world.deliver_all(Direct(self.world))


@pytest.mark.parametrize("seed", [1, 5])
async def test_whatever_the_network_does_both_regions_end_with_the_same_cases(
    world: World, seed: int
) -> None:
    simulation = Simulation(world, seed)
    await simulation.run()
    for case in CASES:
        await simulation.finish(case)
    assert simulation.deaths > 0
    await nothing_is_lost_and_nothing_applied_twice(simulation)
    await both_regions_agree_and_the_money_is_whole(simulation)
    await both_journals_verify(simulation)


async def nothing_is_lost_and_nothing_applied_twice(simulation: Simulation) -> None:
    world = simulation.world
    refused = {message.id for message, outcome in world.settled if isinstance(outcome, Refusal)}
    settled = [message.id for message, _ in world.settled]
    assert sorted(settled) == sorted(message.id for message in simulation.sent)
    for region in (YANTAI, ZAOZHUANG):
        expected = [m.id for m in simulation.sent if m.to_region == region and m.id not in refused]
        assert sorted(await world.effects(region)) == sorted(expected)


async def both_regions_agree_and_the_money_is_whole(simulation: Simulation) -> None:
    for case in CASES:
        out, into = [await simulation.standing(region, case) for region in (YANTAI, ZAOZHUANG)]
        assert out.over
        assert (out.state, out.sheet, out.funds) == (into.state, into.sheet, into.funds)
        if out.state is State.WITHDRAWN:
            assert out.funds is None
        elif out.sheet is not None:
            assert (out.funds.amount_fen if out.funds else 0) == out.sheet.amount_fen


async def both_journals_verify(simulation: Simulation) -> None:
    world = simulation.world
    for region in (YANTAI, ZAOZHUANG):
        assert journal.verify_chain(await world.journal(region)) == []
        for case in CASES:
            async with world.database.session() as session:
                data = await export_case(session, region, case, directory=world.directory)
            assert verify_export(data, world.directory) == []
