"""Messages cross on the way. Whatever crosses what, once nothing is under way both agencies agree.

The walk is exhaustive up to a number of messages: at every point either side sends anything it may send, or
the next message of either direction arrives, or a refusal comes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

import pytest

from libs.exchange import conversation as conversation_rules
from libs.exchange.bodies import Body, Correction, read_body
from libs.exchange.conversation import apply, default_answer, permitted
from libs.exchange.envelope import Kind, Message
from libs.exchange.faults import ExchangeFault
from libs.exchange.standing import Conversation
from libs.exchange.transitions import RULES, Rule, State
from tests.libs.exchange import papers
from tests.libs.exchange.papers import YANTAI, ZAOZHUANG

OUT, IN = YANTAI, ZAOZHUANG
MESSAGES_MAX = 6


class Side(NamedTuple):
    """One agency: what it applied, in its order, and where it believes the conversation stands."""

    applied: tuple[UUID, ...] = ()
    standing: Conversation = Conversation()
    sent: int = 0


class Scene(NamedTuple):
    """Both agencies, the messages under way in order of sending, and the refusals under way."""

    sides: dict[str, Side]
    under_way: tuple[UUID, ...] = ()
    refusals: frozenset[UUID] = frozenset()

    def key(self) -> tuple[object, ...]:
        sides = (self.sides[region] for region in (OUT, IN))
        return *((side.applied, side.standing) for side in sides), self.under_way, self.refusals

    def with_side(self, region: str, side: Side, **more: object) -> Scene:
        return self._replace(sides={**self.sides, region: side}, **more)  # type: ignore[arg-type]


class Walk:
    """Visits every scene once; ``quiet`` are those with nothing under way."""

    def __init__(self, messages_max: int = MESSAGES_MAX) -> None:
        self._messages_max = messages_max
        self.messages: dict[UUID, Message] = {}
        self.bodies: dict[UUID, Body] = {}
        self._results: dict[tuple[Conversation, UUID, bool], Conversation | None] = {}
        self._ids: dict[tuple[object, ...], UUID] = {}
        self.quiet: list[Scene] = []
        self.refused: Counter[tuple[State, str]] = Counter()

    def run(self, kind: Kind, body: Body, opener: str) -> None:
        seen = set()
        scenes = [self.sending(Scene({OUT: Side(), IN: Side()}), opener, kind, body)]
        while scenes:
            scene = scenes.pop()
            if scene.key() not in seen:
                seen.add(scene.key())
                if not scene.under_way and not scene.refusals:
                    self.quiet.append(scene)
                scenes += self.following(scene)

    def following(self, scene: Scene) -> Iterator[Scene]:
        if sum(side.sent for side in scene.sides.values()) < self._messages_max:
            for region, side in scene.sides.items():
                for kind, body in choices(side.standing, region):
                    yield self.sending(scene, region, kind, body)
        for region in (OUT, IN):
            arriving = [m for m in scene.under_way if self.messages[m].to_region == region]
            if arriving:
                yield self.arriving(scene, region, arriving[0])
        for message_id in scene.refusals:
            yield self.refusal_arriving(scene, message_id)

    def sending(self, scene: Scene, region: str, kind: Kind, body: Body) -> Scene:
        side = scene.sides[region]
        message_id = self.written(kind, body, region, side)
        standing = self.result(side.standing, message_id, sending=True)
        assert standing is not None, f"{kind} is permitted but cannot be sent: {side.standing}"
        after = Side((*side.applied, message_id), standing, side.sent + 1)
        return scene.with_side(region, after, under_way=(*scene.under_way, message_id))

    def arriving(self, scene: Scene, region: str, message_id: UUID) -> Scene:
        side = scene.sides[region]
        under_way = tuple(m for m in scene.under_way if m != message_id)
        standing = self.result(side.standing, message_id, sending=False)
        if standing is None:
            self.refused[side.standing.state, self.messages[message_id].kind] += 1
            return scene._replace(under_way=under_way, refusals=scene.refusals | {message_id})
        after = side._replace(applied=(*side.applied, message_id), standing=standing)
        return scene.with_side(region, after, under_way=under_way)

    def refusal_arriving(self, scene: Scene, message_id: UUID) -> Scene:
        """As ``conversations.rebuild``: everything again without the refused message."""
        region = self.messages[message_id].from_region
        side = scene.sides[region]
        applied = tuple(m for m in side.applied if m != message_id)
        standing = Conversation()
        for m in applied:
            sending = self.messages[m].from_region == region
            standing = self.result(standing, m, sending=sending) or standing
        after = side._replace(applied=applied, standing=standing)
        return scene.with_side(region, after, refusals=scene.refusals - {message_id})

    def written(self, kind: Kind, body: Body, region: str, side: Side) -> UUID:
        """The same content has the same id, so that scenes reached on different ways are recognised."""
        answers = default_answer(side.standing, kind)
        content = (kind, body, region, side.sent, answers)
        if content not in self._ids:
            self._ids[content] = UUID(int=(7 << 76) | (2 << 62) | len(self._ids))
            self.messages[self._ids[content]] = papers.message(
                kind,
                body,
                sequence=side.sent + 1,
                from_region=region,
                to_region=IN if region == OUT else OUT,
                answers=answers,
                id=self._ids[content],
            )
        return self._ids[content]

    def result(self, standing: Conversation, message_id: UUID, *, sending: bool) -> Conversation | None:
        key = (standing, message_id, sending)
        if key not in self._results:
            message = self.messages[message_id]
            body = self.bodies.setdefault(message_id, read_body(message.kind, 1, message.body))
            try:
                self._results[key] = apply(standing, message, body, sending=sending)
            except ExchangeFault:
                self._results[key] = None
        return self._results[key]

    def disagreements(self) -> list[tuple[str, str, list[str]]]:
        found: list[tuple[str, str, list[str]]] = []
        for scene in self.quiet:
            out, into = scene.sides[OUT].standing, scene.sides[IN].standing
            if in_force(out) != in_force(into):
                found.append(
                    (out.state, into.state, [self.messages[m].kind for m in scene.sides[OUT].applied])
                )
        return found


def in_force(standing: Conversation) -> tuple[object, ...]:
    return standing.state, standing.request, standing.sheet, standing.funds


def choices(standing: Conversation, region: str) -> Iterator[tuple[Kind, Body]]:
    """Everything a side may send; inquiries change nothing and are left out, opening happens once."""
    if standing.state is State.NEW:
        return
    for kind in permitted(standing, region):
        for body in bodies_of(kind, standing, region):
            yield kind, body


def bodies_of(kind: Kind, standing: Conversation, region: str) -> list[Body]:
    paid = standing.funds.amount_fen if standing.funds else 0
    due = standing.sheet.amount_fen if standing.sheet else 0
    match kind:
        case Kind.INFORMATION_SHEET:
            return [papers.sheet(100), papers.sheet(0)]
        case Kind.FUND_NOTICE:
            return [papers.fund_notice(due)]
        case Kind.COMPLETION:
            return [papers.completion(paid)]
        case Kind.RETURN_FOR_CORRECTION:
            return [papers.returned()]
        case Kind.WITHDRAWAL:
            return [papers.withdrawal()]
        case Kind.CORRECTION:
            return corrections(standing, region)
        case _:
            return []


def corrections(standing: Conversation, region: str) -> list[Body]:
    assert standing.request is not None
    if standing.sheet is None:
        replaces = (standing.request.message_id,)
        if standing.opened_as is Kind.CONTACT_LETTER:
            letter = papers.contact_letter()
            return [Correction(replaces=replaces, reason="更正", contact_letter=letter)]
        application = papers.application()
        return [Correction(replaces=replaces, reason="更正", transfer_application=application)]
    sheet_id = standing.sheet.message_id
    if standing.funds is None:
        return [papers.correction(sheet_id, sheet=papers.sheet(fen)) for fen in (100, 0)]
    both = {sheet_id, standing.funds.message_id}
    return [
        papers.correction(sheet_id, sheet=papers.sheet(standing.funds.amount_fen)),
        papers.correction(*both, sheet=papers.sheet(200), funds=papers.fund_notice(200)),
    ]


def letter(walk: Walk) -> None:
    walk.run(Kind.CONTACT_LETTER, papers.contact_letter(), IN)


def application_at_the_new_place(walk: Walk) -> None:
    walk.run(Kind.TRANSFER_APPLICATION, papers.application(), IN)


def application_at_the_old_place(walk: Walk) -> None:
    walk.run(Kind.TRANSFER_APPLICATION, papers.application(), OUT)


OPENINGS = (letter, application_at_the_new_place, application_at_the_old_place)


@pytest.mark.parametrize("opening", OPENINGS)
def test_both_agencies_agree_once_nothing_is_under_way(opening: Callable[[Walk], None]) -> None:
    walk = Walk()
    opening(walk)
    assert len(walk.quiet) > 400
    assert walk.disagreements() == []


@pytest.mark.parametrize("opening", OPENINGS)
def test_between_honest_agencies_only_a_withdrawal_that_came_too_late_is_refused(
    opening: Callable[[Walk], None],
) -> None:
    walk = Walk()
    opening(walk)
    assert set(walk.refused) == {
        (State.FUNDED, Kind.WITHDRAWAL),
        (State.FUNDS_RETURNED, Kind.WITHDRAWAL),
        (State.COMPLETED, Kind.WITHDRAWAL),
    }


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.late], ids=lambda rule: f"{rule.kind}-{rule.then}"
)
def test_without_any_one_of_the_late_rules_an_honest_message_would_be_refused(
    rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_rules, "RULES", tuple(other for other in RULES if other is not rule))
    walk = Walk(5)
    application_at_the_old_place(walk)
    letter(walk)
    refused = {kind for _, kind in walk.refused}
    assert refused - {Kind.WITHDRAWAL} or (State.WITHDRAWN, Kind.WITHDRAWAL) in walk.refused
