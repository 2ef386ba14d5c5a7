"""The worker of the tracking service: one member of the consumer group. It publishes nothing."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncSession

from libs.eventbus.consumer import Consumer
from libs.eventbus.envelope import Event
from libs.eventbus.transport import Transport
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.tracking import consumers


def create_consumer(resources: Resources, transport: Transport) -> Consumer:
    """A member of the group ``tracking``."""

    def open_transaction(_: Event) -> AbstractAsyncContextManager[AsyncSession]:
        return resources.database.transaction(ALL_REGIONS)

    return Consumer(
        group=consumers.GROUP,
        topics=consumers.topics(),
        handlers=consumers.handlers(),
        transport=transport,
        open_transaction=open_transaction,
    )


async def run(resources: Resources, transport: Transport) -> None:
    """Consume until cancelled."""
    await create_consumer(resources, transport).run()
