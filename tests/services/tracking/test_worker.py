"""From the topic to the answer: the worker with a real consumer and transport."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import httpx

from libs.casework.lifecycle import Action, Status
from libs.contracts.base import topic_of
from libs.contracts.cases import CaseMoved, MessageSent
from libs.eventbus.envelope import Event
from libs.eventbus.transports.memory import MemoryTransport
from libs.webapp.edge import Resources
from services.tracking import consumers, worker
from tests.services.tracking.facts import LI, ZAOZHUANG, case_number, moved, told
from tests.support.tokens import citizen


async def publish(transport: MemoryTransport, fact: CaseMoved | MessageSent) -> None:
    """Put a fact on its producer's topic, as the relay does."""
    event = Event.of(fact, key=LI, region_code=ZAOZHUANG, subject=fact.case_no, at=fact.at)
    await transport.publish(topic_of(fact.event_type), [(LI, event.to_bytes())])


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 10) -> None:
    """Wait for a condition; TimeoutError after ``within_s``."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 -- the condition is in the database
            await asyncio.sleep(0.01)


async def test_facts_on_the_topic_reach_the_timeline(client: httpx.AsyncClient, resources: Resources) -> None:
    transport = MemoryTransport(fetch_wait_s=0.01)
    case_no = case_number()
    await publish(transport, moved(case_no, 1))
    await publish(transport, moved(case_no, 2, Action.ACCEPT, Status.ACCEPTED))
    await publish(transport, told(case_no, "您的申请已受理。"))
    await publish(transport, told(case_no, "您的申请已受理。"))

    async def complete() -> bool:
        answer = await client.get(f"/v1/applications/{case_no}/timeline", headers=citizen(LI))
        return answer.status_code == 200 and len(answer.json()["entries"]) == 3

    running = asyncio.create_task(worker.run(resources, transport))
    try:
        await until(complete)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def test_every_producer_of_cases_is_heard() -> None:
    table = consumers.handlers()
    assert consumers.topics() == sorted(set(consumers.topics()))
    assert "yibao.transfer" in consumers.topics()
    assert table.route("cn.yibao.transfer.case_moved.v1") is not None
    assert table.route("cn.yibao.transfer.message_sent.v1") is not None
