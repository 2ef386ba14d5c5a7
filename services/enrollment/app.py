"""The enrollment service's web app."""

from __future__ import annotations

from fastapi import FastAPI

from libs.webapp.app import create_app
from libs.webapp.edge import Resources
from services.enrollment.composition import caseflow_of
from services.enrollment.routes import ROUTERS


def create(resources: Resources | None) -> FastAPI:
    """The app; without resources only its OpenAPI document can be made."""
    app = create_app("enrollment", "参保服务", ROUTERS, resources)
    if resources is not None:
        app.state.caseflow = caseflow_of(resources)
    return app
