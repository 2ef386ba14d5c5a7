"""A small app on a real database: counters as effects, an endpoint for every way to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Response
from pydantic import BaseModel
from sqlalchemy import text

from libs.casebook.contents import next_number
from libs.refusals.faults import conflict
from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.app import create_app
from libs.webapp.callers import Caller
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import CallerDep, IdempotencyKeyDoc, Resources, SessionDep, TransactionRoute
from libs.webapp.paging import Cursor, PageSize, decode_cursor
from libs.webapp.telemetry import configure_logging
from tests.support.service import service_resources

REGION = "370400"


class Count(BaseModel):
    """How often a counter was raised."""

    count: int


class Raise(BaseModel):
    """A request to raise a counter by one."""

    counter: str = "c"
    then: str = "answer"


@dataclass
class Stage:
    """The app with its database, and a door that keeps a request waiting inside."""

    resources: Resources
    app: FastAPI
    client: httpx.AsyncClient
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    door: asyncio.Event = field(default_factory=asyncio.Event)

    async def counter(self, name: str = "c") -> int:
        """The counter as others see it: committed."""
        async with self.resources.database.transaction(ALL_REGIONS) as session:
            query = text("SELECT last FROM document_counters WHERE kind = :kind")
            return int(await session.scalar(query, {"kind": name}) or 0)

    async def stored_answers(self) -> int:
        async with self.resources.database.transaction(ALL_REGIONS) as session:
            return int(await session.scalar(text("SELECT count(*) FROM idempotency_keys")) or 0)


@pytest.fixture(scope="session", autouse=True)
def _logs_as_in_production() -> None:
    configure_logging()


@pytest.fixture
async def stage(postgres: EmbeddedPostgres) -> AsyncIterator[Stage]:
    # Any service's migrated database has the stored answers; this one has no business of its own.
    async with service_resources(postgres, "remote_care") as resources:
        router = APIRouter(route_class=TransactionRoute)
        app = create_app("test", "测试服务", [router], None)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            made = Stage(resources, app, client)
            _add_routes(router, made)
            app.include_router(router)
            app.state.resources = resources
            yield made


def _add_routes(router: APIRouter, stage: Stage) -> None:
    @router.post("/raise", status_code=201, dependencies=[IdempotencyKeyDoc])
    async def raise_counter(body: Raise, session: SessionDep, response: Response) -> Count:
        count = Count(count=await next_number(session, REGION, body.counter, 2026))
        response.headers["ETag"] = f'"{count.count}"'
        response.headers["Location"] = "/here"
        if body.then == "wait":
            stage.entered.set()
            await stage.door.wait()
        elif body.then == "refuse":
            raise conflict("no", "不行。")
        elif body.then == "break":
            raise RuntimeError("370402199001010010 broke it")
        elif body.then == "break-commit":
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return count

    @router.get("/me")
    async def read_me(caller: CallerDep) -> Caller:
        return caller

    @router.get("/page")
    async def read_page(size: PageSize = 20, cursor: Cursor = None) -> list[str]:
        return decode_cursor(cursor, 2) if cursor else []

    @router.get("/number")
    async def read_number(number: Annotated[int, Query(ge=1)]) -> int:
        return number
