"""Receiving: what is taken, what is refused, and that nothing is taken twice."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from libs.exchange.bodies import Body
from libs.exchange.envelope import Kind, Message, Receipt, Refusal
from libs.exchange.faults import Code, Fault
from libs.exchange.incoming import PARKED_MAX, NotAccepted
from libs.exchange.inspection import CLOCK_SKEW
from libs.exchange.journal import Event, verify_chain
from libs.exchange.seals import sealed
from libs.exchange.transitions import State
from tests.libs.exchange import papers
from tests.libs.exchange.papers import MONDAY, WUHAN, YANTAI, ZAOZHUANG
from tests.libs.exchange.world import CONVERSATION, World


def written(
    world: World, kind: Kind, body: Body, sequence: int = 1, *, sealed_by: str = "", **more: object
) -> Message:
    options = {"conversation": CONVERSATION} | more
    message = papers.message(kind, body, sequence=sequence, **options)  # type: ignore[arg-type]
    return sealed(message, world.signers[sealed_by or message.from_region])


def letter(world: World, **more: object) -> Message:
    return written(world, Kind.CONTACT_LETTER, papers.contact_letter(), **more)  # type: ignore[arg-type]


def inquiry(world: World, sequence: int, **more: object) -> Message:
    return written(world, Kind.INQUIRY, papers.inquiry(), sequence, **more)  # type: ignore[arg-type]


async def take(world: World, message: Message) -> Receipt:
    answer = await world.receive(message.raw())
    assert isinstance(answer, Receipt), answer
    return answer


async def refuse(world: World, raw: bytes, *codes: Code, final: bool) -> Refusal:
    answer = await world.receive(raw)
    assert isinstance(answer, Refusal), answer
    assert [fault.code for fault in answer.faults] == list(codes)
    assert answer.final is final
    return answer


async def nothing_happened(world: World) -> bool:
    rows = await world.scalar(
        "SELECT (SELECT count(*) FROM exchange_incoming) + (SELECT count(*) FROM exchange_journal)"
        " + (SELECT count(*) FROM effects)"
    )
    return int(rows) == 0


async def test_a_receipt_says_stored_and_names_the_digest_under_the_receivers_seal(world: World) -> None:
    message = letter(world)
    receipt = await take(world, message)
    assert (receipt.message_id, receipt.message_digest) == (message.id, message.digest())
    assert (receipt.stored, receipt.missing, receipt.at) == ("delivered", (), MONDAY)
    assert world.verifier.faults(receipt, YANTAI, made_at=receipt.at, checked_at=receipt.at) == []
    assert await world.effects(YANTAI) == [message.id]


async def test_the_same_message_gets_the_same_receipt_and_has_one_effect(world: World) -> None:
    message = letter(world)
    first = await take(world, message)
    world.clock.advance(dt.timedelta(days=400))  # long after it has expired
    assert await take(world, message) == first
    assert await world.effects(YANTAI) == [message.id]
    assert len(await world.journal(YANTAI)) == 1


async def test_twenty_copies_at_once_have_one_effect_and_one_receipt(world: World) -> None:
    message = letter(world)
    answers = await asyncio.gather(*(take(world, message) for _ in range(20)))
    assert len(set(answers)) == 1
    assert await world.effects(YANTAI) == [message.id]


async def test_a_gap_is_parked_and_asked_for_then_delivered_in_order(world: World) -> None:
    first, second, third = letter(world), inquiry(world, 2), inquiry(world, 3)
    parked = await take(world, third)
    assert (parked.stored, parked.missing) == ("parked", (1, 2))
    assert await world.effects(YANTAI) == []
    assert (await take(world, second)).missing == (1,)
    assert (await take(world, first)).stored == "delivered"
    assert await world.effects(YANTAI) == [first.id, second.id, third.id]
    assert (await take(world, third)).stored == "delivered"
    events = [entry.event for entry in await world.journal(YANTAI)]
    assert events == [Event.RECEIVED] * 3 + [Event.DELIVERED] * 2


async def test_a_message_too_far_ahead_is_put_off(world: World) -> None:
    await take(world, letter(world))
    assert (await take(world, inquiry(world, 2 + PARKED_MAX))).stored == "parked"
    ahead = inquiry(world, 3 + PARKED_MAX)
    refusal = await refuse(world, ahead.raw(), Code.TOO_FAR_AHEAD, final=False)
    assert "第2号" in refusal.faults[0].message


async def test_a_parked_message_that_turns_out_forbidden_is_refused_when_asked_again(world: World) -> None:
    completion = written(world, Kind.COMPLETION, papers.completion(), 2)
    assert (await take(world, completion)).stored == "parked"
    await take(world, letter(world))
    refusal = await refuse(world, completion.raw(), Code.TRANSITION_FORBIDDEN, final=True)
    assert await world.receive(completion.raw()) == refusal
    assert await world.state(YANTAI) is State.REQUESTED


async def test_a_refused_message_uses_up_its_number_so_that_the_next_goes_on(world: World) -> None:
    await take(world, letter(world))
    early = written(world, Kind.COMPLETION, papers.completion(), 2)
    refusal = await refuse(world, early.raw(), Code.TRANSITION_FORBIDDEN, final=True)
    assert world.verifier.faults(refusal, YANTAI, made_at=refusal.at, checked_at=refusal.at) == []
    assert (await take(world, inquiry(world, 3))).stored == "delivered"
    assert [entry.event for entry in await world.journal(YANTAI)][1] is Event.REFUSED


async def test_a_message_refused_before_its_turn_does_not_hold_up_the_others(world: World) -> None:
    expired = inquiry(world, 2, created_at=MONDAY - dt.timedelta(days=30))
    await refuse(world, expired.raw(), Code.EXPIRED, final=True)
    assert (await take(world, inquiry(world, 3))).missing == (1,)
    await take(world, letter(world))
    assert len(await world.effects(YANTAI)) == 2


async def test_a_changed_body_is_refused_and_leaves_no_trace(world: World) -> None:
    message = letter(world)
    changed = message.model_copy(update={"body": message.body | {"handler": "他人"}})
    await refuse(world, changed.raw(), Code.DIGEST_MISMATCH, final=False)
    assert await nothing_happened(world)
    await take(world, message)


async def test_every_changed_envelope_field_is_refused_and_leaves_no_trace(world: World) -> None:
    message = letter(world)
    for change in (
        {"sequence": 2},
        {"conversation": "another"},
        {"kind": "inquiry"},
        {"kind_version": 2},
        {"from_region": WUHAN},
        {"to_region": ZAOZHUANG},
        {"created_at": MONDAY + dt.timedelta(seconds=1)},
        {"expires_at": MONDAY + dt.timedelta(days=99)},
        {"answers_digest": "sha256:" + "0" * 64},
    ):
        answer = await world.receive(message.model_copy(update=change).raw())
        assert isinstance(answer, Refusal)
        assert Code.SEAL_INVALID in [fault.code for fault in answer.faults], change
    assert await nothing_happened(world)


async def test_an_impostor_with_a_valid_key_of_its_own_is_refused(world: World) -> None:
    posing = letter(world, sealed_by=WUHAN)
    refusal = await refuse(world, posing.raw(), Code.SEAL_INVALID, final=False)
    assert refusal.faults[0].field == "seal.signer"
    assert await nothing_happened(world)


async def test_a_third_region_cannot_enter_a_conversation(world: World) -> None:
    await take(world, letter(world))
    intruding = inquiry(world, 2, from_region=WUHAN)
    await refuse(world, intruding.raw(), Code.CONVERSATION_FOREIGN, final=True)
    assert len(await world.journal(YANTAI)) == 1


async def test_a_replay_into_another_conversation_is_refused(world: World) -> None:
    message = letter(world)
    await take(world, message)
    replayed = message.model_copy(update={"conversation": "another"})
    await refuse(world, replayed.raw(), Code.SEAL_INVALID, final=False)


async def test_a_number_or_an_id_used_for_something_else_is_refused(world: World) -> None:
    first = letter(world)
    await take(world, first)
    await refuse(world, inquiry(world, 1).raw(), Code.CONFLICT, final=True)
    await refuse(world, inquiry(world, 2, id=first.id).raw(), Code.CONFLICT, final=True)
    assert (await take(world, inquiry(world, 2))).stored == "delivered"


@pytest.mark.parametrize(("seconds", "taken"), [(-1, True), (0, False), (1, False)])
async def test_a_message_counts_until_the_moment_it_expires(world: World, seconds: int, taken: bool) -> None:
    message = letter(world)
    world.clock.set(message.expires_at + dt.timedelta(seconds=seconds))
    assert isinstance(await world.receive(message.raw()), Receipt) is taken


@pytest.mark.parametrize(("seconds", "taken"), [(-1, True), (0, True), (1, False)])
async def test_a_sender_whose_clock_is_ahead_is_taken_within_the_allowance(
    world: World, seconds: int, taken: bool
) -> None:
    message = letter(world)
    world.clock.set(MONDAY - CLOCK_SKEW - dt.timedelta(seconds=seconds))
    assert isinstance(await world.receive(message.raw()), Receipt) is taken
    world.clock.set(MONDAY)  # what was put off is taken later
    await take(world, message)


async def test_expired_unknown_and_wrong_are_all_said_at_once(world: World) -> None:
    body = papers.contact_letter().model_copy(update={"handler": "", "telephone": "x"})
    message = written(world, Kind.CONTACT_LETTER, body, created_at=MONDAY - dt.timedelta(days=30))
    await refuse(world, message.raw(), Code.EXPIRED, Code.BODY_INVALID, Code.BODY_INVALID, final=True)


async def test_a_region_not_served_here_is_named_without_a_seal(world: World) -> None:
    message = letter(world, to_region=WUHAN)
    refusal = await refuse(world, message.raw(), Code.WRONG_RECIPIENT, final=False)
    assert refusal.seal is None
    assert WUHAN in refusal.faults[0].message


async def test_garbage_is_refused_under_seal_where_the_addressee_can_be_read(world: World) -> None:
    assert (await refuse(world, b"\x00", Code.MALFORMED, final=False)).seal is None
    addressed = b'{"to_region":"%s"}' % YANTAI.encode()
    answer = await world.receive(addressed)
    assert answer.seal is not None
    assert await nothing_happened(world)


async def test_a_message_to_oneself_is_refused(world: World) -> None:
    message = letter(world, from_region=YANTAI)
    refusal = await refuse(world, message.raw(), Code.MALFORMED, final=False)
    assert refusal.faults[0].field == "to_region"


async def test_a_delivery_that_fails_leaves_nothing_and_is_taken_the_next_time(world: World) -> None:
    message = letter(world)

    async def fail(session: AsyncSession, message: Message) -> None:
        await world.take_effect(session, message)
        raise RuntimeError("the service is broken")

    world.deliver = fail
    with pytest.raises(RuntimeError):
        await world.receive(message.raw())
    assert await nothing_happened(world)
    world.deliver = None
    await take(world, message)
    assert await world.effects(YANTAI) == [message.id]


async def test_what_the_service_does_not_accept_is_undone_and_refused_for_good(world: World) -> None:
    message = letter(world)
    fault = Fault(code=Code.NOT_ACCEPTED, field="body.person", message="参保人员：本地查无此人")

    async def decline(session: AsyncSession, message: Message) -> None:
        await world.take_effect(session, message)
        raise NotAccepted([fault])

    world.deliver = decline
    refusal = await refuse(world, message.raw(), Code.NOT_ACCEPTED, final=True)
    assert refusal.faults == (fault,)
    assert await world.effects(YANTAI) == []
    assert await world.state(YANTAI) is State.NEW
    assert verify_chain(await world.journal(YANTAI)) == []


async def test_a_service_may_answer_while_it_takes_delivery(world: World) -> None:
    first, second = letter(world), inquiry(world, 2)

    async def reply(session: AsyncSession, message: Message) -> None:
        await world.take_effect(session, message)
        if message.kind == Kind.CONTACT_LETTER:
            await world.send(Kind.INFORMATION_SHEET, papers.sheet(), by=YANTAI, session=session)

    world.deliver = reply
    await take(world, second)
    await take(world, first)  # delivers both, the answer in between
    assert await world.state(YANTAI) is State.AWAITING_FUNDS
    assert await world.queued() == 1
    assert await world.effects(YANTAI) == [first.id, second.id]
    assert [entry.event for entry in await world.journal(YANTAI)] == [
        Event.RECEIVED,
        Event.RECEIVED,
        Event.SENT,
        Event.DELIVERED,
    ]
