"""Routes under /v1/enrollment: who may, then one use case each."""

from __future__ import annotations

from fastapi import APIRouter

from services.enrollment.routes import (
    contribution_files,
    contributions,
    employers,
    enrolments,
    funds,
    persons,
    reconciliations,
    retiree_credits,
)

ROUTERS: tuple[APIRouter, ...] = (
    employers.router,
    persons.router,
    enrolments.router,
    contributions.router,
    contribution_files.router,
    retiree_credits.router,
    reconciliations.router,
    funds.router,
)
