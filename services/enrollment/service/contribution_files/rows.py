"""Rows of a file for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from libs.protection.fields import FieldProtector
from services.enrollment.domain.payments import Outcome
from services.enrollment.models import Payment
from services.enrollment.repository import contribution_files as files
from services.enrollment.service.contribution_files.receiving import context_of, require_received
from services.enrollment.service.desk import Desk


async def page(
    desk: Desk, file_id: UUID, outcome: Outcome | None, after_row_no: int, limit: int
) -> Sequence[Payment]:
    """Rows after one, in order. Raises Refusal (not found)."""
    await require_received(desk, file_id)
    return await files.page_of(desk.session, file_id, outcome, after_row_no, limit)


def number_of(protector: FieldProtector, row: Payment) -> str | None:
    """The credential's number in clear text, where it could be read: to be masked."""
    if row.credential is None:
        return None
    return protector.decrypt(row.credential, context_of(row, "credential"))
