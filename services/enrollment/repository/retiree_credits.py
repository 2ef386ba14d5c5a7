"""Runs of retirees' credits, and who is still to be credited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from libs.refusals.faults import not_found
from services.enrollment.domain.crediting.rules import Credit, first_day_of
from services.enrollment.models import RetireeCredit, RetireeRun
from services.enrollment.repository.contribution_files import APPLYING, DONE

# Retirees from the month after the enrolment as such began (本系统约定: the month of retiring is paid for
# as somebody working) to the month it ended. Locked in the order of the keys, as everywhere; a record that
# is merged while we wait for it is left to the next chunk, which finds the enrolment with the kept one.
_LOCK_RETIREES = text("""
    SELECT p.id, (
        SELECT e.declared_wage_fen FROM enrolments e
        WHERE e.person_id = p.id AND e.insurance_kind = '310' AND e.person_kind = 'retiree'
          AND e.started_on < :first_day AND (e.stopped_on IS NULL OR e.stopped_on >= :first_day)
        ORDER BY e.started_on DESC LIMIT 1) AS pension_fen
    FROM persons p
    WHERE p.id IN (
        SELECT e.person_id FROM enrolments e
        WHERE e.region_code = :region_code AND e.insurance_kind = '310' AND e.person_kind = 'retiree'
          AND e.started_on < :first_day AND (e.stopped_on IS NULL OR e.stopped_on >= :first_day)
          AND e.transferred_out_on IS NULL
          AND NOT EXISTS (SELECT FROM retiree_credits c WHERE c.person_id = e.person_id AND c.month = :month)
        ORDER BY e.person_id LIMIT :limit)
      AND p.merged_into IS NULL
    ORDER BY p.person_key FOR NO KEY UPDATE OF p
""")


@dataclass(frozen=True)
class Retiree:
    """Somebody to credit; ``pension_fen`` as declared, None where it is not known here."""

    person_id: UUID
    pension_fen: int | None


@dataclass(frozen=True)
class DueCredit:
    """What a retiree gets, and by which rule."""

    retiree: Retiree
    credit: Credit


async def start(session: AsyncSession, region_code: str, month: str, *, by: str, at: dt.datetime) -> None:
    """A run, if there is none yet; one that was done is opened again for those who came in since."""
    new = {"region_code": region_code, "month": month, "state": APPLYING, "asked_by": by, "asked_at": at}
    await session.execute(
        insert(RetireeRun)
        .values(new)
        .on_conflict_do_update(
            index_elements=["region_code", "month"], set_={"state": APPLYING, "finished_at": None}
        )
    )


async def find(session: AsyncSession, region_code: str, month: str) -> RetireeRun:
    """The run of a month. Raises Refusal (not found)."""
    run = await session.get(RetireeRun, (region_code, month), populate_existing=True)
    if run is None:
        raise not_found("no_run", f"{month}尚未办理退休人员个人账户划入，或不在您可查询的统筹区内。")
    return run


async def sums(session: AsyncSession, region_code: str, month: str) -> tuple[int, int]:
    """How many people a run has credited, and with how much, in fen."""
    query = select(func.count(), func.coalesce(func.sum(RetireeCredit.amount_fen), 0)).where(
        RetireeCredit.region_code == region_code, RetireeCredit.month == month
    )
    count, total_fen = (await session.execute(query)).one()
    return count, int(total_fen)


async def next_run(session: AsyncSession) -> RetireeRun | None:
    """A run to work on that nobody else is at, locked."""
    query = (
        select(RetireeRun)
        .where(RetireeRun.state == APPLYING)
        .order_by(RetireeRun.asked_at, RetireeRun.region_code, RetireeRun.month)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def lock_retirees(session: AsyncSession, region_code: str, month: str, limit: int) -> list[Retiree]:
    """The next retirees not credited for this month, locked."""
    wanted = {"region_code": region_code, "month": month, "limit": limit, "first_day": first_day_of(month)}
    return [Retiree(row.id, row.pension_fen) for row in await session.execute(_LOCK_RETIREES, wanted)]


async def add(session: AsyncSession, run: RetireeRun, due: Sequence[DueCredit], at: dt.datetime) -> None:
    """Keep what was credited and why."""
    common = {"region_code": run.region_code, "month": run.month, "credited_at": at}
    rows = [
        {
            **common,
            "person_id": each.retiree.person_id,
            "amount_fen": each.credit.amount_fen,
            "rule": each.credit.rule,
        }
        for each in due
    ]
    await session.execute(insert(RetireeCredit), rows)


async def finish(session: AsyncSession, run: RetireeRun, at: dt.datetime) -> None:
    """Everybody has been credited."""
    await session.execute(
        update(RetireeRun)
        .where(RetireeRun.region_code == run.region_code, RetireeRun.month == run.month)
        .values(state=DONE, finished_at=at)
    )
