"""Delivering: retries, lost answers, forged answers, kills between any two steps, the hard end."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from libs.exchange import journal, outgoing
from libs.exchange.canonical import parse
from libs.exchange.courier import ANSWER_MAX_BYTES, HttpCourier, NotCarried
from libs.exchange.deliveries import Outcome, Undeliverable
from libs.exchange.envelope import Kind, Message, Refusal, read_answer
from libs.exchange.faults import ExchangeFault
from libs.exchange.journal import Event
from libs.exchange.retry import RetryPolicy
from libs.exchange.seals import sealed
from libs.exchange.transitions import State
from tests.libs.exchange import papers
from tests.libs.exchange.papers import MONDAY, WUHAN, YANTAI, ZAOZHUANG
from tests.libs.exchange.world import Direct, Killed, World

DAY = dt.timedelta(days=1)


async def send_letter(world: World, **more: object) -> Message:
    return await world.send(Kind.CONTACT_LETTER, papers.contact_letter(), by=ZAOZHUANG, **more)  # type: ignore[arg-type]


async def row(world: World, column: str) -> object:
    return await world.scalar(f"SELECT {column} FROM exchange_outgoing ORDER BY message_id LIMIT 1")


class Broken:
    """A network that carries nothing."""

    def __init__(self) -> None:
        self.tried = 0

    async def carry(self, to_region: str, raw: bytes) -> bytes:
        self.tried += 1
        raise NotCarried("线路不通")


async def test_a_message_is_queued_only_if_the_callers_transaction_commits(world: World) -> None:
    async def send_and_die() -> None:
        async with world.database.session() as session:
            await world.send(Kind.CONTACT_LETTER, papers.contact_letter(), by=ZAOZHUANG, session=session)
            raise Killed

    with pytest.raises(Killed):
        await send_and_die()
    assert await world.queued() == 0
    assert await world.journal(ZAOZHUANG) == []
    assert await world.state(ZAOZHUANG) is State.NEW


async def test_what_is_not_allowed_now_is_not_sent(world: World) -> None:
    with pytest.raises(ExchangeFault, match="应先有联系函"):
        await world.send(Kind.INFORMATION_SHEET, papers.sheet(), by=YANTAI)
    await send_letter(world)
    with pytest.raises(ExchangeFault, match="的对方是"):
        await world.send(Kind.INQUIRY, papers.inquiry(), by=ZAOZHUANG, to=WUHAN)


async def test_two_sends_at_once_get_different_numbers(world: World) -> None:
    await send_letter(world)
    inquiries = (world.send(Kind.INQUIRY, papers.inquiry(), by=ZAOZHUANG) for _ in range(8))
    numbers = [message.sequence for message in await asyncio.gather(*inquiries)]
    assert sorted(numbers) == list(range(2, 10))


async def test_a_lost_message_goes_out_again_after_the_pause(world: World) -> None:
    await send_letter(world)
    broken, direct = Broken(), Direct(world)
    await world.sender(broken).deliver_due()
    assert await row(world, "last_error") == "线路不通"
    assert await world.sender(direct).deliver_due() == 0  # not yet
    world.clock.advance(dt.timedelta(seconds=9))
    assert await world.sender(direct).deliver_due() == 0
    world.clock.advance(dt.timedelta(seconds=1))
    assert await world.sender(direct).deliver_due() == 1
    assert await row(world, "state") == "receipted"


async def test_a_lost_receipt_means_a_second_delivery_and_one_effect(world: World) -> None:
    message = await send_letter(world)
    direct = Direct(world)

    class LosesAnswers:
        async def carry(self, to_region: str, raw: bytes) -> bytes:
            await direct.carry(to_region, raw)
            raise NotCarried("连接中断")

    await world.sender(LosesAnswers()).deliver_due()
    world.clock.advance(dt.timedelta(seconds=10))
    await world.deliver_all(direct)
    assert direct.carried == [message.raw()] * 2
    assert await world.effects(YANTAI) == [message.id]
    assert await row(world, "state") == "receipted"


async def test_messages_of_a_conversation_wait_for_the_one_before_others_do_not(world: World) -> None:
    await send_letter(world)
    await world.send(Kind.INQUIRY, papers.inquiry(), by=ZAOZHUANG)
    await send_letter(world, conversation="another")
    broken = Broken()
    assert await world.sender(broken).deliver_due() == 2
    assert broken.tried == 2
    world.clock.advance(dt.timedelta(seconds=10))
    direct = Direct(world)
    await world.deliver_all(direct)
    assert len(await world.effects(YANTAI)) == 3


Spoil = Callable[[World, bytes], bytes]


def by_another_region(world: World, raw: bytes) -> bytes:
    return sealed(read_answer(parse(raw)), world.signers[WUHAN]).raw()


def for_another_message(world: World, raw: bytes) -> bytes:
    answer = read_answer(parse(raw))
    other = answer.model_copy(update={"message_digest": "sha256:" + "0" * 64})
    return sealed(other, world.signers[YANTAI]).raw()


def unsealed(world: World, raw: bytes) -> bytes:
    return read_answer(parse(raw)).model_copy(update={"seal": None}).raw()


def changed(world: World, raw: bytes) -> bytes:
    return raw.replace(b'"delivered"', b'"parked"')


def forged_refusal(world: World, raw: bytes) -> bytes:
    receipt = read_answer(parse(raw))
    fault = {"code": "expired", "field": "expires_at", "message": "已失效"}
    refusal = Refusal.model_validate(
        {
            "message_id": receipt.message_id,
            "message_digest": receipt.message_digest,
            "receiver": YANTAI,
            "at": receipt.at,
            "final": True,
            "faults": [fault],
        }
    )
    return sealed(refusal, world.signers[WUHAN]).raw()


@pytest.mark.parametrize(
    "spoil",
    [
        by_another_region,
        for_another_message,
        unsealed,
        changed,
        forged_refusal,
        lambda world, raw: b"",
        lambda world, raw: b"<html>",
    ],
)
async def test_an_answer_that_is_not_the_receivers_counts_for_nothing(world: World, spoil: Spoil) -> None:
    await send_letter(world)
    await world.sender(Direct(world, spoil=lambda raw: spoil(world, raw))).deliver_due()
    assert await row(world, "state") == "queued"
    assert await row(world, "last_error")
    assert world.settled == []
    world.clock.advance(dt.timedelta(seconds=10))
    await world.deliver_all()
    assert await row(world, "state") == "receipted"


async def test_a_final_refusal_ends_the_message_and_takes_its_effect_back(world: World) -> None:
    await send_letter(world)
    await world.deliver_all()
    await world.send(Kind.INFORMATION_SHEET, papers.sheet(), by=YANTAI)
    await world.deliver_all()
    # The fund notice and the withdrawal cross.
    await world.send(Kind.FUND_NOTICE, papers.fund_notice(), by=YANTAI)
    withdrawal = await world.send(Kind.WITHDRAWAL, papers.withdrawal(), by=ZAOZHUANG)
    assert await world.state(ZAOZHUANG) is State.WITHDRAWN
    await world.deliver_all()
    assert [await world.state(region) for region in (YANTAI, ZAOZHUANG)] == [State.FUNDED] * 2
    (refused,) = [(m, o) for m, o in world.settled if isinstance(o, Refusal)]
    assert refused[0] == withdrawal
    assert "资金已划转，不能撤回" in refused[1].faults[0].message
    assert Event.REFUSAL in [entry.event for entry in await world.journal(ZAOZHUANG)]
    await world.send(Kind.COMPLETION, papers.completion(), by=ZAOZHUANG)
    await world.deliver_all()
    assert [await world.state(region) for region in (YANTAI, ZAOZHUANG)] == [State.COMPLETED] * 2


async def test_a_refusal_for_the_time_being_is_tried_again(world: World) -> None:
    await send_letter(world)
    key = world.directory.of(ZAOZHUANG)[0]
    world.directory.add(key.model_copy(update={"valid_from": MONDAY + DAY}))
    await world.sender(Direct(world)).deliver_due()
    assert await row(world, "state") == "queued"
    assert "不在有效期内" in str(await row(world, "last_error"))
    world.directory.add(key)
    world.clock.advance(dt.timedelta(seconds=10))
    await world.deliver_all()
    assert await row(world, "state") == "receipted"


@pytest.mark.parametrize(("seconds", "state"), [(-1, "queued"), (0, "undeliverable"), (1, "undeliverable")])
async def test_the_hard_end_is_the_expiry(world: World, seconds: int, state: str) -> None:
    message = await send_letter(world, lifetime=DAY)
    world.clock.set(message.expires_at + dt.timedelta(seconds=seconds))
    await world.sender(Broken()).deliver_due()
    assert await row(world, "state") == state
    if state == "undeliverable":
        assert world.settled == [(message, Undeliverable("线路不通"))]
        assert (await world.journal(ZAOZHUANG))[-1].event is Event.UNDELIVERABLE


async def test_the_last_attempt_falls_on_the_hard_end(world: World) -> None:
    message = await send_letter(world, lifetime=dt.timedelta(seconds=15))
    await world.sender(Broken()).deliver_due()
    world.clock.advance(dt.timedelta(seconds=10))
    await world.sender(Broken()).deliver_due()  # the next pause would be 20 seconds
    assert await row(world, "next_attempt_at") == message.expires_at


async def test_an_undeliverable_message_can_be_tried_again_and_no_longer_blocks(world: World) -> None:
    message = await send_letter(world, lifetime=DAY)
    await world.send(Kind.INQUIRY, papers.inquiry(), by=ZAOZHUANG)
    world.clock.set(message.expires_at)
    await world.sender(Broken()).deliver_due()
    async with world.database.session() as session:
        assert await outgoing.requeue(session, ZAOZHUANG, message.id, world.clock.now())
        assert not await outgoing.requeue(session, ZAOZHUANG, message.id, world.clock.now())
    await world.deliver_all()
    states = await world.scalar("SELECT string_agg(state, ' ' ORDER BY sequence) FROM exchange_outgoing")
    assert states == "refused refused"  # expired, and an inquiry about nothing
    assert await world.state(ZAOZHUANG) is await world.state(YANTAI) is State.NEW
    again = await send_letter(world)
    await world.deliver_all()
    assert again.sequence == 3
    assert await world.effects(YANTAI) == [again.id]


async def test_a_receiver_back_from_an_old_backup_gets_again_what_it_misses(world: World) -> None:
    await send_letter(world)
    await world.deliver_all()
    async with world.database.superuser.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("incoming", "conversations", "journal"):
            await connection.execute(text(f"DELETE FROM exchange_{table} WHERE region_code = '{YANTAI}'"))
        await connection.execute(text("DELETE FROM effects"))
    await world.send(Kind.INQUIRY, papers.inquiry(), by=ZAOZHUANG)
    await world.deliver_all()
    assert len(await world.effects(YANTAI)) == 2
    assert await world.state(YANTAI) is State.REQUESTED


# Kills. A process dies with an exception that nothing catches; its open transaction is rolled back, and a
# new sender starts with nothing but the database.


async def killed(*args: object, **kwargs: object) -> None:
    raise Killed


async def carry_and_die(world: World) -> Callable[[str, bytes], Awaitable[bytes]]:
    async def carry(to_region: str, raw: bytes) -> bytes:
        await world.receive(raw)
        raise Killed

    return carry


@pytest.mark.parametrize("moment", ["before carrying", "after the receiver committed", "while recording"])
async def test_a_sender_killed_between_any_two_steps_loses_nothing(
    world: World, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await send_letter(world)
    direct = Direct(world)
    with monkeypatch.context() as patch:
        if moment == "before carrying":
            patch.setattr(direct, "carry", killed)
        elif moment == "after the receiver committed":
            patch.setattr(direct, "carry", await carry_and_die(world))
        else:
            patch.setattr(journal, "append", _dies_on(Event.RECEIPT, journal.append))
        with pytest.raises(Killed):
            await world.sender(direct).deliver_due()
    assert await row(world, "state") == "queued"
    assert await world.sender(direct).deliver_due() == 0  # still leased by the dead one
    world.clock.advance(dt.timedelta(seconds=60))
    await world.deliver_all(direct)
    assert await row(world, "state") == "receipted"
    assert await world.effects(YANTAI) == [message.id]
    assert [entry.event for entry in await world.journal(ZAOZHUANG)] == [Event.SENT, Event.RECEIPT]


def _dies_on(event: Event, original: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    async def append(*args: object, **kwargs: object) -> object:
        done = await original(*args, **kwargs)
        if kwargs["event"] is event:
            raise Killed
        return done

    return append


async def test_a_receiver_killed_before_its_commit_is_asked_again(world: World) -> None:
    message = await send_letter(world)

    async def die(session: AsyncSession, message: Message) -> None:
        await world.take_effect(session, message)
        raise Killed

    world.deliver = die
    with pytest.raises(Killed):
        await world.sender(Direct(world)).deliver_due()
    assert await world.effects(YANTAI) == []
    world.deliver = None
    world.clock.advance(dt.timedelta(seconds=60))
    await world.deliver_all()
    assert await world.effects(YANTAI) == [message.id]


class Paused:
    """A network in which a sender is stopped until the test lets it go on, to fail."""

    def __init__(self) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def carry(self, to_region: str, raw: bytes) -> bytes:
        self.reached.set()
        await self.go_on.wait()
        raise NotCarried("等得太久")


async def test_a_sender_that_comes_back_after_its_lease_does_no_harm(world: World) -> None:
    message = await send_letter(world)
    stopped = Paused()
    old = asyncio.create_task(world.sender(stopped).deliver_due())
    await stopped.reached.wait()
    world.clock.advance(dt.timedelta(seconds=60))
    assert await world.sender(Direct(world)).deliver_due() == 1
    stopped.go_on.set()
    await old
    assert await row(world, "state") == "receipted"
    assert len(world.settled) == 1
    assert await world.effects(YANTAI) == [message.id]


async def test_the_failure_of_a_sender_that_lost_its_lease_does_not_end_the_new_lease(world: World) -> None:
    await send_letter(world)
    first, second = Paused(), Paused()
    old = asyncio.create_task(world.sender(first).deliver_due())
    await first.reached.wait()
    world.clock.advance(dt.timedelta(seconds=60))
    new = asyncio.create_task(world.sender(second).deliver_due())
    await second.reached.wait()
    first.go_on.set()
    await old
    world.clock.advance(dt.timedelta(seconds=30))
    assert await world.sender(Direct(world)).deliver_due() == 0
    second.go_on.set()
    await new


async def test_four_senders_at_once_deliver_each_message_once(world: World) -> None:
    for number in range(12):
        await send_letter(world, conversation=f"conversation-{number}")
    direct = Direct(world)
    tried = await asyncio.gather(*(world.sender(direct, batch=3).deliver_due() for _ in range(4)))
    assert sum(tried) == len(direct.carried) == 12
    assert len(await world.effects(YANTAI)) == 12


async def test_one_broken_recording_does_not_stop_the_worker(world: World) -> None:
    first = await send_letter(world, conversation="first")
    second = await send_letter(world, conversation="second")
    done = asyncio.Event()

    async def fail_for_the_first(session: AsyncSession, message: Message, outcome: Outcome) -> None:
        if message == first and not done.is_set():
            raise RuntimeError("the service is broken")
        if message == second:
            done.set()

    sender = world.sender(Direct(world), settled=fail_for_the_first, poll_s=0.01)
    worker = asyncio.create_task(sender.run())
    try:
        async with asyncio.timeout(10):
            await done.wait()
    finally:
        worker.cancel()
    world.clock.advance(dt.timedelta(seconds=60))
    await world.deliver_all()
    assert len(await world.effects(YANTAI)) == 2


async def test_a_worker_is_woken_by_a_new_message(world: World) -> None:
    arrived = asyncio.Event()

    async def tell(session: AsyncSession, message: Message, outcome: Outcome) -> None:
        arrived.set()

    sender = world.sender(Direct(world), settled=tell, poll_s=600)
    worker = asyncio.create_task(sender.run())
    await send_letter(world)
    sender.wake()
    try:
        async with asyncio.timeout(10):
            await arrived.wait()
    finally:
        worker.cancel()


def test_pauses_double_up_to_their_limit() -> None:
    policy = RetryPolicy(first_delay_s=2, factor=2, delay_max_s=60, spread=0)
    assert [policy.delay(n).total_seconds() for n in (1, 2, 3, 5, 6, 10_000)] == [2, 4, 8, 32, 60, 60]
    spread = RetryPolicy(first_delay_s=10, spread=0.2)
    assert all(8 <= spread.delay(1).total_seconds() <= 12 for _ in range(100))


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        (lambda request: httpx.Response(500, content=b"{}"), "HTTP 500"),
        (lambda request: httpx.Response(302, headers={"location": "http://elsewhere"}), "HTTP 302"),
        (lambda request: httpx.Response(200, content=b"x" * (ANSWER_MAX_BYTES + 1)), "超过"),
        (lambda request: (_ for _ in ()).throw(httpx.ConnectTimeout("")), "ConnectTimeout"),
    ],
)
async def test_whatever_the_network_does_is_not_carried(
    respond: Callable[[httpx.Request], httpx.Response], said: str
) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        courier = HttpCourier(client, {YANTAI: "http://yantai.example"}.get)
        with pytest.raises(NotCarried, match=said):
            await courier.carry(YANTAI, b"{}")
        with pytest.raises(NotCarried, match="没有420100"):
            await courier.carry(WUHAN, b"{}")


async def test_refusals_come_back_over_http_as_well(world: World) -> None:
    async with world.http() as courier:
        raw = await courier.carry(YANTAI, b"nonsense")
    answer = read_answer(parse(raw))
    assert isinstance(answer, Refusal)
