"""The enrollment service's worker: publishes its facts, acts on those of others, applies rosters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

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
from services.enrollment.service.desk import Desk
from services.enrollment.service.rosters.working import RosterWorker

log = structlog.get_logger(__name__)

JOBS = (timing.REMIND, timing.RECOMPUTE)

# A transaction with the facts of several people would lock the region's own accounts in their
# order, and two such transactions one another. One fact locks its accounts in the ledger's order.
ONE_AT_A_TIME = 1


async def run(resources: Resources, transport: Transport) -> None:
    """Relay and consumer until cancelled; any number of workers may run at once."""
    relay = Relay(resources.settings.database_url, transport, idle_poll_s=resources.settings.relay_poll_s)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run())
        tasks.create_task(create_consumer(resources, transport).run())
        for job in JOBS:
            tasks.create_task(_regularly(resources, caseflow_of(resources), job))
        tasks.create_task(create_roster_worker(resources).run())


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


async def _regularly(resources: Resources, flow: Caseflow, job: timing.Job) -> None:
    @asynccontextmanager
    async def open_desk() -> AsyncIterator[CaseDesk]:
        async with resources.database.transaction(ALL_REGIONS) as session:
            yield CaseDesk(flow, session, SYSTEM, resources.clock.now())

    while True:
        try:
            await timing.run_job(open_desk, job)
        except Exception:
            # The database is away, or the look itself failed: the timer must be there when it is back.
            log.exception("timer_failed", job=job.name)
        await asyncio.sleep(enrollment_settings(resources).reminder_poll_s)


def create_roster_worker(resources: Resources) -> RosterWorker:
    """Applies rosters; each chunk sees its own region only."""

    @asynccontextmanager
    async def open_desk(regions: Sequence[str]) -> AsyncIterator[Desk]:
        async with resources.database.transaction(regions) as session:
            yield Desk(session, resources.protector, resources.clock.now(), regions=tuple(regions))

    return RosterWorker(open_desk)
