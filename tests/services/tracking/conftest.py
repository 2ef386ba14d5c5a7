"""The tracking service on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from libs.contracts.cases import CaseMoved, MessageSent
from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.tracking.app import create
from services.tracking.service.projection import record_messages, record_moves
from tests.support.service import client_of, service_resources

Hear = Callable[..., Awaitable[None]]


@pytest.fixture
async def resources(postgres: EmbeddedPostgres) -> AsyncIterator[Resources]:
    """Resources of the service; its clock stands at NOW."""
    async with service_resources(postgres, "tracking") as made:
        yield made


@pytest.fixture
async def client(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the service in-process."""
    async with client_of(create(resources)) as made:
        yield made


@pytest.fixture
def hear(resources: Resources) -> Hear:
    """Let the projection hear facts, each in a transaction of its own, in this order."""

    async def hear_in_order(*facts: CaseMoved | MessageSent) -> None:
        for fact in facts:
            async with resources.database.transaction(ALL_REGIONS) as session:
                if isinstance(fact, CaseMoved):
                    await record_moves(session, [fact])
                else:
                    await record_messages(session, [fact])

    return hear_in_order
