"""A gateway on a database of its own, with made-up callers registered."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from argon2 import PasswordHasher
from asgi_lifespan import LifespanManager
from pydantic import SecretStr
from starlette.types import ASGIApp

from libs.runtime.databases import OWNER
from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.callers import TokenVerifier
from libs.webapp.database import Database
from libs.webapp.edge import Resources
from services.gateway.app import create
from services.gateway.service import secrets
from services.gateway.settings import GatewaySettings
from tests.services.gateway.people import ISSUER, SEED, register_all
from tests.support.service import client_of, service_resources

Knock = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


def settings(**changed: Any) -> GatewaySettings:
    """Settings of the gateway under test."""
    own = {
        "token_private_key": SecretStr(base64.b64encode(SEED).decode()),
        "token_public_key": ISSUER.public_key,
    }
    return GatewaySettings(**{**own, **changed})


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 at its cheapest: what it costs an attacker is not what is tested here."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(secrets, "_hasher", quick)
    monkeypatch.setattr(secrets, "_NOBODY", quick.hash("nobody"))


@pytest.fixture
async def resources(postgres: EmbeddedPostgres) -> AsyncIterator[Resources]:
    """Resources of the gateway; its clock stands at NOW."""
    async with service_resources(postgres, "gateway", settings=settings()) as made:
        yield replace(made, tokens=TokenVerifier(ISSUER.public_key))


@pytest.fixture
async def owner(resources: Resources, postgres: EmbeddedPostgres) -> AsyncIterator[Database]:
    """The same database as its owner, who registers callers."""
    database = Database(postgres.url(urlsplit(resources.database.url).path.lstrip("/"), OWNER), pool_size=1)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def registered(owner: Database) -> None:
    """The callers of people.py."""
    await register_all(owner)


@pytest.fixture
def knock(resources: Resources) -> Knock:
    """``async with knock(upstream_apps, citizen_limit="3/hour") as client``: a gateway set up so."""

    @asynccontextmanager
    async def at_gateway(
        upstream_apps: Mapping[str, ASGIApp] | None = None, **changed: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        made = replace(resources, settings=settings(**changed))
        over_http = "upstream_urls" in changed
        app = create(made, None if over_http else upstream_apps or {})
        async with LifespanManager(app), client_of(app) as client:
            yield client

    return at_gateway
