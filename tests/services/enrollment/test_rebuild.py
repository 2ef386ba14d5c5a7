"""A service that joins later rebuilds its view from the bus, by the facts alone."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from libs.eventbus.consumer import Consumer
from libs.eventbus.envelope import Event
from libs.eventbus.relay import Relay
from libs.eventbus.transport import Record, Transport
from libs.webapp.callers import Role
from libs.webapp.edge import Resources
from tests.libs.eventbus.harness import (
    CountingCommits,
    Service,
    installed,
    kafka_at,
    postgres_log_at,
    running,
    until,
)
from tests.services.enrollment.changes import changed, credential, line, same_birth_and_sex
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Card, Counter, accepted, clerk_of
from tests.services.enrollment.employer_applications import carried_out, hired, registration
from tests.services.enrollment.newcomer import TABLES, TOPIC, VIEW, handlers
from tests.services.enrollment.registry import Registry, pupils, school_file
from tests.support.kafka import Broker
from tests.support.tokens import officer

PARTITIONS = 4
TRUTH = """
    SELECT e.id::text, p.id::text, p.person_key, e.region_code, e.insurance_kind, e.person_kind,
           e.started_on, e.stopped_on
    FROM enrolments e JOIN persons p ON p.id = e.person_id ORDER BY 1
"""

# Employees' and residents' insurance exclude one another.
TWICE = text(f"""
    SELECT person_key FROM ({VIEW}) AS insured WHERE stopped_on IS NULL
    GROUP BY person_key, CASE insurance_kind WHEN '390' THEN '310' ELSE insurance_kind END HAVING count(*) > 1
