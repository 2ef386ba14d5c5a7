"""Enrolments, here and (as far as the law lets us know) elsewhere."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind, counts_as
from services.enrollment.models import Employer, Enrolment

_ELSEWHERE = text("SELECT * FROM enrolments_elsewhere(:person_key, :region_code, :counts_as, :from_day)")


async def add_enrolment(session: AsyncSession, enrolment: Enrolment) -> bool:
    """Store a new enrolment; False if another active one was stored first, here or elsewhere."""
    statement = insert(Enrolment).values(enrolment.values()).on_conflict_do_nothing().returning(Enrolment.id)
    return await session.scalar(statement) is not None


async def find_enrolment(
    session: AsyncSession, enrolment_id: UUID
) -> tuple[Enrolment, Employer | None] | None:
    """The enrolment with this key, as it is now, and its employer."""
    query = (
        select(Enrolment, Employer)
        .outerjoin(Employer, Employer.id == Enrolment.employer_id)
        .where(Enrolment.id == enrolment_id)
        .execution_options(populate_existing=True)  # a second look is taken under the person's lock
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1])


async def spells_here(session: AsyncSession, person_id: UUID) -> list[Spell]:
    """All stretches of the person's enrolment in the region, oldest first."""
    query = (
        select(Enrolment, Employer)
        .outerjoin(Employer, Employer.id == Enrolment.employer_id)
        .where(Enrolment.person_id == person_id)
        .order_by(Enrolment.started_on, Enrolment.id)
        .execution_options(populate_existing=True)  # a second look is taken under the person's lock
    )
    return [spell_of(enrolment, employer) for enrolment, employer in await session.execute(query)]


async def spells_elsewhere(
    session: AsyncSession, person_key: str, region_code: str, kind: InsuranceKind, from_day: dt.date
) -> list[Spell]:
    """Where else in this database the person is enrolled on or after ``from_day`` in what counts the same."""
    wanted = {"person_key": person_key, "region_code": region_code, "counts_as": counts_as(kind)}
    rows = await session.execute(_ELSEWHERE, {**wanted, "from_day": from_day})
    return [
        Spell(
            region_code=row.region_code,
            insurance_kind=InsuranceKind(row.insurance_kind),
            person_kind=PersonKind(row.person_kind),
            started_on=row.started_on,
            stopped_on=row.stopped_on,
        )
        for row in rows
    ]


async def mark_transferred_out(
    session: AsyncSession, person_id: UUID, kind: InsuranceKind, on: dt.date
) -> None:
    """The person's stopped enrolments of this kind have left with a transfer."""
    await session.execute(
        update(Enrolment)
        .where(
            Enrolment.person_id == person_id,
            Enrolment.insurance_kind == kind.value,
            Enrolment.stopped_on.is_not(None),
            Enrolment.transferred_out_on.is_(None),
        )
        .values(transferred_out_on=on, version=Enrolment.version + 1)
    )


async def count_active(session: AsyncSession, employer_id: UUID) -> int:
    """How many active enrolments an employer has."""
    query = select(func.count()).where(Enrolment.employer_id == employer_id, Enrolment.stopped_on.is_(None))
    return (await session.execute(query)).scalar_one()


def spell_of(enrolment: Enrolment, employer: Employer | None) -> Spell:
    """The row as the rules see it."""
    return Spell(
        region_code=enrolment.region_code,
        insurance_kind=InsuranceKind(enrolment.insurance_kind),
        person_kind=PersonKind(enrolment.person_kind),
        started_on=enrolment.started_on,
        stopped_on=enrolment.stopped_on,
        enrolment_id=str(enrolment.id),
        employer_name=employer.name if employer else None,
        transferred_out_on=enrolment.transferred_out_on,
        employer_id=enrolment.employer_id,
        stop_reason=enrolment.stop_reason,
    )
