"""An account as it stands with a page of its statement, in one prepared statement: for hot reads.

What ``accounts.balance`` and ``accounts.statement`` say, of one moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from libs.ledger.accounts import AccountKind, Balance, StatementLine

_PAGE = """
    SELECT coalesce(last.balance_after_fen, 0), coalesce(last.version, 0), held.fen,
           line.version, line.occurred_on, line.posted_at, line.purpose, line.source_id,
           line.amount_fen, line.balance_after_fen, line.transaction_id, line.reverses
    FROM ledger_accounts a
    LEFT JOIN LATERAL (
        SELECT e.version, e.balance_after_fen FROM ledger_entries e
        WHERE e.account_id = a.id ORDER BY e.version DESC LIMIT 1) AS last ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(h.amount_fen), 0)::bigint AS fen FROM ledger_holds h
        WHERE h.account_id = a.id AND h.state = 'active') AS held
    LEFT JOIN LATERAL (
        SELECT e.version, t.occurred_on, t.posted_at, t.purpose, t.source_id,
               e.amount_fen, e.balance_after_fen, e.transaction_id, t.reverses
        FROM ledger_entries e JOIN ledger_transactions t ON t.id = e.transaction_id
        WHERE e.account_id = a.id AND e.version > $5
        ORDER BY e.version LIMIT $6) AS line ON true
    WHERE a.region_code = $1 AND a.fund = $2 AND a.kind = $3 AND a.owner = $4
    ORDER BY line.version
"""
_LINE_BEGINS = 3


@dataclass(frozen=True, slots=True)
class AccountPage:
    """An account's balance and some lines of its statement, oldest first."""

    balance: Balance
    lines: list[StatementLine]


async def account_page(
    connection: asyncpg.Connection,
    *,
    region_code: str,
    fund: str,
    kind: AccountKind,
    owner: str,
    after_version: int,
    limit: int,
) -> AccountPage | None:
    """The owner's account with the lines after ``after_version``; None if there is no such account."""
    rows = await connection.fetch(_PAGE, region_code, fund, kind.value, owner, after_version, limit)
    if not rows:
        return None
    balance_fen, version, held_fen = rows[0][:_LINE_BEGINS]
    lines = [StatementLine(*row[_LINE_BEGINS:]) for row in rows if row[_LINE_BEGINS] is not None]
    return AccountPage(Balance(balance_fen, held_fen, balance_fen - held_fen, version), lines)
