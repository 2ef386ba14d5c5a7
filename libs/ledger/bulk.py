"""Open many accounts of one kind, and look at many, in one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from libs.ledger.accounts import AccountKind
from libs.ledger.errors import translated

_FIND = text("""
    SELECT owner, id FROM ledger_accounts
    WHERE region_code = :region_code AND fund = :fund AND kind = :kind AND state = 'open'
      AND owner = ANY(CAST(:owners AS text[]))
""")

# In the order of the owners: two transactions that open the same accounts wait, and do not deadlock.
_OPEN = text("""
    INSERT INTO ledger_accounts (id, region_code, fund, kind, owner)
    SELECT draft.id, :region_code, :fund, :kind, draft.owner
    FROM unnest(CAST(:ids AS uuid[]), CAST(:owners AS text[])) AS draft (id, owner)
    ORDER BY draft.owner
    ON CONFLICT (region_code, fund, kind, owner) DO UPDATE SET state = 'open'
    RETURNING owner, id
""")

_PERSONAL = text("""
    SELECT a.id, (ledger_last(a.id)).balance_fen - ledger_held_fen(a.id) AS available_fen
    FROM ledger_accounts a
    WHERE a.id = ANY(CAST(:ids AS uuid[])) AND a.kind = 'personal_account'
""")


async def available_on_personal(session: AsyncSession, account_ids: Collection[UUID]) -> dict[UUID, int]:
    """What may be spent, in fen, of those of the accounts that are personal accounts.

    A look without locks: whoever posts on it may still meet InsufficientFunds.
    """
    if not account_ids:
        return {}
    rows = await session.execute(_PERSONAL, {"ids": list(account_ids)})
    return {row.id: row.available_fen for row in rows}


async def open_accounts(
    session: AsyncSession, *, region_code: str, fund: str, kind: AccountKind, owners: Iterable[str]
) -> dict[str, UUID]:
    """Id of each owner's account, opened if it is new, opened again if it was closed.

    One round trip where all are open already, two otherwise, none for no owners. Raises OutsideRegion.
    """
    wanted = sorted(set(owners))
    if not wanted:
        return {}
    identity = {"region_code": region_code, "fund": fund, "kind": kind.value}
    found = {row.owner: row.id for row in await session.execute(_FIND, {**identity, "owners": wanted})}
    missing = [owner for owner in wanted if owner not in found]
    if not missing:
        return found
    drafts = {"ids": [uuid7() for _ in missing], "owners": missing}
    with translated():
        opened = await session.execute(_OPEN, {**identity, **drafts})
    return found | {row.owner: row.id for row in opened}
