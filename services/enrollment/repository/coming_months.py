"""Years of residents whose record is behind the calendar."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.payments import Outcome
from services.enrollment.domain.transfers import LEAVING
from services.enrollment.models import Payment, Person, Transfer


async def lock_due(session: AsyncSession, this_month: str, limit: int) -> Sequence[Payment]:
    """Some years paid in one region whose months have come meanwhile; locked, others' are skipped."""
    # By the person's present key: the payment names the credential of its day.
    leaving = exists().where(
        Person.id == Payment.person_id,
        Transfer.region_code == Payment.region_code,
        Transfer.person_key == Person.person_key,
        Transfer.insurance_kind == Payment.insurance_kind,
        Transfer.state.in_([state.value for state in LEAVING]),
    )
    behind = select(Payment).where(
        Payment.outcome == Outcome.MATCHED.value,
        Payment.recorded_through.is_not(None),
        Payment.recorded_through < this_month,
        # A year paid ahead has nothing to record before its January.
        Payment.period <= this_month[:4],
        ~leaving,
    )
    rows = (
        (
            await session.execute(
                behind.order_by(Payment.region_code, Payment.file_id, Payment.row_no)
                .limit(limit)
                .with_for_update(skip_locked=True, of=Payment)
                .execution_options(populate_existing=True)
            )
        )
        .scalars()
        .all()
    )
    return [row for row in rows if row.region_code == rows[0].region_code]
