"""Put a service together: settings, resources, web app, worker, transport.

Services are loaded by their dotted names at run time, so no lib depends on any of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import FastAPI

from libs.casework.clock import Clock, SystemClock
from libs.eventbus.transport import Transport
from libs.eventbus.transports.kafka import KafkaTransport
from libs.eventbus.transports.memory import MemoryTransport
from libs.eventbus.transports.postgres_log import PostgresLogTransport
from libs.protection.fields import FieldProtector
from libs.webapp.callers import TokenVerifier
from libs.webapp.database import Database
from libs.webapp.edge import Resources
from libs.webapp.settings import EventTransport, ServiceSettings, secret_bytes

WorkerRun = Callable[[Resources, Transport], Awaitable[None]]


@asynccontextmanager
async def resources_of(settings: ServiceSettings, clock: Clock | None = None) -> AsyncIterator[Resources]:
    """What a service's requests and workers share; its connections are closed at the end."""
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    try:
        yield Resources(
            settings=settings,
            database=database,
            clock=clock or SystemClock(),
            protector=FieldProtector(
                {settings.field_key_id: secret_bytes(settings.field_key)},
                settings.field_key_id,
                secret_bytes(settings.blind_index_key),
            ),
            tokens=TokenVerifier(settings.token_public_key),
        )
    finally:
        await database.close()


@asynccontextmanager
async def transport_of(settings: ServiceSettings) -> AsyncIterator[Transport]:
    """The transport the settings name."""
    transport: Transport
    match settings.event_transport:
        case EventTransport.KAFKA:
            transport = KafkaTransport(settings.kafka_bootstrap)
        case EventTransport.POSTGRES:
            transport = PostgresLogTransport(settings.event_log_url)
        case EventTransport.MEMORY:
            transport = MemoryTransport()
    try:
        yield transport
    finally:
        await transport.close()


def create_app(service: str, resources: Resources | None, **more: Any) -> FastAPI:
    """The service's web app (``services.<service>.app.create``)."""
    return cast(FastAPI, _module(service, "app").create(resources, **more))


def worker_of(service: str) -> WorkerRun | None:
    """The service's worker (``services.<service>.worker.run``), or None if it has none."""
    if importlib.util.find_spec(f"services.{service}.worker") is None:
        return None
    run = _module(service, "worker").run
    assert inspect.iscoroutinefunction(run), f"services.{service}.worker.run is a coroutine function"
    return cast(WorkerRun, run)


def _module(service: str, room: str) -> Any:
    return importlib.import_module(f"services.{service}.{room}")
