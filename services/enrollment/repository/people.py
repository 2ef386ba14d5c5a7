"""Employers and persons."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.models import Employer, Person


async def add_employer(session: AsyncSession, employer: Employer) -> bool:
    """Store a new employer; False if the region has one with this credit code."""
    statement = insert(Employer).values(employer.values()).on_conflict_do_nothing().returning(Employer.id)
    return await session.scalar(statement) is not None


async def find_employer(session: AsyncSession, employer_id: UUID) -> Employer | None:
    """The employer with this key."""
    return await session.get(Employer, employer_id)


async def find_employer_by_code(session: AsyncSession, region_code: str, credit_code: str) -> Employer | None:
    """The region's employer with this unified social credit code."""
    query = select(Employer).where(Employer.region_code == region_code, Employer.credit_code == credit_code)
    return (await session.execute(query)).scalar_one_or_none()


async def add_person(session: AsyncSession, person: Person) -> bool:
    """Store a new person; False if the region knows somebody with this credential."""
    statement = insert(Person).values(person.values()).on_conflict_do_nothing().returning(Person.id)
    return await session.scalar(statement) is not None


async def find_person(session: AsyncSession, person_id: UUID) -> Person | None:
    """The person with this key."""
    return await session.get(Person, person_id)


async def find_person_by_key(session: AsyncSession, region_code: str, person_key: str) -> Person | None:
    """The region's record of a person named by blind index."""
    query = select(Person).where(Person.region_code == region_code, Person.person_key == person_key)
    return (await session.execute(query)).scalar_one_or_none()


async def lock_person(session: AsyncSession, person_id: UUID) -> Person | None:
    """The same, and whoever else wants to change what belongs to the person waits."""
    query = select(Person).where(Person.id == person_id).with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one_or_none()


async def lock_person_by_key(session: AsyncSession, region_code: str, person_key: str) -> Person | None:
    """The region's record of a person named by blind index, locked."""
    query = select(Person).where(Person.region_code == region_code, Person.person_key == person_key)
    return (await session.execute(query.with_for_update(key_share=True))).scalar_one_or_none()
