"""The transfer service's worker: relay, consumer, sender of messages, and the timer that chases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

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
from services.transfer.composition import exchange_transaction, office_of, transfer_settings, verifier_of
from services.transfer.consumers import GROUP, TOPICS, handlers_of
from services.transfer.service import chasing
from services.transfer.service.desk import Desk, Office

log = structlog.get_logger(__name__)


async def run(resources: Resources, transport: Transport) -> None:
    """Run until cancelled."""
    office = office_of(resources)
    async with httpx.AsyncClient() as client:
        await _run(resources, office, transport, HttpCourier(client, _address_of(resources, office)))


def _address_of(resources: Resources, office: Office) -> Callable[[str], str | None]:
    """Where a region's agency is reached: its own address, or our gateway if it runs here too."""

    def address_of(region_code: str) -> str | None:
        agency = office.agencies.find(region_code)
        return (agency.exchange_url or resources.settings.gateway_url) if agency else None

    return address_of


async def _run(resources: Resources, office: Office, transport: Transport, courier: Courier) -> None:
    settings = transfer_settings(resources)
    relay = Relay(resources.settings.database_url, transport)
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
        keeper=office.keeper,
        poll_s=settings.exchange_poll_s,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run())
        tasks.create_task(consumer.run())
        tasks.create_task(sender.run())
        tasks.create_task(_chase_regularly(resources, office, settings.chase_poll_s))


async def _chase_regularly(resources: Resources, office: Office, poll_s: float) -> None:
    while True:
        try:
            await chase_unanswered(resources, office)
        except Exception:
            # One case that cannot be chased must not keep the others from it; it is tried again.
            log.exception("chase_failed")
        await asyncio.sleep(poll_s)


async def chase_unanswered(resources: Resources, office: Office) -> int:
    """Ask every city that is past its limit, one transaction a case. Returns how many were asked."""
    async with resources.database.transaction(ALL_REGIONS) as session:
        waiting = await chasing.unanswered(Desk(office, session, SYSTEM, resources.clock.now()))
    asked = 0
    for case_id in waiting:
        async with resources.database.transaction(ALL_REGIONS) as session:
            asked += await chasing.chase(Desk(office, session, SYSTEM, resources.clock.now()), case_id)
    return asked
