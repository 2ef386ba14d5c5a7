"""The enrollment service's worker: tells its facts, acts on those of others, works off what is pending."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import structlog

from libs.caseflow import timing
from libs.caseflow.desk import CaseDesk, Caseflow
from libs.casework.actors import SYSTEM
from libs.eventbus.consumer import Consumer
from libs.eventbus.relay import Relay
from libs.eventbus.transport import Transport
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.enrollment.composition import caseflow_of, enrollment_settings
from services.enrollment.consumers import GROUP, TOPICS, handlers_of
from services.enrollment.service import coming_months, retiree_credits
from services.enrollment.service.contribution_files import applying
from services.enrollment.service.desk import Desk
from services.enrollment.service.rosters.working import RosterWorker

log = structlog.get_logger(__name__)

JOBS = (timing.REMIND, timing.RECOMPUTE)

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
    """Until cancelled; any number of workers may run at once."""
    relay = Relay(resources.settings.database_url, transport, idle_poll_s=resources.settings.relay_poll_s)
    flow, poll_s = caseflow_of(resources), enrollment_settings(resources).reminder_poll_s
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run())
        tasks.create_task(create_consumer(resources, transport).run())
        tasks.create_task(create_roster_worker(resources).run())
        for job in JOBS:
            tasks.create_task(_regularly(job.name, partial(run_job, resources, flow, job), poll_s))
        for name, chunk in CHUNKS.items():
            tasks.create_task(_regularly(name, partial(work_off, resources, chunk), POLL_S))


async def work_off(resources: Resources, chunk: Chunk) -> None:
    """Chunks until there is nothing to do, each in a transaction of its own."""
    more = True
    while more:
        async with resources.database.transaction(ALL_REGIONS) as session:
            more = await chunk(Desk(session, resources.protector, resources.clock.now()))


async def run_job(resources: Resources, flow: Caseflow, job: timing.Job) -> None:
    """One round of what time does to cases."""

    @asynccontextmanager
    async def open_desk() -> AsyncIterator[CaseDesk]:
        async with resources.database.transaction(ALL_REGIONS) as session:
            yield CaseDesk(flow, session, SYSTEM, resources.clock.now())

    await timing.run_job(open_desk, job)


async def _regularly(name: str, work: Callable[[], Awaitable[None]], poll_s: float) -> None:
    while True:
        try:
            await work()
        except Exception:
            # The database is away, or something changed under our hands: it is tried again.
            log.exception("work_failed", work=name)
        await asyncio.sleep(poll_s)


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


def create_roster_worker(resources: Resources) -> RosterWorker:
    """Applies rosters; each chunk sees its own region only."""

    @asynccontextmanager
    async def open_desk(regions: Sequence[str]) -> AsyncIterator[Desk]:
        async with resources.database.transaction(regions) as session:
            yield Desk(session, resources.protector, resources.clock.now(), regions=tuple(regions))

    return RosterWorker(open_desk)
