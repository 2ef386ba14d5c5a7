"""One service as the tests see it: migrated database of its own, least-privilege login, signed tokens.

The database of each test is cloned from a template that the service's own migrations built, once
per test run; connections are made as ``yibao_<service>``, so grants and row-level security are real.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import uuid4

import asyncpg
import httpx
from fastapi import FastAPI
from sqlalchemy import select

from libs.casework.clock import SHANGHAI, AdjustableClock
from libs.contracts.base import Fact
from libs.eventbus.envelope import Event
from libs.eventbus.tables import outbox
from libs.protection.fields import FieldProtector
from libs.runtime.databases import APP_GROUP, OWNER, login_of, provision
from libs.runtime.migrations import upgrade
from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.callers import TokenVerifier
from libs.webapp.database import ALL_REGIONS, Database
from libs.webapp.edge import Resources
from libs.webapp.settings import ServiceSettings, secret_bytes
from tests.support.tokens import PUBLIC_KEY

NOW = dt.datetime(2026, 3, 10, 9, 30, tzinfo=SHANGHAI)  # a Tuesday, of a year with announced holidays
_ROLES_LOCK = 4242  # the same as in tests/conftest.py: cluster-wide roles are made by one at a time

SomeFact = TypeVar("SomeFact", bound=Fact)


@asynccontextmanager
async def service_resources(
    postgres: EmbeddedPostgres,
    service: str,
    *,
    clock: AdjustableClock | None = None,
    settings: ServiceSettings | None = None,
) -> AsyncIterator[Resources]:
    """Resources of ``service`` on a fresh clone of its migrated database, dropped afterwards.

    ``clock`` stands at ``NOW`` unless given; the settings' database URL is the clone's.
    """
    name = f"test_{service}_{uuid4().hex}"
    template = await _template(postgres, service)
    await _admin(postgres, f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}")
    url = postgres.url(name, login_of(service))
    settings = settings or ServiceSettings(token_public_key=PUBLIC_KEY)
    settings = settings.model_copy(update={"database_url": url})  # the worker's relay connects by it
    database = Database(url)
    try:
        yield Resources(
            settings=settings,
            database=database,
            clock=clock or AdjustableClock(NOW),
            protector=FieldProtector(
                {settings.field_key_id: secret_bytes(settings.field_key)},
                settings.field_key_id,
                secret_bytes(settings.blind_index_key),
            ),
            tokens=TokenVerifier(PUBLIC_KEY),
        )
    finally:
        await database.close()
        await _admin(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the app in-process; a malfunction (500) raises in the test."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        yield client


async def published(resources: Resources, fact: type[SomeFact]) -> list[SomeFact]:
    """Facts of this type that stand in the service's outbox, oldest first."""
    return [
        fact.model_validate(event.data)
        for event in await published_events(resources)
        if event.type == fact.event_type
    ]


async def published_events(resources: Resources) -> list[Event]:
    """Everything in the service's outbox, oldest first (nothing relays here)."""
    async with resources.database.transaction(ALL_REGIONS) as session:
        bodies = await session.scalars(select(outbox.c.body).order_by(outbox.c.id))
        return [Event.from_bytes(body) for body in bodies]


async def _template(postgres: EmbeddedPostgres, service: str) -> str:
    """Name of the service's migrated database, built once for all workers of the run."""
    template = f"template_{service}"
    connection = await asyncpg.connect(postgres.url("postgres"))
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ROLES_LOCK)
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", template):
            await _build_template(postgres, connection, service, template)
    finally:
        await connection.close()  # gives the lock back
    return template


async def _build_template(
    postgres: EmbeddedPostgres, connection: asyncpg.Connection, service: str, template: str
) -> None:
    """Migrate under another name first: a template that exists is complete."""
    await provision(postgres.url("postgres"), databases=())
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", login_of(service)):
        await connection.execute(f"CREATE ROLE {login_of(service)} LOGIN IN ROLE {APP_GROUP}")
    building = f"{template}_building"
    await connection.execute(f"DROP DATABASE IF EXISTS {building} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {building} OWNER {OWNER}")
    await upgrade(service, postgres.url(building, OWNER))
    await connection.execute(f"ALTER DATABASE {building} RENAME TO {template}")


async def _admin(postgres: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(postgres.url("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
