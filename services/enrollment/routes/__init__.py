"""Routes under /v1/enrollment: who may, then one use case each."""

from __future__ import annotations

from fastapi import APIRouter

from libs.caseflow.routes import case_routes
from services.enrollment.routes import (
    contributions,
    deaths,
    employers,
    enrolments,
    funds,
    payouts,
    persons,
    withdrawals,
)
from services.enrollment.schemas.applications import ApplicationBody, SupplementAction

ROUTERS: tuple[APIRouter, ...] = (
    employers.router,
    persons.router,
    enrolments.router,
    contributions.router,
    funds.router,
    withdrawals.router,
    payouts.router,
    deaths.router,
    case_routes(ApplicationBody, SupplementAction),
)
