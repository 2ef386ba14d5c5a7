"""The tracking service (办件进度): what everybody asks about cases, fed by events only."""

from __future__ import annotations

from fastapi import FastAPI

from libs.webapp.app import create_app
from libs.webapp.edge import Resources
from services.tracking.routes import router

TITLE = "办件进度"


def create(resources: Resources | None) -> FastAPI:
    """The service's app. ``resources`` may be None only to generate the OpenAPI document."""
    return create_app("tracking", TITLE, [router], resources)
