"""Reconciliation of a month, and arrears."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from services.enrollment.domain.crediting.rules import first_day_of, month_after
from services.enrollment.domain.months import month_of
from services.enrollment.domain.reconciling import Arrears, Place, Reconciliation, due_months
from services.enrollment.models import Employer
from services.enrollment.repository import reconciling
from services.enrollment.repository.reconciling import ArrearsPage
from services.enrollment.service.desk import Desk

log = structlog.get_logger(__name__)


async def reconcile(desk: Desk, region_code: str, month: str) -> Reconciliation:
    """The month as it stands now, in four statements whatever the number of people."""
    session, after = desk.session, first_day_of(month_after(month))
    told = Reconciliation(
        region_code=region_code,
        month=month,
        heads=await reconciling.heads(session, region_code, month),
        books=await reconciling.books(session, region_code, month),
        payments=await reconciling.payments(session, region_code, [month, month[:4]]),
        coverage=await reconciling.coverage(session, region_code, month, first_day_of(month), after),
    )
    if told.difference_fen or told.ledger_difference_fen:
        # Cannot be: rows and postings are written together. Shown to the officer, and an alarm here.
        log.error(
            "contribution_books_differ",
            region_code=region_code,
            month=month,
            difference_fen=told.difference_fen,
            ledger_difference_fen=told.ledger_difference_fen,
        )
    return told


async def arrears(
    desk: Desk,
    region_code: str,
    *,
    employer_id: UUID | None,
    person_id: UUID | None,
    after: Place | None,
    limit: int,
) -> list[Arrears]:
    """Months due and not paid (person, kind, employer, months), in one statement."""
    months = due_months(month_of(desk.today))
    page = ArrearsPage(region_code, months, employer_id, person_id, after, limit)
    return await reconciling.arrears(desk.session, page)


async def told_of_arrears(desk: Desk, employers: Sequence[Employer]) -> list[str]:
    """A sentence for each of the employers that owes contributions (本系统约定: no employer ends unseen)."""
    months = due_months(month_of(desk.today))
    found = []
    for employer in employers:
        owed = await reconciling.owed_by(desk.session, employer.region_code, employer.id, months)
        found += [owed.sentence(employer.name)] if owed else []
    return found
