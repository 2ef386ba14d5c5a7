"""The worker's chunk: some rows of the oldest file, all in one transaction with what has come of them.

Killed in the middle, nothing of the chunk has happened and the next worker takes it from the start:
a row is pending until the transaction that moves its money commits.
"""

from __future__ import annotations

from services.enrollment.domain.tax_files.rows import PaymentKind
from services.enrollment.repository import contribution_files as files
from services.enrollment.service.contribution_files.attributing import attribute_all
from services.enrollment.service.contribution_files.batch import Batch
from services.enrollment.service.contribution_files.correcting import correct_all
from services.enrollment.service.desk import Desk

CHUNK_ROWS = 500
"""Large enough that the statements of a chunk weigh little, small enough that clerks do not wait long for
the people and the region's accounts it locks."""


async def apply_chunk(desk: Desk, limit: int = CHUNK_ROWS) -> bool:
    """Work on the next rows, if there is a file free to work on; whether there was one.

    Raises LedgerRefusal (InsufficientFunds) where an account was spent from between look and posting:
    nothing has happened then, and the next attempt sees the new balance.
    """
    file = await files.next_file(desk.session)
    if file is None:
        return False
    rows = await files.next_payments(desk.session, file.id, limit)
    if not rows:
        await files.finish(desk.session, file, desk.now)
        return True
    batch = Batch(desk, file.region_code)
    apply_all = correct_all if rows[0].kind == PaymentKind.CORRECTION else attribute_all
    await apply_all(batch, rows, received=False)
    await batch.write()
    return True
