"""Personal accounts and the region's own accounts in the ledger. Amounts in fen."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from libs.ledger.accounts import (
    AccountKind,
    Balance,
    balance,
    find_account,
    open_account,
)
from libs.ledger.posting import Entry, Posting
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.purposes import Purpose
from services.enrollment.models import Person

NOTHING = Balance(balance_fen=0, held_fen=0, available_fen=0, version=0)


@dataclass(frozen=True)
class Step:
    """One business event that moves money between two accounts of one fund."""

    source_id: str
    region_code: str
    purpose: Purpose
    occurred_on: dt.date
    amount_fen: int

    def posting(self, *, from_account: UUID, to_account: UUID) -> Posting:
        """The event as the ledger takes it: two entries that sum to 0."""
        return Posting(
            source_id=self.source_id,
            region_code=self.region_code,
            purpose=self.purpose.value,
            occurred_on=self.occurred_on,
            entries=[Entry(from_account, -self.amount_fen), Entry(to_account, self.amount_fen)],
        )


async def personal_account(session: AsyncSession, person: Person, kind: InsuranceKind) -> UUID:
    """The person's account, opened if need be. Its owner is the record's key, which never changes."""
    return await open_account(
        session,
        region_code=person.region_code,
        fund=kind.value,
        kind=AccountKind.PERSONAL_ACCOUNT,
        owner=str(person.id),
    )


async def find_personal_account(session: AsyncSession, person: Person, kind: InsuranceKind) -> UUID | None:
    """The person's account, if there is one."""
    return await find_account(
        session,
        region_code=person.region_code,
        fund=kind.value,
        kind=AccountKind.PERSONAL_ACCOUNT,
        owner=str(person.id),
    )


async def fund_account(session: AsyncSession, region_code: str, fund: str, kind: AccountKind) -> UUID:
    """One of the region's own accounts of a fund."""
    return await open_account(session, region_code=region_code, fund=fund, kind=kind)


async def balance_of(session: AsyncSession, person: Person, kind: InsuranceKind) -> Balance:
    """What is on the person's account; nothing where there is none."""
    account = await find_personal_account(session, person, kind)
    return NOTHING if account is None else await balance(session, account)
