from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from libs.contracts.base import Fact
from libs.eventbus.consumer import Handlers, RetryPolicy
from libs.eventbus.envelope import Event
from libs.eventbus.transports.memory import MemoryTransport
from libs.runtime.databases import provision
from libs.runtime.postgres import THROW_AWAY_SETTINGS, EmbeddedPostgres
from tests.libs.eventbus.harness import (
    AT,
    QUICK,
    TOPIC,
    CountingCommits,
    Noted,
    Service,
    installed,
    record_effect,
    recording_handlers,
    running,
    until,
)


def event(key: str, n: int) -> Event:
    return Event.of(Noted(n=n), key=key, region_code="370400", subject=key, at=AT)


def message(key: str, n: int, **changes: Any) -> tuple[str, bytes]:
    """Key and body of a noted fact, with some attributes of the envelope changed."""
    return key, orjson.dumps(orjson.loads(event(key, n).to_bytes()) | changes)


class Poisonable:
    """Handlers that fail for some numbers for as long as these are poison."""

    def __init__(self, *poison: int) -> None:
        self.poison = set(poison)
        self.attempts: list[int] = []
        self.handlers = Handlers()
        self.handlers.on(Noted)(self.handle)

    async def handle(self, session: AsyncSession, event: Event, fact: Noted) -> None:
        await record_effect(session, event, fact)
        self.attempts.append(fact.n)
        if fact.n in self.poison:
            raise ValueError(f"number {fact.n} does not agree with us")


async def consume(
    service: Service, handlers: Handlers, messages: Sequence[tuple[str, bytes]], **settings: Any
) -> None:
    """Consume these messages to the end of the topic."""
    transport = CountingCommits(MemoryTransport())
    await transport.publish(TOPIC, messages)
    async with running(service.consumer(transport, handlers, **settings).run()):
        await until(transport.reached(len(messages)), what="the end of the topic")


async def test_a_duplicate_in_one_batch_has_one_effect(service: Service) -> None:
    once = message("case-1", 1)
    await consume(service, recording_handlers(), [once, once, message("case-1", 2)])
    assert await service.effects() == {"case-1": [1, 2]}


async def test_a_duplicate_in_a_later_batch_has_one_effect(service: Service) -> None:
    once = message("case-1", 1)
    await consume(service, recording_handlers(), [once, message("case-1", 2), once], batch_size=1)
    assert await service.effects() == {"case-1": [1, 2]}


async def test_every_group_has_its_own_effect(service: Service) -> None:
    once = message("case-1", 1)
    for group in ("one", "another"):
        await consume(service, recording_handlers(), [once], group=group)
    assert await service.effects() == {"case-1": [1, 1]}


async def test_a_batch_is_one_transaction(service: Service) -> None:
    opened: list[Event] = []
    transaction = service.transaction

    def counted(event: Event) -> Any:
        opened.append(event)
        return transaction(event)

    service.transaction = counted  # type: ignore[method-assign]
    await consume(
        service,
        recording_handlers(),
        [message(f"case-{n}", n) for n in range(50)],
        release_poll_s=3600,
    )
    assert len(await service.effects()) == 50
    assert len([event for event in opened if event.type == Noted.event_type]) == 1


async def test_batch_handlers_get_runs_of_events_in_order(service: Service) -> None:
    handlers = Handlers()
    runs: list[list[int]] = []

    @handlers.on_batch(Noted)
    async def note_all(session: AsyncSession, events: Sequence[tuple[Event, Noted]]) -> None:
        runs.append([fact.n for _, fact in events])
        for event, fact in events:
            await record_effect(session, event, fact)

    await consume(service, handlers, [message("case-1", n) for n in range(5)])
    assert runs == [[0, 1, 2, 3, 4]]
    assert await service.effects() == {"case-1": [0, 1, 2, 3, 4]}


async def test_an_event_without_a_handler_is_skipped(service: Service) -> None:
    other = message("case-1", 1, type="cn.yibao.sample.something_else.v1")
    await consume(service, recording_handlers(), [other, message("case-1", 2)])
    assert await service.effects() == {"case-1": [2]}
    assert await service.count("dead_letter") == 0


