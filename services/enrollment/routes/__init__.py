"""Routes under /v1/enrollment: who may, then one use case each."""

from __future__ import annotations

from fastapi import APIRouter

from services.enrollment.routes import contributions, employers, enrolments, funds, persons, rosters

ROUTERS: tuple[APIRouter, ...] = (
    employers.router,
    persons.router,
    enrolments.router,
    contributions.router,
    funds.router,
    rosters.router,
    rosters.watching,
)
