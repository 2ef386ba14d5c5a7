"""From the topic to the answer: the worker with a real consumer and transport."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
from sqlalchemy import text

from libs.casework.lifecycle import Action, Status
from libs.contracts.base import topic_of
from libs.contracts.cases import CaseMoved, MessageSent
from libs.eventbus.envelope import Event
from libs.eventbus.transports.memory import MemoryTransport
from libs.runtime.databases import OWNER
from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.database import Database
from libs.webapp.edge import Resources
from services.tracking import consumers, worker
from tests.services.tracking.facts import LI, ZAOZHUANG, case_number, moved, told
from tests.support.tokens import citizen

CASE = case_number()
STORY = (
    moved(CASE, 1),
    moved(CASE, 2, Action.ACCEPT, Status.ACCEPTED),
    told(CASE, "您的申请已受理。"),
    told(CASE, "您的申请已受理。"),  # told twice by two events
)
REBUILD = (  # as README.md says
    "TRUNCATE tracked_cases, tracked_moves, tracked_messages",
    "DELETE FROM inbox WHERE consumer = 'tracking'",
)


async def publish(transport: MemoryTransport, fact: CaseMoved | MessageSent) -> None:
    """Put a fact on its producer's topic, as the relay does."""
    event = Event.of(fact, key=LI, region_code=ZAOZHUANG, subject=fact.case_no, at=fact.at)
    await transport.publish(topic_of(fact.event_type), [(LI, event.to_bytes())])


async def entries(client: httpx.AsyncClient) -> list[dict[str, object]]:
    """The case's timeline as its applicant sees it; empty while the case is unknown."""
    answer = await client.get(f"/v1/applications/{CASE}/timeline", headers=citizen(LI))
    told_entries: list[dict[str, object]] = answer.json().get("entries", [])
    return told_entries


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    """Wait for a condition; TimeoutError after ``within_s``."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 -- the condition is in the database
            await asyncio.sleep(0.01)


@asynccontextmanager
async def working(resources: Resources, transport: MemoryTransport) -> AsyncIterator[None]:
    """The worker runs."""
    running = asyncio.create_task(worker.run(resources, transport))
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_facts_on_the_topic_reach_the_timeline_and_it_can_be_rebuilt(
    client: httpx.AsyncClient, resources: Resources, postgres: EmbeddedPostgres
) -> None:
    async def complete() -> bool:
        return len(await entries(client)) == 3

    transport = MemoryTransport(fetch_wait_s=0.01)
    for fact in STORY:
        await publish(transport, fact)
    async with working(resources, transport):
        await until(complete)
    before = await entries(client)

    owner = Database(postgres.url(urlsplit(resources.database.url).path.lstrip("/"), OWNER), pool_size=1)
    async with owner.transaction(()) as session:
        for statement in REBUILD:
            await session.execute(text(statement))
    await owner.close()
    assert await entries(client) == []

    await transport.rewind(consumers.GROUP, consumers.topics())
    async with working(resources, transport):
        await until(complete)
    assert await entries(client) == before


def test_every_producer_of_cases_is_heard() -> None:
    table = consumers.handlers()
    assert "yibao.transfer" in consumers.topics()
    assert table.route("cn.yibao.transfer.case_moved.v1") is not None
    assert table.route("cn.yibao.transfer.message_sent.v1") is not None
