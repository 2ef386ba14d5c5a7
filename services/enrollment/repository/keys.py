"""Where a person's key stands, and what else of an enrolment follows the person's data."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.models import Enrolment, Paper, Person, Transfer


async def find_bearer(session: AsyncSession, region_code: str, person_key: str) -> Person | None:
    """The record that stands under this key, merged or not."""
    query = (
        select(Person)
        .where(Person.region_code == region_code, Person.person_key == person_key)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def follow(session: AsyncSession, person: Person, previous_key: str) -> None:
    """Enrolments, papers and transfers of the person stand under the present key from now on.

    Raises IntegrityError (``ux_enrolments_one_active``) if its bearer is enrolled elsewhere by now.
    """
    await session.execute(
        update(Enrolment).where(Enrolment.person_id == person.id).values(person_key=person.person_key)
    )
    await session.execute(
        update(Paper).where(Paper.person_id == person.id).values(person_key=person.person_key)
    )
    await session.execute(
        update(Transfer)
        .where(Transfer.region_code == person.region_code, Transfer.person_key == previous_key)
        .values(person_key=person.person_key)
    )


async def declared_wage_fen(session: AsyncSession, person_id: UUID, employer_id: UUID | None) -> int | None:
    """The wage declared for the person's active enrolments (with this employer), in fen."""
    query = select(func.max(Enrolment.declared_wage_fen)).where(_active(person_id, employer_id))
    return await session.scalar(query)


async def set_declared_wage(
    session: AsyncSession, person_id: UUID, employer_id: UUID | None, wage_fen: int
) -> None:
    """Another wage for the person's active enrolments (with this employer)."""
    await session.execute(
        update(Enrolment)
        .where(_active(person_id, employer_id))
        .values(declared_wage_fen=wage_fen, version=Enrolment.version + 1)
    )


def _active(person_id: UUID, employer_id: UUID | None) -> ColumnElement[bool]:
    active = and_(Enrolment.person_id == person_id, Enrolment.stopped_on.is_(None))
    return active if employer_id is None else and_(active, Enrolment.employer_id == employer_id)
