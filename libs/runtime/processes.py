"""One process of the production size: a service's web app, or its worker with a health door."""

from __future__ import annotations

import asyncio

from libs.runtime import composition
from libs.runtime.generated_settings import settings_of
from libs.runtime.serving import listening_socket, served
from libs.webapp.app import create_app


async def serve_service(service: str, host: str, port: int) -> None:
    """Serve a service until cancelled; its settings come from the environment."""
    async with composition.resources_of(settings_of(service)()) as resources:
        app = composition.create_app(service, resources)
        async with served(app, listening_socket(host, port)):
            await asyncio.get_running_loop().create_future()


async def work_service(service: str, host: str, port: int) -> None:
    """Run a service's worker until cancelled, answering /healthz, /readyz and /metrics beside it."""
    run = composition.worker_of(service)
    if run is None:
        raise SystemExit(f"{service} has no worker")
    settings = settings_of(service)()
    async with (
        composition.resources_of(settings) as resources,
        composition.transport_of(settings) as transport,
        served(create_app(f"{service}-worker", service, [], resources), listening_socket(host, port)),
    ):
        await run(resources, transport)
