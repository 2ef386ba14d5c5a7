"""The reimbursement service (待遇核准支付): health only, until its issue comes."""

from __future__ import annotations

from fastapi import FastAPI

from libs.webapp.app import create_app
from libs.webapp.edge import Resources

TITLE = "待遇核准支付"


def create(resources: Resources | None) -> FastAPI:
    """The service's app. ``resources`` may be None only to generate the OpenAPI document."""
    return create_app("reimbursement", TITLE, [], resources)
