"""Hot reads of people and their months, prepared: one statement each, nothing loaded that is not told."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from services.enrollment.domain.contributing import KnownMonth
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.models.rows import EmployerRow, EnrolmentRow, PersonRow

FileRows = tuple[PersonRow, list[tuple[EnrolmentRow, EmployerRow | None]]]

_PERSON = ", ".join(f"p.{name}" for name in PersonRow._fields)
_ENROLMENT = ", ".join(f"e.{name}" for name in EnrolmentRow._fields)
_EMPLOYER = ", ".join(f"o.{name}" for name in EmployerRow._fields)
_PERSON_ENDS = len(PersonRow._fields)
_ENROLMENT_ENDS = _PERSON_ENDS + len(EnrolmentRow._fields)

# Of a record that was merged, the one that goes on is read (chains are never longer: a kept record takes
# over what had been merged into the other).
_PRESENT = "p.id = (SELECT coalesce(merged_into, id) FROM persons WHERE id = $1)"

_FIND = f"SELECT {_PERSON} FROM persons p WHERE {_PRESENT}"

_FILE = f"""
    SELECT {_PERSON}, {_ENROLMENT}, {_EMPLOYER} FROM persons p
    LEFT JOIN enrolments e ON e.person_id = p.id
    LEFT JOIN employers o ON o.id = e.employer_id
    WHERE {{which}} ORDER BY e.started_on, e.id
"""
_FILE_BY_ID = _FILE.format(which=_PRESENT)
# Whoever bears the credential, else whoever bore it before.
_FILE_BY_KEY = _FILE.format(
    which="""p.id = (SELECT coalesce(merged_into, id) FROM persons WHERE id = coalesce(
        (SELECT id FROM persons WHERE region_code = $1 AND person_key = $2),
        (SELECT person_id FROM person_aliases WHERE region_code = $1 AND person_key = $2)))"""
)

_MONTHS = """
    SELECT m.month, m.insurance_kind, m.base_fen, m.account_fen, m.source, m.origin_region_code,
           m.origin_agency_name, m.travels_with IS NOT NULL, t.conversation IS NOT NULL
    FROM contribution_months m
    LEFT JOIN transfers t ON t.region_code = m.region_code AND t.conversation = m.travels_with
        AND t.state = 'completed' AND t.side = 'out'
    WHERE m.person_id = $1 ORDER BY m.month, m.insurance_kind
"""


async def find_person(connection: asyncpg.Connection, person_id: UUID) -> PersonRow | None:
    """The person with this key."""
    row = await connection.fetchrow(_FIND, person_id)
    return None if row is None else PersonRow(*row)


async def file_of(connection: asyncpg.Connection, person_id: UUID) -> FileRows | None:
    """A person with all enrolments and their employers, oldest first, in one statement."""
    return _file(await connection.fetch(_FILE_BY_ID, person_id))


async def file_by_key(connection: asyncpg.Connection, region_code: str, person_key: str) -> FileRows | None:
    """The same for the region's person named by blind index."""
    return _file(await connection.fetch(_FILE_BY_KEY, region_code, person_key))


async def booked_months(connection: asyncpg.Connection, person_id: UUID) -> list[KnownMonth]:
    """All months of a person, in order; forty years are 480 of them."""
    return [
        KnownMonth(month, InsuranceKind(kind), *told)
        for month, kind, *told in await connection.fetch(_MONTHS, person_id)
    ]


def _file(rows: list[asyncpg.Record]) -> FileRows | None:
    if not rows:
        return None
    enrolments = [
        (
            EnrolmentRow(*row[_PERSON_ENDS:_ENROLMENT_ENDS]),
            None if row[_ENROLMENT_ENDS] is None else EmployerRow(*row[_ENROLMENT_ENDS:]),
        )
        for row in rows
        if row[_PERSON_ENDS] is not None
    ]
    return PersonRow(*rows[0][:_PERSON_ENDS]), enrolments
