"""Look people, accounts and contributions up, changing nothing: the hot reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from libs.contracts.enrollment import ContributionPeriod
from libs.identifiers.credentials import Credential
from libs.ledger.accounts import AccountKind, Balance
from libs.ledger.reading import AccountPage, account_page
from libs.protection.fields import FieldProtector
from services.enrollment.domain.contributing import KnownMonth
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.months import periods_of
from services.enrollment.models.rows import PersonRow
from services.enrollment.repository import reads
from services.enrollment.service.desk import ALL_REGIONS
from services.enrollment.service.people import no_person

PersonFile = reads.FileRows
"""A person and all enrolments here, oldest first, each with its employer."""

_NOTHING = AccountPage(Balance(balance_fen=0, held_fen=0, available_fen=0, version=0), [])


@dataclass(frozen=True, slots=True)
class Reader:
    """A connection for reading, and whose: ``regions`` are those whose records are the reader's business.

    Row-level security stands behind it.
    """

    connection: asyncpg.Connection
    protector: FieldProtector
    regions: tuple[str, ...] = ALL_REGIONS

    def may_see(self, region_code: str) -> bool:
        """Whether a region's records are the reader's business at all."""
        return self.regions == ALL_REGIONS or region_code in self.regions


async def file_of(reader: Reader, person_id: UUID) -> PersonFile:
    """A person and all enrolments with their employers. Raises Refusal (not found)."""
    return _seen(reader, await reads.file_of(reader.connection, person_id))


async def file_by_credential(reader: Reader, region_code: str, credential: Credential) -> PersonFile:
    """The region's file of whoever bears this credential. Raises Refusal (not found)."""
    person_key = reader.protector.blind_index(credential.canonical)
    return _seen(reader, await reads.file_by_key(reader.connection, region_code, person_key))


async def require_person(reader: Reader, person_id: UUID) -> PersonRow:
    """The person with this key. Raises Refusal (not found)."""
    found = await reads.find_person(reader.connection, person_id)
    if found is None or not reader.may_see(found.region_code):
        raise no_person()
    return found


async def account_of(
    reader: Reader, person: PersonRow, kind: InsuranceKind, *, after_version: int, limit: int
) -> AccountPage:
    """The person's account with its lines after ``after_version``; nothing where there is none."""
    page = await account_page(
        reader.connection,
        region_code=person.region_code,
        fund=kind.value,
        kind=AccountKind.PERSONAL_ACCOUNT,
        owner=str(person.id),
        after_version=after_version,
        limit=limit,
    )
    return page or _NOTHING


async def contributions_of(
    reader: Reader, person: PersonRow
) -> tuple[Sequence[KnownMonth], list[ContributionPeriod]]:
    """A person's contribution record: every month, and per kind the periods of those still here."""
    booked = await reads.booked_months(reader.connection, person.id)
    here = [known.counted for known in booked if not known.has_left]
    periods = [
        period
        for kind in sorted({month.insurance_kind for month in here})
        for period in periods_of(
            [month for month in here if month.insurance_kind == kind], home=person.region_code
        )
    ]
    return booked, periods


def _seen(reader: Reader, file: PersonFile | None) -> PersonFile:
    if file is None or not reader.may_see(file[0].region_code):
        raise no_person()
    return file
