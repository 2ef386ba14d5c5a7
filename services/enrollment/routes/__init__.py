"""Routes under /v1/enrollment: who may, then one use case each."""

from __future__ import annotations

from fastapi import APIRouter

from libs.caseflow.routes import case_routes
from services.enrollment.routes import (
    contributions,
    employers,
    enrolments,
    funds,
    person_history,
    person_merges,
    persons,
)
from services.enrollment.schemas.applications import ApplicationBody, SupplementAction

ROUTERS: tuple[APIRouter, ...] = (
    employers.router,
    persons.router,
    person_history.router,
    person_merges.router,
    enrolments.router,
    contributions.router,
    funds.router,
    case_routes(ApplicationBody, SupplementAction),
)
