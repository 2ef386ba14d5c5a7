"""The app factory: every service's web app is made here, so all behave alike."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from libs.webapp import problems
from libs.webapp.callers import NotSignedInError
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from libs.webapp.telemetry import MeasuredApp, metrics_response

VERSION = "0.1.0"


def create_app(
    service: str, title: str, routers: Sequence[APIRouter], resources: Resources | None
) -> FastAPI:
    """A service's app. ``resources`` may be None only to generate the OpenAPI document."""
    app = FastAPI(
        title=title,
        version=VERSION,
        docs_url=None,  # FastAPI's own pages load from other hosts; the gateway serves /docs itself
        redoc_url=None,
        generate_unique_id_function=operation_id,
        responses={"default": {"model": problems.Problem, "description": "未成功：problem+json"}},
        separate_input_output_schemas=False,
    )
    app.state.resources = resources
    app.state.service = service
    problems.install(app)
    _answer_unauthenticated(app)
    for router in routers:
        app.include_router(router)
    app.include_router(_health_router())
    app.add_middleware(MeasuredApp, service=service)
    return app


def operation_id(route: APIRoute) -> str:
    """Stable operation ids: the endpoint's name."""
    return route.name


def _answer_unauthenticated(app: FastAPI) -> None:
    @app.exception_handler(NotSignedInError)
    async def _not_signed_in(request: Request, _: NotSignedInError) -> JSONResponse:
        response = problems.problem_response(
            request,
            401,
            "not_signed_in",
            "请先取得访问令牌（POST /v1/auth/token），并放在Authorization头中。",
        )
        response.headers["WWW-Authenticate"] = "Bearer"
        return response


def _health_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz(request: Request) -> Response:
        try:
            async with request.app.state.resources.database.transaction(ALL_REGIONS) as session:
                await session.execute(text("SELECT 1"))
        except (DBAPIError, OSError) as error:
            return problems.problem_response(
                request, 503, "database", f"数据库不可用：{type(error).__name__}。"
            )
        return JSONResponse({"status": "ready"})

    @router.get("/metrics")
    async def metrics() -> Response:
        return metrics_response()

    return router
