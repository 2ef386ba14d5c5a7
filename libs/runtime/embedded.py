"""The embedded size: PostgreSQL, all services and all workers in one process.

Everything an installation owns lives in one folder: the database, its secrets, the seals of the
agencies it hosts. The same services, migrations and rights as in production; nothing but Python
is needed.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI
from pydantic import SecretStr

from libs.casework.clock import Clock, SystemClock
from libs.eventbus.tables import create_log
from libs.runtime import composition
from libs.runtime.databases import OWNER, SERVICES, login_of
from libs.runtime.fresh_secrets import fresh_secrets
from libs.runtime.generated_settings import settings_of
from libs.runtime.postgres import EmbeddedPostgres
from libs.runtime.provisioning import ProvisioningSettings, prepare
from libs.runtime.seals import keep_paper_seals, keep_seals
from libs.webapp.edge import Resources
from libs.webapp.settings import EventTransport, ServiceSettings

log = structlog.get_logger(__name__)

Progress = Callable[[str], None]
GATEWAY = "gateway"
INNER_SERVICES = tuple(service for service in SERVICES if service != GATEWAY)


@dataclass(frozen=True)
class Installation:
    """A running embedded installation. ``gateway`` is the one door; the rest is for operators."""

    gateway: FastAPI
    resources: dict[str, Resources]
    postgres: EmbeddedPostgres


@asynccontextmanager
async def embedded(
    folder: Path,
    *,
    gateway_url: str,
    clock: Clock | None = None,
    edition_pins: dict[str, str] | None = None,
    postgres_settings: dict[str, str] | None = None,
    progress: Progress = lambda _: None,
) -> AsyncIterator[Installation]:
    """Start everything in ``folder`` and stop it at the end.

    ``gateway_url`` is where the caller is going to serve ``gateway``: agencies of this
    deployment exchange their messages through it like everybody else.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        progress("启动 PostgreSQL 18")
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres", postgres_settings))
        secrets = _kept_secrets(folder / "secrets.json")
        keys_folder = keep_seals(folder / "exchange-keys")
        paper_seals_folder = keep_paper_seals(folder / "paper-seals")
        progress("建库、授权、迁移")
        await prepare(ProvisioningSettings(admin_url=SecretStr(postgres.url("postgres"))))
        await _prepare_event_log(postgres)
        common = {
            "event_transport": EventTransport.POSTGRES,
            "event_log_url": postgres.url("eventbus", login_of("eventbus")),
            "gateway_url": gateway_url,
            "token_public_key": secrets["TOKEN_PUBLIC_KEY"],
            "token_private_key": secrets["TOKEN_PRIVATE_KEY"],
            "field_key": secrets["FIELD_KEY"],
            "blind_index_key": secrets["BLIND_INDEX_KEY"],
            "edition_pins": edition_pins or {},
            "exchange_keys_folder": keys_folder,
            "paper_seals_folder": paper_seals_folder,
        }
        progress("启动各服务")
        resources = {
            service: await stack.enter_async_context(
                composition.resources_of(_settings(service, postgres, common), clock or SystemClock())
            )
            for service in SERVICES
        }
        apps = {service: composition.create_app(service, resources[service]) for service in INNER_SERVICES}
        gateway = composition.create_app(GATEWAY, resources[GATEWAY], upstream_apps=apps)
        await stack.enter_async_context(_workers(resources))
        yield Installation(gateway, resources, postgres)


@asynccontextmanager
async def _workers(resources: dict[str, Resources]) -> AsyncIterator[None]:
    """All workers as tasks; each has its own transport, as it would in a process of its own."""
    tasks = [
        asyncio.create_task(_work(service, resources[service]), name=f"worker-{service}")
        for service in SERVICES
        if composition.worker_of(service)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for task, outcome in zip(tasks, outcomes, strict=True):
            if isinstance(outcome, Exception):
                log.error("worker_ended", worker=task.get_name(), error=repr(outcome))


async def _work(service: str, resources: Resources) -> None:
    run = composition.worker_of(service)
    assert run is not None, f"{service} has a worker"
    async with composition.transport_of(resources.settings) as transport:
        await run(resources, transport)


def _settings(service: str, postgres: EmbeddedPostgres, common: dict[str, Any]) -> ServiceSettings:
    model = settings_of(service)
    known = {name: value for name, value in common.items() if name in model.model_fields}
    return model(database_url=postgres.url(service, login_of(service)), **known)


async def _prepare_event_log(postgres: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(postgres.url("eventbus", OWNER))
    try:
        await create_log(connection)
    finally:
        await connection.close()


def _kept_secrets(path: Path) -> dict[str, str]:
    """This installation's own secrets, made at the first start, readable by their owner only."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(fresh_secrets(), file)
    secrets: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return secrets
