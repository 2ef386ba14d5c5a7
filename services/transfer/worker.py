"""The transfer service's worker: relay, consumer, sender of messages, and what the clock brings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import httpx
import structlog

from libs.casework.actors import SYSTEM
from libs.eventbus.consumer import Consumer
from libs.eventbus.relay import Relay
from libs.eventbus.transport import Transport
from libs.exchange.courier import Courier, HttpCourier
from libs.exchange.sender import Sender
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.transfer.composition import (
    exchange_transaction,
    office_of,
    settled_of,
    transfer_settings,
    verifier_of,
)
from services.transfer.consumers import GROUP, TOPICS, handlers_of
from services.transfer.service import chasing, receipts, timing
from services.transfer.service.desk import Desk
from services.transfer.service.office import Office

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """Something done to cases by the clock: which ones (a look without locks), and what to each."""

    name: str
    find: Callable[[Desk], Awaitable[Sequence[UUID]]]
    do: Callable[[Desk, UUID], Awaitable[bool]]


CHASE = Job("chase", chasing.unanswered, chasing.chase)
REMIND = Job("remind", timing.cases_to_remind, timing.remind)
RECOMPUTE = Job("recompute", timing.cases_to_recompute, timing.recompute)
MATCH = Job("match", receipts.cases_waiting, receipts.match_case)
JOBS = (CHASE, REMIND, RECOMPUTE, MATCH)


async def run(resources: Resources, transport: Transport) -> None:
    """Run until cancelled."""
    office = office_of(resources)
    async with httpx.AsyncClient() as client:
        courier = HttpCourier(
            client, _address_of(resources, office), timeout_s=transfer_settings(resources).exchange_timeout_s
        )
        await _run(resources, office, transport, courier)


def _address_of(resources: Resources, office: Office) -> Callable[[str], str | None]:
    """Where a region's agency is reached: its own address, or our gateway if it runs here too."""

    def address_of(region_code: str) -> str | None:
        agency = office.agencies.find(region_code)
        return (agency.exchange_url or resources.settings.gateway_url) if agency else None

    return address_of


async def _run(resources: Resources, office: Office, transport: Transport, courier: Courier) -> None:
    settings = transfer_settings(resources)
    relay = Relay(resources.settings.database_url, transport, idle_poll_s=resources.settings.relay_poll_s)
    consumer = Consumer(
        group=GROUP,
        topics=TOPICS,
        handlers=handlers_of(office, resources.clock),
        transport=transport,
        open_transaction=lambda _: resources.database.transaction(ALL_REGIONS),
    )
    sender = Sender(
        lambda: exchange_transaction(resources),
        courier,
        verifier_of(resources),
        resources.clock,
        settled=settled_of(resources, office),
        keeper=office.keeper,
        poll_s=settings.exchange_poll_s,
        # Longer than a delivery may take; what a killed process had taken is free again after it.
        lease_s=settings.exchange_timeout_s + 2,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run())
        tasks.create_task(consumer.run())
        tasks.create_task(sender.run())
        for job in JOBS:
            tasks.create_task(_regularly(resources, office, job, settings.chase_poll_s))


async def _regularly(resources: Resources, office: Office, job: Job, poll_s: float) -> None:
    while True:
        try:
            await run_job(resources, office, job)
        except Exception:
            # The database is away, or the look itself failed: the timer must be there when it is back.
            log.exception("timer_failed", job=job.name)
        await asyncio.sleep(poll_s)


async def run_job(resources: Resources, office: Office, job: Job) -> int:
    """Look for cases and work on them, one transaction a case. Returns on how many something was done."""
    async with resources.database.transaction(ALL_REGIONS) as session:
        found = await job.find(Desk(office, session, SYSTEM, resources.clock.now()))
    done = 0
    for case_id in found:
        try:
            async with resources.database.transaction(ALL_REGIONS) as session:
                done += await job.do(Desk(office, session, SYSTEM, resources.clock.now()), case_id)
        except Exception:
            # One case that cannot be worked on must not keep the others from it; it is tried again.
            log.exception("timer_case_failed", job=job.name, case_id=str(case_id))
    return done
