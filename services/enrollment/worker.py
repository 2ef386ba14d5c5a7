"""The enrollment service's worker: tells its facts, acts on those of others, works off what is pending."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from libs.eventbus.consumer import Consumer
from libs.eventbus.relay import Relay
from libs.eventbus.transport import Transport
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.enrollment.consumers import GROUP, TOPICS, handlers_of
from services.enrollment.service import coming_months, retiree_credits
from services.enrollment.service.contribution_files import applying
from services.enrollment.service.desk import Desk

log = structlog.get_logger(__name__)

# A transaction with the facts of several people would lock the region's own accounts in their
# order, and two such transactions one another. One fact locks its accounts in the ledger's order.
ONE_AT_A_TIME = 1

# Work that waits in tables, done in chunks of one transaction each until nothing is left for now.
Chunk = Callable[[Desk], Awaitable[bool]]
CHUNKS: dict[str, Chunk] = {
    "contribution_files": applying.apply_chunk,
    "coming_months": coming_months.record_chunk,
    "retiree_credits": retiree_credits.credit_chunk,
}
POLL_S = 2.0
"""Between two looks for pending work; a file of a month may wait so long."""


async def run(resources: Resources, transport: Transport) -> None:
    """Relay and consumer until cancelled; any number of workers may run at once."""
    relay = Relay(resources.settings.database_url, transport, idle_poll_s=resources.settings.relay_poll_s)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run())
        tasks.create_task(create_consumer(resources, transport).run())
        for name, chunk in CHUNKS.items():
            tasks.create_task(_regularly(resources, name, chunk))


async def work_off(resources: Resources, chunk: Chunk) -> None:
    """Chunks until there is nothing to do, each in a transaction of its own."""
    more = True
    while more:
        async with resources.database.transaction(ALL_REGIONS) as session:
            more = await chunk(Desk(session, resources.protector, resources.clock.now()))


async def _regularly(resources: Resources, name: str, chunk: Chunk) -> None:
    while True:
        try:
            await work_off(resources, chunk)
        except Exception:
            # The database is away, or an account was spent from meanwhile: the chunk is tried again.
            log.exception("chunk_failed", work=name)
        await asyncio.sleep(POLL_S)


def create_consumer(resources: Resources, transport: Transport) -> Consumer:
    """One member of the consumer group; it works for all regions."""
    return Consumer(
        group=GROUP,
        topics=TOPICS,
        handlers=handlers_of(resources.protector, resources.clock),
        transport=transport,
        open_transaction=lambda _: resources.database.transaction(ALL_REGIONS),
        batch_size=ONE_AT_A_TIME,
    )
