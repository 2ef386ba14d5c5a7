"""Routes under /v1/enrollment: who may, then one use case each."""

from __future__ import annotations

from fastapi import APIRouter

from libs.caseflow.routes import case_routes
from services.enrollment.routes import (
    contribution_files,
    contributions,
    deaths,
    employers,
    enrolments,
    funds,
    papers,
    payouts,
    person_history,
    person_merges,
    persons,
    reconciliations,
    retiree_credits,
    rosters,
    withdrawals,
)
from services.enrollment.schemas.applications import ApplicationBody, SupplementAction

ROUTERS: tuple[APIRouter, ...] = (
    persons.reads,  # first, because routers are tried one after the other: 10 µs each
    employers.router,
    persons.router,
    person_history.router,
    person_merges.router,
    enrolments.router,
    contributions.router,
    contribution_files.router,
    retiree_credits.router,
    reconciliations.router,
    funds.router,
    papers.router,
    papers.verification,
    rosters.router,
    rosters.watching,
    withdrawals.router,
    payouts.router,
    deaths.router,
    case_routes(ApplicationBody, SupplementAction),
)
