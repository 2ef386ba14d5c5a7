"""From account to account: money conserved to the fen, months neither lost nor doubled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from libs.contracts.base import topic_of
from libs.contracts.enrollment import ContributionPeriod, TransferCredited, TransferRecordPrepared
from libs.contracts.transfer import TransferFact, TransferOutAccepted
from libs.eventbus.envelope import Event
from libs.eventbus.transports.memory import MemoryTransport
from libs.ledger.verification import verify
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.enrollment import worker
from services.enrollment.consumers import GROUP, TOPICS
from tests.services.enrollment.counter import (
    YANTAI,
    ZAOZHUANG,
    Card,
    Counter,
    accepted,
    clerk_of,
    completed,
    issued,
    paid,
    received,
    taken_up,
)
from tests.support.service import NOW, published

MONTHS = [f"2025-{month:02d}" for month in (1, 2, 3, 6, 7, 8, 12)]
TRANSFER_TOPIC = topic_of(TransferOutAccepted.event_type)
OWN_TOPIC = topic_of(TransferCredited.event_type)
AMOUNT_FEN = 7 * 12_345


async def mover(counter: Counter) -> tuple[Card, Card]:
    """Somebody who left 枣庄 and is enrolled in 烟台 now."""
    out = await counter.insured(MONTHS, account="123.45")
    into = await counter.person(YANTAI, id_number=out.id_number)
    await counter.enrol(into, since="2026-03-01")
    await counter.contribute(into, ["2026-03"], account="50.00")
    return out, into


async def whole_move(
    counter: Counter, out: Card, into: Card
) -> tuple[list[TransferFact], Sequence[ContributionPeriod]]:
    """All facts of a move in their order, the sheet as 枣庄 states it."""
    await counter.deliver(accepted(out))
    (record,) = await published(counter.resources, TransferRecordPrepared)
    amount = record.balance_fen
    facts = [
        accepted(out),
        issued(out, amount),
        paid(out, amount),
        received(into, amount),
        taken_up(into, amount, list(record.periods)),
        completed(out, amount),
    ]
    return facts, record.periods


async def money(counter: Counter) -> dict[str, int]:
    """Both regions' accounts of the fund added up, by kind."""
    here, there = await counter.balances(ZAOZHUANG), await counter.balances(YANTAI)
    return {kind: here.get(kind, 0) + there.get(kind, 0) for kind in here.keys() | there.keys()}


async def test_money_is_conserved_to_the_fen_at_every_step_and_transit_is_empty_at_the_end(
    counter: Counter,
) -> None:
    out, into = await mover(counter)
    facts, _ = await whole_move(counter, out, into)
    for fact in facts:
        await counter.deliver(fact, times=2)
        for region in (ZAOZHUANG, YANTAI):
            assert sum((await counter.balances(region)).values()) == 0, type(fact).__name__
    assert await counter.balances(ZAOZHUANG) == {
        "bank_mirror": 0,
        "personal_account": 0,
        "in_transit_out": 0,
        "remittance_clearing": 0,
    }
    assert await counter.balances(YANTAI) == {
        "bank_mirror": -(AMOUNT_FEN + 5_000),
        "personal_account": AMOUNT_FEN + 5_000,
        "in_transit_in": 0,
    }


async def test_the_months_leave_one_region_and_arrive_in_the_other(counter: Counter) -> None:
    out, into = await mover(counter)
    facts, periods = await whole_move(counter, out, into)
    assert sum(told.months_paid for told in periods) == len(MONTHS)
    for fact in facts:
        await counter.deliver(fact)
    query = """
        SELECT m.region_code, m.month FROM contribution_months m
        LEFT JOIN transfers t ON (t.region_code, t.conversation) = (m.region_code, m.travels_with)
            AND t.state = 'completed'
        WHERE t.conversation IS NULL ORDER BY m.month
    """
    assert await counter.rows(query) == [(YANTAI, month) for month in [*MONTHS, "2026-03"]]


async def test_the_ledger_is_sound_afterwards(counter: Counter) -> None:
    out, into = await mover(counter)
    facts, _ = await whole_move(counter, out, into)
    for fact in facts:
        await counter.deliver(fact, times=2)
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        assert await verify(session) == []


async def test_a_round_trip_brings_everything_back(counter: Counter) -> None:
    out, into = await mover(counter)
    facts, _ = await whole_move(counter, out, into)
    for fact in facts:
        await counter.deliver(fact)
    there = (await counter.get(f"persons/{into.id}", clerk_of(YANTAI))).json()["enrolments"][0]
    await counter.stop(there, on="2026-03-10")
    await counter.deliver(accepted(into, conversation="home"))
    home = (await published(counter.resources, TransferRecordPrepared))[-1]
    assert home.balance_fen == AMOUNT_FEN + 5_000
    amount, periods = home.balance_fen, list(home.periods)
    for fact in (
        issued(into, amount, conversation="home"),
        paid(into, amount, conversation="home"),
        received(out, amount, conversation="home"),
        taken_up(out, amount, periods, conversation="home"),
        completed(into, amount, conversation="home"),
    ):
        await counter.deliver(fact, times=2)
    assert (await money(counter))["personal_account"] == AMOUNT_FEN + 5_000
    assert (await counter.balances(ZAOZHUANG))["personal_account"] == AMOUNT_FEN + 5_000
    record = (await counter.get(f"persons/{out.id}/contributions")).json()
    assert record["months_counted"] == len(MONTHS) + 1


