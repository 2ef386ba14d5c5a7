"""An officer has cured the cause: one row is tried again."""

from __future__ import annotations

from uuid import UUID

from libs.refusals.faults import Fault, conflict, not_found
from services.enrollment.domain.payments import OUTCOME_NAMES, Outcome
from services.enrollment.domain.tax_files.rows import PaymentKind
from services.enrollment.models import Payment
from services.enrollment.repository import contribution_files as files
from services.enrollment.service.contribution_files.attributing import attribute_all
from services.enrollment.service.contribution_files.batch import Batch
from services.enrollment.service.contribution_files.correcting import correct_all
from services.enrollment.service.contribution_files.receiving import require_received
from services.enrollment.service.desk import Desk


async def reapply(desk: Desk, file_id: UUID, row_no: int) -> Payment:
    """Try an unmatched row again; one that has matched since stays as it is. The row as it then stands.

    Raises Refusal: not found, or conflict for a row that nobody here can cure.
    """
    await require_received(desk, file_id)
    row = await files.lock_payment(desk.session, file_id, row_no)
    if row is None:
        raise not_found("no_row", f"该文件没有第{row_no}行。")
    if row.outcome == Outcome.MATCHED:
        return row
    if row.outcome != Outcome.UNMATCHED:
        message = f"第{row_no}行{OUTCOME_NAMES[Outcome(row.outcome)]}，不能重新归集。"
        raise conflict("not_unmatched", message, [Fault("not_unmatched", message)])
    batch = Batch(desk, row.region_code)
    apply_all = correct_all if row.kind == PaymentKind.CORRECTION else attribute_all
    await apply_all(batch, [row], received=True)
    await batch.write()
    await desk.session.refresh(row)
    return row