async def test_b10_a_poison_event_is_given_up_after_its_attempts_and_other_keys_go_on(
    service: Service,
) -> None:
    poisonable = Poisonable(2)
    messages = [message(key, n) for n in (1, 2) for key in ("healthy", "sick")]
    messages[2] = message("healthy", 3)
    await consume(service, poisonable.handlers, messages)
    assert await service.effects() == {"healthy": [1, 3], "sick": [1]}
    assert (
        await service.count(
            "dead_letter",
            "key = 'sick' AND fault = 'poison' AND attempts = 3"
            " AND reason = 'ValueError: number 2 does not agree with us'",
        )
        == 1
    )
    assert poisonable.attempts.count(2) in (3, 4)  # three of its own, one with the batch


async def test_a_healthy_key_does_not_wait_out_the_pauses_of_a_sick_one(service: Service) -> None:
    transport = MemoryTransport()
    await transport.publish(TOPIC, [message("sick", 2), message("healthy", 1)])
    slow = RetryPolicy(attempts=2, first_delay_s=3600, longest_delay_s=3600)
    async with running(service.consumer(transport, Poisonable(2).handlers, retry=slow).run()):

        async def healthy_done() -> bool:
            return await service.effects() == {"healthy": [1]}

        await until(healthy_done, what="the healthy key")


async def test_a_failure_that_passes_leaves_no_trace(service: Service) -> None:
    poisonable = Poisonable(2)

    async def failed_twice() -> bool:
        return poisonable.attempts.count(2) >= 2

    async def done() -> bool:
        return await service.effects() == {"case-1": [1, 2, 3]}

    transport = MemoryTransport()
    await transport.publish(TOPIC, [message("case-1", n) for n in (1, 2, 3)])
    async with running(
        service.consumer(
            transport,
            poisonable.handlers,
            retry=RetryPolicy(attempts=1000, first_delay_s=0.01, longest_delay_s=0.01),
        ).run()
    ):
        await until(failed_twice, what="two failures")
        poisonable.poison.clear()
        await until(done, what="the effects")
    assert await service.count("dead_letter") == 0
    assert await service.count("parked_event") == 0


async def test_b11_later_events_of_a_poisoned_key_wait_in_this_batch_and_in_later_ones(
    service: Service,
) -> None:
    poisonable = Poisonable(2)
    await consume(service, poisonable.handlers, [message("case-1", n) for n in (1, 2, 3)])
    await consume(service, poisonable.handlers, [message("case-1", 4), message("case-2", 5)])
    assert await service.effects() == {"case-1": [1], "case-2": [5]}
    assert await service.count("parked_event", "key = 'case-1'") == 2


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(message("k", 2, type="org.example.other")[1], "unknown_type", id="unknown type"),
        pytest.param(
            message("k", 2, type="cn.yibao.sample.noted.v2")[1], "unknown_version", id="newer version"
        ),
        pytest.param(message("k", 2, data={"n": "many"})[1], "invalid_data", id="data beside the contract"),
        pytest.param(message("k", 2, data={})[1], "invalid_data", id="field missing"),
        pytest.param(message("k", 2, subject="a\0b")[1], "broken", id="NUL in an attribute"),
        pytest.param(b"\xff\xfe\x00broken", "broken", id="broken bytes"),
        pytest.param(b"", "broken", id="no bytes"),
        pytest.param(b"[1]", "broken", id="no object"),
    ],
)
async def test_b18_what_cannot_be_understood_becomes_a_dead_letter_and_does_no_harm(
    service: Service, body: bytes, fault: str
) -> None:
    handlers = recording_handlers()
    await consume(service, handlers, [message("k", 1), ("k", body), message("k", 3), message("other", 1)])
    assert await service.effects() == {"k": [1], "other": [1]}
    assert await service.count("dead_letter", f"fault = '{fault}' AND key = 'k'") == 1
    assert await service.count("parked_event", "key = 'k'") == 1


@pytest.mark.parametrize("key", ["", "x" * 5000, "a\0b"])
async def test_a_record_with_a_key_that_is_not_ours_holds_up_nobody(service: Service, key: str) -> None:
    await consume(service, recording_handlers(), [(key, b"broken"), (key, b"broken too"), message("k", 1)])
    assert await service.effects() == {"k": [1]}
    assert await service.count("dead_letter", "fault = 'broken'") == 2


