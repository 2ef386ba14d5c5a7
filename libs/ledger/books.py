"""A region's books for one fund: what each kind of account holds together.

All kinds together are 0 (invariant 11): what people own, what is in transit, and the bank's mirror.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from libs.ledger.accounts import AccountKind

_TOTALS = text("""
    SELECT a.kind, count(*) AS accounts, sum(last.balance_fen)::bigint AS balance_fen
    FROM ledger_accounts a, ledger_last(a.id) AS last
    WHERE a.region_code = :region_code AND a.fund = :fund
    GROUP BY a.kind ORDER BY a.kind
""")


@dataclass(frozen=True, slots=True)
class KindTotal:
    """How many accounts of a kind there are and what they hold together, fen."""

    kind: AccountKind
    accounts: int
    balance_fen: int


async def totals(session: AsyncSession, *, region_code: str, fund: str) -> list[KindTotal]:
    """The region's books by kind of account. Reads every account: for people, not for hot paths."""
    rows = await session.execute(_TOTALS, {"region_code": region_code, "fund": fund})
    return [KindTotal(AccountKind(row.kind), row.accounts, row.balance_fen) for row in rows]