""")


@pytest.fixture
async def newcomer(database: str) -> AsyncIterator[Service]:
    """A service with a database of its own, empty."""
    service = await installed(database)
    for table in TABLES:
        await service.execute(table)
    yield service
    await service.engine.dispose()


@pytest.fixture
async def log_transport(database: str) -> AsyncIterator[Transport]:
    async with postgres_log_at(database, PARTITIONS) as transport:
        yield transport


@pytest.fixture
async def kafka_transport(kafka_broker: Broker) -> AsyncIterator[Transport]:
    async with kafka_at(kafka_broker, TOPIC, PARTITIONS) as transport:
        yield transport


@pytest.fixture(params=["log", pytest.param("kafka", marks=pytest.mark.kafka)])
def transport(request: pytest.FixtureRequest) -> Transport:
    """Both brokers in turn."""
    chosen: Transport = request.getfixturevalue(f"{request.param}_transport")
    return chosen


async def history(counter: Counter) -> None:
    """What happens in two cities over the years, in the service itself."""
    mover, keep = await counter.person(), await counter.insured(["2025-01"])
    here = await counter.enrol(mover)
    new = same_birth_and_sex(counter, mover.id_number)
    await changed(counter, mover, line("credential", credential(new)), line("telephone", "19900001234"))
    await counter.stop(here)
    there = await counter.person(YANTAI, id_number=new)
    await counter.enrol(there, since="2026-03-01")
    await ended(counter, await counter.enrol(await counter.person(), "390", "resident"), "deceased")
    again = await counter.person()
    await ended(counter, await counter.enrol(again), "interrupted")
    await counter.enrol(again, since="2026-03-02")
    twin = await counter.person(id_number=same_birth_and_sex(counter, keep.id_number))
    await counter.enrol(twin, since="2026-03-01")
    await merged(counter, keep, twin)
    await changed(counter, keep, line("credential", credential(twin.id_number)))
    await counter.deliver(accepted(again))  # facts of other kinds stand between
    await succeeded(counter)
    known, *fresh = pupils(3)
    await counter.person(id_number=known.id_number)
    told = await Registry(counter).finished(school_file([known, *fresh]))
    assert (told["enrolled"], told["refused"]) == (2, 1), "the known one's name is another"


async def succeeded(counter: Counter) -> None:
    """An employer with somebody in two kinds, a retiree and somebody new goes into another."""
    old, new = await counter.employer(), await counter.employer()
    await hired(counter, old, "310", "510", since="2026-02-01")
    await hired(counter, old, person_kind="retiree", since="2025-01-01")
    form = {
        "registration_kind": "merge",
        "predecessors": [old["credit_code"]],
        "effective_on": "2026-03-01",
        "successor": {"credit_code": new["credit_code"]},
    }
    await carried_out(counter, registration(counter, form))


async def ended(counter: Counter, enrolment: dict[str, Any], reason: str) -> None:
    body = {"stopped_on": "2026-03-01", "reason": reason}
    await counter.done(f"enrolments/{enrolment['id']}/stop", body, clerk_of(enrolment["region_code"]))


async def merged(counter: Counter, keep: Card, merge: Card) -> None:
    body = {"keep_id": keep.id, "merge_id": merge.id, "evidence": [{"name": "户口簿"}], "reason": "重复建档"}
    request = await counter.done("person-merges", body, officer(ZAOZHUANG, Role.CLERK, subject="a"))
    reviewer = officer(ZAOZHUANG, Role.REVIEWER, subject="b")
    await counter.done(f"person-merges/{request['id']}/approve", {}, reviewer)


async def relayed(counter: Counter, resources: Resources, transport: Transport) -> int:
    """Everything in the outbox is on the topic; how many events that are."""
    count = "SELECT count(*) FROM outbox"
    ((waiting,),) = await counter.rows(count)

    async def empty() -> bool:
        return await counter.rows(count) == [(0,)]

    relay = Relay(resources.settings.database_url, transport, idle_poll_s=0.01)
    async with running(relay.run()):
        await until(empty, what="the relay")
    return int(waiting)


async def records_on(transport: Transport, number: int) -> list[Record]:
    """The topic from its beginning."""
    records: list[Record] = []
    async with transport.subscribe("copier", [TOPIC]) as subscription:

        async def enough() -> bool:
            records.extend(await subscription.fetch(1000))
            return len(records) >= number

        await until(enough, what="the topic")
    return records


async def read_all(newcomer: Service, transport: Transport, group: str, number: int) -> list[tuple[Any, ...]]:
    """A group reads ``number`` records; the view it has then."""
    counting = CountingCommits(transport)
    consumer: Consumer = newcomer.consumer(counting, handlers(), group=group, topics=[TOPIC])
    async with running(consumer.run()):
        await until(counting.reached(number), what="the newcomer")
    async with newcomer.sessions() as session:
        return [tuple(row) for row in await session.execute(text(VIEW))]


async def test_a_newcomer_s_view_equals_the_database_and_stays_so(
    counter: Counter, resources: Resources, newcomer: Service, transport: Transport
) -> None:
    await history(counter)
    number = await relayed(counter, resources, transport)
    truth = [tuple(row) for row in await counter.rows(TRUTH)]
    assert len(truth) == 15
    assert await read_all(newcomer, transport, "newcomer", number) == truth
    # The broker delivers everything once more, the newest first.
    records = await records_on(transport, number)
    copies = [(record.key, record.body) for record in reversed(records)]
    await transport.publish(TOPIC, copies)
    assert await read_all(newcomer, transport, "newcomer", number) == truth
    # A group that has handled nothing yet reads it all into the same view, copies too.
    assert await read_all(newcomer, transport, "again from the start", 2 * number) == truth
    assert await newcomer.count("dead_letter") == 0


async def test_nobody_is_insured_twice_in_the_view_whatever_the_order(
    counter: Counter, newcomer: Service
) -> None:
    await history(counter)
    bodies = [bytes(body) for (body,) in await counter.rows("SELECT body FROM outbox ORDER BY id")]
    told = [event for event in map(Event.from_bytes, bodies) if handlers().route(event.type)]
    truth = [tuple(row) for row in await counter.rows(TRUTH)]
    async with newcomer.sessions() as session:
        for event in told:
            await understood(session, event)
            assert (await session.execute(TWICE)).all() == [], event
        assert await view(session) == truth
    for seed in range(5):
        mixed = [*told, *told]
        random.Random(seed).shuffle(mixed)
        async with newcomer.sessions() as session:
            for event in mixed:
                await understood(session, event)
            assert await view(session) == truth, f"seed {seed}"
            assert (await session.execute(TWICE)).all() == []


async def understood(session: AsyncSession, event: Event) -> None:
    route = handlers().route(event.type)
    assert route is not None
    await route.handle(session, [(event, route.fact_type.model_validate(event.data))])


async def view(session: AsyncSession) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await session.execute(text(VIEW))]


async def test_the_facts_hold_no_personal_data(
    counter: Counter, resources: Resources, log_transport: Transport
) -> None:
    await history(counter)
    number = await relayed(counter, resources, log_transport)
    told = [Event.from_bytes(record.body) for record in await records_on(log_transport, number)]
    about_people = str([event.data for event in told if ".person" in event.type])
    assert about_people
    for region, person_id in await counter.rows("SELECT region_code, id::text FROM persons"):
        reviewer = officer(region, Role.REVIEWER)
        person = (await counter.get(f"persons/{person_id}", reviewer)).json()
        for value in (person["name"], person["credential"]["number"], person["telephone"]):
            assert value not in about_people
