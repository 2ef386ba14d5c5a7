"""The facility settlement service (定点协议与费用结算): health only, until its issue comes."""

from __future__ import annotations

from fastapi import FastAPI

from libs.webapp.app import create_app
from libs.webapp.edge import Resources

TITLE = "定点协议与费用结算"


def create(resources: Resources | None) -> FastAPI:
    """The service's app. ``resources`` may be None only to generate the OpenAPI document."""
    return create_app("settlement", TITLE, [], resources)
