"""Requests to merge two records, and what goes over from one to the other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.tables import cases
from services.enrollment.domain.deaths import NoticeState
from services.enrollment.domain.payouts import ENDED
from services.enrollment.models import (
    DeathNotice,
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

# What stood twice was left with the merged record. Where the kept one has given its own up (a red entry),
# the other counts: it was paid, and its money is on the kept record's account.
_MONTHS_COME_HOME = text("""
    UPDATE contribution_months AS m SET person_id = next.kept_id
    FROM (
        SELECT DISTINCT ON (p.merged_into, d.counts_as, d.month)
               p.merged_into AS kept_id, d.person_id, d.counts_as, d.month
        FROM persons p JOIN contribution_months d ON d.person_id = p.id
        WHERE p.merged_into = ANY(CAST(:kept_ids AS uuid[])) AND NOT EXISTS (
            SELECT 1 FROM contribution_months k
            WHERE k.person_id = p.merged_into AND k.counts_as = d.counts_as AND k.month = d.month)
        ORDER BY p.merged_into, d.counts_as, d.month, d.person_id
    ) AS next
    WHERE m.person_id = next.person_id AND m.counts_as = next.counts_as AND m.month = next.month
""")
_YEARS_COME_HOME = text("""
    UPDATE contribution_payments AS y SET person_id = next.kept_id
    FROM (
        SELECT DISTINCT ON (p.merged_into, d.insurance_kind, d.period)
               p.merged_into AS kept_id, d.file_id, d.row_no
        FROM persons p JOIN contribution_payments d ON d.person_id = p.id
        WHERE p.merged_into = ANY(CAST(:kept_ids AS uuid[]))
          AND d.outcome = 'matched' AND length(d.period) = 4 AND d.kind <> 'correction'
          AND NOT EXISTS (
            SELECT 1 FROM contribution_payments k
            WHERE k.person_id = p.merged_into AND k.insurance_kind = d.insurance_kind
              AND k.period = d.period AND k.outcome = 'matched' AND k.kind <> 'correction')
        ORDER BY p.merged_into, d.insurance_kind, d.period, d.file_id, d.row_no
    ) AS next
    WHERE y.file_id = next.file_id AND y.row_no = next.row_no
""")

# A resident's year that both have paid stays where it is, like a month (ux_contribution_payments_year).
_MOVE_PAYMENTS = text("""
    UPDATE contribution_payments AS p SET person_id = :keep_id
    WHERE p.person_id = :merge_id AND NOT EXISTS (
        SELECT 1 FROM contribution_payments k
        WHERE k.person_id = :keep_id AND k.insurance_kind = p.insurance_kind AND k.period = p.period
          AND length(p.period) = 4 AND k.outcome = 'matched' AND k.kind <> 'correction'
          AND p.outcome = 'matched' AND p.kind <> 'correction')
""")
# Only one account each stands for a fund: what was credited to a merged record is on the kept one's now.
_SUCCEEDING_ACCOUNTS = text("""
    SELECT a.id, k.id AS kept_account FROM ledger_accounts a
    JOIN persons p ON p.id = CAST(a.owner AS uuid)
    JOIN ledger_accounts k ON k.region_code = a.region_code AND k.fund = a.fund AND k.kind = a.kind
        AND k.owner = p.merged_into::text
    WHERE a.id = ANY(CAST(:ids AS uuid[])) AND a.kind = 'personal_account'
""")


async def lock_payments(session: AsyncSession, person_ids: Collection[UUID]) -> None:
    """Lock the people's payments, before the people: so does whoever takes back or completes one."""
    query = select(Payment.row_no).where(Payment.person_id.in_(person_ids))
    await session.execute(query.order_by(Payment.file_id, Payment.row_no).with_for_update())


async def come_home(session: AsyncSession, kept_ids: Collection[UUID]) -> None:
    """Months and years left with merged records go over where the kept one, locked, has them no more."""
    if kept_ids:
        wanted = {"kept_ids": sorted(kept_ids)}
        await session.execute(_MONTHS_COME_HOME, wanted)
        await session.execute(_YEARS_COME_HOME, wanted)


async def succeeding_accounts(session: AsyncSession, account_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Personal accounts of merged records -> the kept record's; those of other people are missing."""
    rows = await session.execute(_SUCCEEDING_ACCOUNTS, {"ids": sorted(account_ids)})
    return {row.id: row.kept_account for row in rows}


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

    A month credited to a retiree, a resident's year paid under both records stays where it was: the
    money has moved. A death goes over, so that it is known when told again, and may be revoked.
    """
    paper = update(Paper).where(Paper.person_id == merge.id)
    await session.execute(paper.values(person_id=keep.id, person_key=keep.person_key))
    await session.execute(_MOVE_PAYMENTS, {"keep_id": keep.id, "merge_id": merge.id})
    credited = select(RetireeCredit.month).where(RetireeCredit.person_id == keep.id)
    await session.execute(
        update(RetireeCredit)
        .where(RetireeCredit.person_id == merge.id, RetireeCredit.month.not_in(credited))
        .values(person_id=keep.id)
    )
    died = select(DeathNotice.id).where(
        DeathNotice.person_id == keep.id, DeathNotice.state != NoticeState.REVOKED.value
    )
    await session.execute(
        update(DeathNotice)
        .where(
            DeathNotice.person_id == merge.id,
            or_(DeathNotice.state == NoticeState.REVOKED.value, ~died.exists()),
        )
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
