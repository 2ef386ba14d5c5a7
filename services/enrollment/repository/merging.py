"""Requests to merge two records, and what goes over from one to the other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.tables import cases
from services.enrollment.domain.payouts import ENDED
from services.enrollment.models import (
    Enrolment,
    Paper,
    Payment,
    Person,
    PersonMerge,
    RetireeCredit,
    Transfer,
    Withdrawal,
)

# A month that both have stays where it is: the merged record is read no more.
_MOVE_MONTHS = text("""
    UPDATE contribution_months AS m SET person_id = :keep_id
    WHERE m.person_id = :merge_id AND NOT EXISTS (
        SELECT 1 FROM contribution_months k
        WHERE k.person_id = :keep_id AND k.counts_as = m.counts_as AND k.month = m.month)
    RETURNING m.month
""")


async def add_merge(session: AsyncSession, merge: PersonMerge) -> bool:
    """Store a request; False if another one for the same record is pending."""
    statement = insert(PersonMerge).values(merge.values()).on_conflict_do_nothing().returning(PersonMerge.id)
    return await session.scalar(statement) is not None


async def find_merge(session: AsyncSession, merge_id: UUID, *, lock: bool = False) -> PersonMerge | None:
    """The request with this key; ``lock`` keeps other decisions waiting."""
    query = select(PersonMerge).where(PersonMerge.id == merge_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(query)).scalar_one_or_none()


async def merges_of(
    session: AsyncSession, region_code: str, state: str | None, *, after: UUID | None, limit: int
) -> Sequence[PersonMerge]:
    """A page of the region's requests, newest first."""
    query = select(PersonMerge).where(PersonMerge.region_code == region_code)
    if state is not None:
        query = query.where(PersonMerge.state == state)
    if after is not None:
        query = query.where(PersonMerge.id < after)
    return (await session.execute(query.order_by(PersonMerge.id.desc()).limit(limit))).scalars().all()


async def move_enrolments(session: AsyncSession, merge: Person, keep: Person) -> list[UUID]:
    """Every enrolment is the kept record's from now on; which they were."""
    statement = (
        update(Enrolment)
        .where(Enrolment.person_id == merge.id)
        .values(person_id=keep.id, person_key=keep.person_key, version=Enrolment.version + 1)
        .returning(Enrolment.id)
    )
    return sorted((await session.execute(statement)).scalars().all())


async def move_months(session: AsyncSession, merge: Person, keep: Person) -> int:
    """The months the kept record does not have go over; how many."""
    moved = await session.execute(_MOVE_MONTHS, {"keep_id": keep.id, "merge_id": merge.id})
    return len(moved.all())


async def move_transfers(session: AsyncSession, merge: Person, keep: Person) -> None:
    """Ended transfers stand under the kept record's key."""
    await session.execute(
        update(Transfer)
        .where(Transfer.region_code == merge.region_code, Transfer.person_key == merge.person_key)
        .values(person_key=keep.person_key)
    )


async def move_papers_and_payments(session: AsyncSession, merge: Person, keep: Person) -> None:
    """Papers are the kept person's to read; payments and credits stand in the kept record.

    A month credited to a retiree under both records stays where it was: the money has moved.
    """
    paper = update(Paper).where(Paper.person_id == merge.id)
    await session.execute(paper.values(person_id=keep.id, person_key=keep.person_key))
    payment = update(Payment).where(Payment.person_id == merge.id)
    await session.execute(payment.values(person_id=keep.id))
    credited = select(RetireeCredit.month).where(RetireeCredit.person_id == keep.id)
    await session.execute(
        update(RetireeCredit)
        .where(RetireeCredit.person_id == merge.id, RetireeCredit.month.not_in(credited))
        .values(person_id=keep.id)
    )


async def open_withdrawals(session: AsyncSession, person_id: UUID) -> Sequence[str]:
    """Numbers of the person's withdrawals that are approved and not ended, whoever applied."""
    query = select(Withdrawal.case_no).where(
        Withdrawal.person_id == person_id, Withdrawal.state.not_in([state.value for state in ENDED])
    )
    return (await session.execute(query.order_by(Withdrawal.case_no))).scalars().all()


async def redirect_earlier_merges(session: AsyncSession, merge: Person, keep: Person) -> None:
    """Whatever was merged into the one that ends now leads to the one that goes on: never two steps."""
    await session.execute(update(Person).where(Person.merged_into == merge.id).values(merged_into=keep.id))


async def open_cases(
    session: AsyncSession, region_code: str, operation: str, subject_keys: Collection[str]
) -> Sequence[str]:
    """Numbers of the region's cases of this operation that have not ended, by their applicants."""
    query = (
        select(cases.c.case_no)
        .where(
            cases.c.region_code == region_code,
            cases.c.operation == operation,
            cases.c.subject_key.in_(subject_keys),
            cases.c.ended_at.is_(None),
        )
        .order_by(cases.c.case_no)
    )
    return (await session.execute(query)).scalars().all()
