"""Employers: found, locked, listed; and their people by the page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.kinds import PersonKind
from services.enrollment.models import Employer, Enrolment, Person


@dataclass(frozen=True)
class Wanted:
    """Which employers of a region to list; ``after`` is name and key of the last one seen."""

    region_code: str
    name: str | None = None
    credit_code: str | None = None
    state: str | None = None
    after: tuple[str, UUID] | None = None


async def find_by_codes(
    session: AsyncSession, region_code: str, credit_codes: Collection[str], *, lock: bool = False
) -> dict[str, Employer]:
    """The region's employers with these credit codes, as they are now.

    ``lock``: nobody changes them or enrols anybody with them until the transaction ends; taken in
    the order of their keys, so that two who want the same employers never wait in a circle.
    """
    query = (
        select(Employer)
        .where(Employer.region_code == region_code, Employer.credit_code.in_(credit_codes))
        .order_by(Employer.id)
        .execution_options(populate_existing=True)
    )
    found = await session.scalars(query.with_for_update() if lock else query)
    return {employer.credit_code: employer for employer in found}


async def hold(session: AsyncSession, employer_ids: Collection[UUID]) -> list[Employer]:
    """The employers with these keys, which stay as they are until the transaction ends.

    Whoever enrols somebody with an employer holds it first: suspension and succession wait for them.
    """
    query = (
        select(Employer)
        .where(Employer.id.in_(employer_ids))
        .order_by(Employer.id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(query))


async def flushed(session: AsyncSession) -> bool:
    """Write what has changed; False (and the transaction can only be given up) if a code is another's now."""
    try:
        await session.flush()
    except IntegrityError:
        return False
    return True


async def page(session: AsyncSession, wanted: Wanted, limit: int) -> list[Employer]:
    """Employers by name and key; a part of the name will do."""
    query = select(Employer).where(Employer.region_code == wanted.region_code)
    if wanted.name is not None:
        query = query.where(Employer.name.contains(wanted.name, autoescape=True))
    if wanted.credit_code is not None:
        query = query.where(Employer.credit_code == wanted.credit_code)
    if wanted.state is not None:
        query = query.where(Employer.state == wanted.state)
    if wanted.after is not None:
        query = query.where(tuple_(Employer.name, Employer.id) > wanted.after)
    return list(await session.scalars(query.order_by(Employer.name, Employer.id).limit(limit)))


async def page_of_enrolments(
    session: AsyncSession, employer_id: UUID, after: tuple[UUID, UUID] | None, limit: int, *, active: bool
) -> Sequence[Enrolment]:
    """Enrolments with the employer, those of one person beside one another; ``after`` is person and key.

    Reads ``limit`` entries of an index wherever the page begins (ix_enrolments_employer…).
    """
    query = select(Enrolment).where(Enrolment.employer_id == employer_id)
    if active:
        query = query.where(Enrolment.stopped_on.is_(None))
    if after is not None:
        query = query.where(tuple_(Enrolment.person_id, Enrolment.id) > after)
    return (await session.scalars(query.order_by(Enrolment.person_id, Enrolment.id).limit(limit))).all()


async def people_of(session: AsyncSession, person_ids: Collection[UUID]) -> dict[UUID, Person]:
    """The records of these people."""
    found = await session.scalars(select(Person).where(Person.id.in_(person_ids)))
    return {person.id: person for person in found}


async def count_employees(session: AsyncSession, employer_id: UUID) -> int:
    """How many people work there and are insured; retirees do not count."""
    query = select(func.count(Enrolment.person_id.distinct())).where(
        Enrolment.employer_id == employer_id,
        Enrolment.stopped_on.is_(None),
        Enrolment.person_kind == PersonKind.EMPLOYEE.value,
    )
    return (await session.execute(query)).scalar_one()


async def counts_by_kind(session: AsyncSession, employer_id: UUID) -> list[tuple[str, str, int]]:
    """Active enrolments of the employer: kind of insurance, kind of person, how many."""
    query = (
        select(Enrolment.insurance_kind, Enrolment.person_kind, func.count())
        .where(Enrolment.employer_id == employer_id, Enrolment.stopped_on.is_(None))
        .group_by(Enrolment.insurance_kind, Enrolment.person_kind)
        .order_by(Enrolment.insurance_kind, Enrolment.person_kind)
    )
    return [(kind, person_kind, count) for kind, person_kind, count in await session.execute(query)]