async def test_a_broken_record_delivered_twice_is_one_dead_letter(service: Service) -> None:
    transport = MemoryTransport()
    await transport.publish(TOPIC, [("k", b"broken")])
    for _ in range(2):
        counting = CountingCommits(transport)
        async with running(service.consumer(counting, recording_handlers()).run()):
            await until(counting.reached(1), what="the end of the topic")
        await transport.rewind("reader", [TOPIC])
    assert await service.count("dead_letter") == 1


async def test_reasons_show_no_values_of_the_event(service: Service) -> None:
    number = "370400199001010017"

    class Named(Fact):
        event_type = "cn.yibao.sample.named.v1"
        id_number: int

    handlers = Handlers()

    @handlers.on(Named)
    async def insert_twice(session: AsyncSession, event: Event, fact: Named) -> None:
        await session.execute(text("CREATE UNIQUE INDEX ON effect (key)"))
        for _ in range(2):
            await session.execute(text("INSERT INTO effect (key, n) VALUES (:key, 1)"), {"key": number})

    messages = [
        message("a", 1, type=Named.event_type, data={"id_number": f"x{number}"}),
        message("b", 1, type=Named.event_type, data={"id_number": number}),
    ]
    await consume(service, handlers, messages)
    assert await service.count("dead_letter") == 2
    assert await service.count("dead_letter", f"reason LIKE '%{number}%'") == 0


def raising(code: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{code}'; END $$"


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("SELECT pg_terminate_backend(pg_backend_pid())", id="connection lost"),
        pytest.param(raising("40001"), id="serialisation"),
        pytest.param(raising("40P01"), id="deadlock"),
        pytest.param(raising("53300"), id="too many connections"),
        pytest.param(raising("55P03"), id="lock not granted in time"),
    ],
)
async def test_trouble_of_the_database_in_a_handler_is_no_fault_of_the_event(
    service: Service, statement: str
) -> None:
    trouble = [statement] * (2 * QUICK.attempts)
    handlers = Handlers()

    @handlers.on(Noted)
    async def handle(session: AsyncSession, event: Event, fact: Noted) -> None:
        await record_effect(session, event, fact)
        if trouble:
            await session.execute(text(trouble.pop()))

    await consume(service, handlers, [message("case-1", 1), message("case-1", 2)])
    assert await service.effects() == {"case-1": [1, 2]}
    assert await service.count("dead_letter") == 0


@pytest.mark.parametrize("code", ["23505", "22P02", "57014"])
async def test_an_event_the_database_objects_to_is_poison(service: Service, code: str) -> None:
    handlers = Handlers()

    @handlers.on(Noted)
    async def handle(session: AsyncSession, event: Event, fact: Noted) -> None:
        await session.execute(text(raising(code)))

    await consume(service, handlers, [message("case-1", 1)])
    assert await service.count("dead_letter", "fault = 'poison' AND reason LIKE '%injected'") == 1


async def test_b15_while_the_database_is_gone_no_offset_moves_and_then_it_catches_up() -> None:
    folder = tempfile.TemporaryDirectory()  # not pytest's, which other runs of root's may close
    server = EmbeddedPostgres(Path(folder.name) / "pg", THROW_AWAY_SETTINGS)
    transport = CountingCommits(MemoryTransport())
    failures = 0

    @contextlib.asynccontextmanager
    async def transaction(event: Event) -> AsyncIterator[AsyncSession]:
        nonlocal failures
        try:
            async with service.sessions.begin() as session:
                yield session
        except Exception:
            failures += event.type == Noted.event_type
            raise

    async def three_failures() -> bool:
        return failures >= 3

    with folder, contextlib.ExitStack() as running_server:
        running_server.enter_context(server)
        await provision(server.url("postgres"), databases=())
        service = await installed(server.url("postgres"))
        consumer = service.consumer(transport, recording_handlers(), open_transaction=transaction)
        async with running(consumer.run()):
            await transport.publish(TOPIC, [message("case-1", 1)])
            await until(transport.reached(1), what="the first effect")
            await asyncio.to_thread(running_server.close)
            await transport.publish(TOPIC, [message("case-1", 2), message("case-2", 3)])
            await until(three_failures, what="three failed attempts")
            assert transport.committed == 1
            await asyncio.to_thread(running_server.enter_context, server)
            await until(transport.reached(3), what="the rest")
        assert await service.effects() == {"case-1": [1, 2], "case-2": [3]}
        assert await service.count("dead_letter") == 0
        await service.engine.dispose()
