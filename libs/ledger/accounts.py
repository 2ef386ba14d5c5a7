"""Open, find, read and close accounts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import cast
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from libs.ledger.errors import AccountNotFound, translated


class AccountKind(StrEnum):
    """What an account stands for; the sign convention is in the package's docstring."""

    PERSONAL_ACCOUNT = "personal_account"
    POOLED = "pooled"
    IN_TRANSIT_OUT = "in_transit_out"
    IN_TRANSIT_IN = "in_transit_in"
    BANK_MIRROR = "bank_mirror"
    REMITTANCE_CLEARING = "remittance_clearing"
    WITHHELD_DEPOSIT = "withheld_deposit"
    UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True)
class Balance:
    """What is on an account, what of it is on hold, and what may be spent, in fen.

    ``version`` is the number of entries so far: two equal versions mean an equal balance.
    """

    balance_fen: int
    held_fen: int
    available_fen: int
    version: int


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry of an account with what it was for; amounts in fen, signed."""

    version: int
    occurred_on: dt.date
    posted_at: dt.datetime
    purpose: str
    source_id: str
    amount_fen: int
    balance_after_fen: int
    transaction_id: UUID
    reverses: UUID | None


_FIND = text("""
    SELECT id, state FROM ledger_accounts
    WHERE region_code = :region_code AND fund = :fund AND kind = :kind
      AND owner IS NOT DISTINCT FROM CAST(:owner AS text)
""")

_OPEN = text("""
    INSERT INTO ledger_accounts (id, region_code, fund, kind, owner)
    VALUES (:id, :region_code, :fund, :kind, :owner)
    ON CONFLICT (region_code, fund, kind, owner) DO UPDATE SET state = 'open'
    RETURNING id
""")

_CLOSE = text("UPDATE ledger_accounts SET state = 'closed' WHERE id = :id RETURNING id")

_BALANCE = text("""
    SELECT last.balance_fen, ledger_held_fen(a.id) AS held_fen, last.version
    FROM ledger_accounts a, ledger_last(a.id) AS last
    WHERE a.id = :id
""")

_STATEMENT = text("""
    SELECT e.version, t.occurred_on, t.posted_at, t.purpose, t.source_id,
           e.amount_fen, e.balance_after_fen, e.transaction_id, t.reverses
    FROM ledger_entries e JOIN ledger_transactions t ON t.id = e.transaction_id
    WHERE e.account_id = :id AND e.version > :after_version
    ORDER BY e.version LIMIT :limit
""")


async def open_account(
    session: AsyncSession, *, region_code: str, fund: str, kind: AccountKind | str, owner: str | None = None
) -> UUID:
    """Id of the account, opened if it is new, opened again if it was closed.

    One round trip for an account that is open already, two otherwise. Raises OutsideRegion.
    """
    identity = _identity(region_code, fund, kind, owner)
    found = (await session.execute(_FIND, identity)).one_or_none()
    if found is not None and found.state == "open":
        return cast(UUID, found.id)
    with translated():
        opened = await session.execute(_OPEN, {"id": uuid7(), **identity})
    return cast(UUID, opened.scalar_one())


async def find_account(
    session: AsyncSession, *, region_code: str, fund: str, kind: AccountKind | str, owner: str | None = None
) -> UUID | None:
    """Id of the account, open or closed; None if there is none."""
    found = (await session.execute(_FIND, _identity(region_code, fund, kind, owner))).one_or_none()
    return None if found is None else found.id


async def close_account(session: AsyncSession, account_id: UUID) -> None:
    """Close an account for good order; nothing to do if it is closed.

    Raises AccountNotEmpty while there is a balance or a hold, AccountNotFound.
    """
    with translated():
        closed = await session.execute(_CLOSE, {"id": account_id})
    if closed.one_or_none() is None:
        raise AccountNotFound(str(account_id))


async def balance(session: AsyncSession, account_id: UUID) -> Balance:
    """Balance, holds and what is available, as of one moment. Raises AccountNotFound."""
    row = (await session.execute(_BALANCE, {"id": account_id})).one_or_none()
    if row is None:
        raise AccountNotFound(str(account_id))
    return Balance(row.balance_fen, row.held_fen, row.balance_fen - row.held_fen, row.version)


async def statement(
    session: AsyncSession, account_id: UUID, *, after_version: int = 0, limit: int = 100
) -> list[StatementLine]:
    """Entries after ``after_version``, oldest first; the last line's version continues the next page."""
    page = {"id": account_id, "after_version": after_version, "limit": limit}
    return [StatementLine(*row) for row in await session.execute(_STATEMENT, page)]


def _identity(
    region_code: str, fund: str, kind: AccountKind | str, owner: str | None
) -> dict[str, str | None]:
    return {"region_code": region_code, "fund": fund, "kind": AccountKind(kind).value, "owner": owner}
