"""The gateway: the one door. Signs callers in, shows the catalogue, forwards everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from libs.webapp.app import VERSION, create_app
from libs.webapp.edge import Resources
from libs.webapp.openapi_merge import with_problem_media_type
from services.gateway.routes import (
    catalogue,
    document,
    forwarding,
    refusals,
    sign_in,
)
from services.gateway.routes import (
    public_document as public,
)
from services.gateway.routes.runtime import Gateway
from services.gateway.service.upstreams import InProcess, OverHttp
from services.gateway.settings import GatewaySettings

TITLE = "医疗保障经办"


def create(resources: Resources | None, upstream_apps: Mapping[str, ASGIApp] | None = None) -> FastAPI:
    """The gateway's app. ``resources`` may be None only to generate the OpenAPI document.

    ``upstream_apps`` are the services (by name) that run in this process; without them the
    services are called over HTTP at ``upstream_urls``. Raises TypeError unless the resources'
    settings are ``GatewaySettings``.
    """
    routers = [sign_in.router, sign_in.token_router, catalogue.router]
    app = create_app("gateway", TITLE, routers, resources)
    refusals.install(app)
    if resources is not None:
        _open(app, resources, upstream_apps)
    return app


def public_document(services: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The one API document, from the documents of all services behind (by name)."""
    own = with_problem_media_type(create(None).openapi())
    return public.unite(TITLE, VERSION, own, services)


def _open(app: FastAPI, resources: Resources, upstream_apps: Mapping[str, ASGIApp] | None) -> None:
    settings = resources.settings
    if not isinstance(settings, GatewaySettings):
        raise TypeError("the gateway needs GatewaySettings")
    upstreams = (
        OverHttp(settings)
        if upstream_apps is None
        else InProcess(upstream_apps, settings.upstream_answer_timeout_s)
    )
    app.state.gateway = Gateway.of(resources, settings, upstreams)
    document.install(app, settings.openapi_file)
    # In front: they are nearly all requests, and looking through FastAPI's own routes costs 60 µs.
    app.router.routes[:0] = forwarding.routes()

    @asynccontextmanager
    async def open_until_shutdown(_: FastAPI) -> AsyncIterator[None]:
        yield
        await upstreams.close()

    app.router.lifespan_context = open_until_shutdown