async def test_through_the_bus_with_every_event_twice_each_has_one_effect(
    counter: Counter, resources: Resources
) -> None:
    out, into = await mover(counter)
    transport = MemoryTransport(fetch_wait_s=0.01)
    async with working(resources, transport):
        await send_twice(transport, accepted(out))
        record = TransferRecordPrepared.model_validate((await told(transport, TransferRecordPrepared)).data)
        await send_twice(
            transport,
            issued(out, record.balance_fen),
            paid(out, record.balance_fen),
            received(into, record.balance_fen),
            taken_up(into, record.balance_fen, list(record.periods)),
            completed(out, record.balance_fen),
        )
        credited = TransferCredited.model_validate((await told(transport, TransferCredited)).data)
        await until(lambda: _stands_at(counter, ZAOZHUANG, "completed"))
    assert (credited.amount_fen, credited.months_recorded) == (AMOUNT_FEN, len(MONTHS))
    answers = [event.type for event in await events_on(transport, OWN_TOPIC)]
    assert answers.count(TransferRecordPrepared.event_type) == 1
    assert answers.count(TransferCredited.event_type) == 1
    assert (await counter.balances(YANTAI))["personal_account"] == AMOUNT_FEN + 5_000


async def test_a_topic_read_again_from_the_start_leaves_the_ledger_as_it_was(
    counter: Counter, resources: Resources
) -> None:
    out, into = await mover(counter)
    facts, _ = await whole_move(counter, out, into)
    transport = MemoryTransport(fetch_wait_s=0.01)
    await send_twice(transport, *facts)
    async with working(resources, transport):
        await until(lambda: _stands_at(counter, ZAOZHUANG, "completed"))
    chain = "SELECT region_code, number, hash FROM ledger_chain ORDER BY region_code, number"
    before, outcome = await counter.rows(chain), await counter.rows("SELECT * FROM transfers")
    await transport.rewind(GROUP, TOPICS)
    last = accepted(Card(out.id, "0" * 64, "", ZAOZHUANG), conversation="the last one")
    await send_twice(transport, last)
    async with working(resources, transport):
        await until(lambda: _refused(counter))
    assert await counter.rows(chain) == before
    assert await counter.rows("SELECT * FROM transfers") == outcome


async def test_a_fact_that_cannot_be_is_put_aside_and_other_people_go_on(
    counter: Counter, resources: Resources
) -> None:
    out, _ = await mover(counter)
    other = await counter.insured(["2025-01"])
    transport = MemoryTransport(fetch_wait_s=0.01, partitions=1)
    never_prepared = issued(out, 1, conversation="never prepared")
    await send_twice(transport, never_prepared, accepted(other, conversation="other"))
    async with working(resources, transport):
        await until(lambda: _stands_at(counter, ZAOZHUANG, "prepared"))
        await until(lambda: _dead_letters(counter, 1))
    ((reason,),) = await counter.rows("SELECT reason FROM dead_letter")
    assert "没有办件" in reason
    assert out.id_number not in reason


@asynccontextmanager
async def working(resources: Resources, transport: MemoryTransport) -> AsyncIterator[None]:
    """The service's worker at work."""
    running = asyncio.create_task(worker.run(resources, transport))
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def send_twice(transport: MemoryTransport, *facts: TransferFact) -> None:
    """Each fact as one event that stands on the topic twice."""
    for fact in facts:
        event = Event.of(
            fact, key=fact.person_key, region_code=fact.region_code, subject=fact.conversation, at=NOW
        )
        await transport.publish(TRANSFER_TOPIC, [(fact.person_key, event.to_bytes())] * 2)


async def events_on(transport: MemoryTransport, topic: str) -> list[Event]:
    """Everything on a topic, read as a newcomer."""
    await transport.rewind("reader", [topic])
    found: list[Event] = []
    async with transport.subscribe("reader", [topic]) as subscription:
        while records := await subscription.fetch(100):
            found += [Event.from_bytes(record.body) for record in records]
    return found


async def told(
    transport: MemoryTransport, fact: type[TransferRecordPrepared] | type[TransferCredited]
) -> Event:
    """The first event of this type on the service's topic, awaited."""
    found: list[Event] = []

    async def there() -> bool:
        found[:] = [event for event in await events_on(transport, OWN_TOPIC) if event.type == fact.event_type]
        return bool(found)

    await until(there)
    return found[0]


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 30) -> None:
    """Wait for a condition; TimeoutError after ``within_s``."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 -- the condition is in the database
            await asyncio.sleep(0.01)


async def _stands_at(counter: Counter, region_code: str, state: str) -> bool:
    query = "SELECT count(*) FROM transfers WHERE region_code = :region AND state = :state"
    return bool((await counter.rows(query, region=region_code, state=state))[0][0])


async def _refused(counter: Counter) -> bool:
    query = "SELECT count(*) FROM inbox"
    return bool((await counter.rows(query))[0][0] == 7)


async def _dead_letters(counter: Counter, number: int) -> bool:
    return bool((await counter.rows("SELECT count(*) FROM dead_letter"))[0][0] == number)
