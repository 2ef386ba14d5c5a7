"""The enrollment service's web app."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute

from libs.webapp.app import create_app
from libs.webapp.callers import bearer_token
from libs.webapp.edge import Handler, Resources, resources_of
from services.enrollment.composition import caseflow_of
from services.enrollment.routes import ROUTERS, papers, persons


def create(resources: Resources | None) -> FastAPI:
    """The app; without resources only its OpenAPI document can be made."""
    app = create_app("enrollment", "参保服务", [_look_ups(), _verification(), *ROUTERS], resources)
    if resources is not None:
        app.state.caseflow = caseflow_of(resources)
    return app


class LookUpRoute(APIRoute):
    """A look-up sent by POST to keep its key out of the URL: authenticated, one transaction.

    Needs no Idempotency-Key, because nothing is written, and keeps no copy of its answer.
    """

    def get_route_handler(self) -> Handler:
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            resources = resources_of(request)
            caller = resources.tokens.caller_of(bearer_token(request))
            request.state.caller = caller
            async with resources.database.transaction(caller.regions) as session:
                request.state.session = session
                return await endpoint(request)

        return handle


def _look_ups() -> APIRouter:
    router = APIRouter(prefix=persons.router.prefix, tags=["参保人员"], route_class=LookUpRoute)
    router.post("/search", summary="按证件号码查询人员")(persons.search_person)
    return router


def _verification() -> APIRouter:
    router = APIRouter(prefix=papers.router.prefix, tags=["凭证"], route_class=LookUpRoute)
    verify = router.post("/papers/verify", summary="核验凭证的电子签章", openapi_extra=papers.PDF_BODY)
    verify(papers.verify_paper)
    return router
