"""Employers and persons."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.models import Employer, Person
from services.enrollment.repository import aliases


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
    """The person with this key; of a record that was merged, the one that goes on."""
    found = await session.get(Person, person_id)
    if found is None or found.merged_into is None:
        return found
    return await session.get(Person, found.merged_into)


async def find_record(session: AsyncSession, person_id: UUID) -> Person | None:
    """The record with this key itself, merged or not."""
    return await session.get(Person, person_id)


async def find_person_by_key(session: AsyncSession, region_code: str, person_key: str) -> Person | None:
    """The region's record of whoever bears this key; of a record that was merged, the one that goes on."""
    query = select(Person).where(Person.region_code == region_code, Person.person_key == person_key)
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None or found.merged_into is None:
        return found
    return await session.get(Person, found.merged_into)


async def lock_person(session: AsyncSession, person_id: UUID) -> Person | None:
    """The record as it is now, merged or not, and whoever else wants to change it waits."""
    return (await session.execute(_locked(Person.id == person_id))).scalar_one_or_none()


async def lock_person_by_key(session: AsyncSession, region_code: str, person_key: str) -> Person | None:
    """The region's record of a person named by blind index, present or earlier, locked.

    A record that was merged is never waited for: only the one that goes on is locked.
    """
    bears = and_(Person.region_code == region_code, Person.person_key == person_key)
    locked = (await session.execute(_locked(bears, Person.merged_into.is_(None)))).scalar_one_or_none()
    while locked is None or locked.merged_into is not None:
        known = await find_person_by_key(session, region_code, person_key)
        known = known or await aliases.find_person(session, region_code, person_key)
        if known is None:
            return None
        locked = await lock_person(session, known.id)
    return locked


def _locked(*which: ColumnElement[bool]) -> Select[Person]:
    """Without ``populate_existing`` a record looked at before the lock would keep what it said then."""
    query = select(Person).where(*which).with_for_update(key_share=True)
    return query.execution_options(populate_existing=True)
