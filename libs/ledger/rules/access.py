"""Who may do what: column by column for the services, row by row for the regions.

What triggers compute (versions, balances, hashes, times) the services cannot even name in an
INSERT. Nothing is granted on it beyond SELECT, and nothing may be deleted.
"""

from __future__ import annotations

_TABLES = ("ledger_accounts", "ledger_transactions", "ledger_entries", "ledger_chain", "ledger_holds")

# '*' is for workers; an unset setting shows nothing.
VISIBLE = """
    current_setting('yibao.regions', true) = '*'
    OR region_code::text = ANY (string_to_array(current_setting('yibao.regions', true), ','))
"""


def _isolated(table: str) -> tuple[str, ...]:
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY {table}_by_region ON {table} USING ({VISIBLE}) WITH CHECK ({VISIBLE})",
        f"GRANT SELECT ON {table} TO yibao_app",
    )


STATEMENTS = (
    *(statement for table in _TABLES for statement in _isolated(table)),
    "GRANT INSERT (id, region_code, fund, kind, owner), UPDATE (state) ON ledger_accounts TO yibao_app",
    "GRANT INSERT (id, region_code, source_id, purpose, occurred_on, reverses) "
    "ON ledger_transactions TO yibao_app",
    "GRANT INSERT (account_id, transaction_id, amount_fen) ON ledger_entries TO yibao_app",
    "GRANT INSERT (transaction_id) ON ledger_chain TO yibao_app",
    "GRANT INSERT (id, account_id, amount_fen, source_id), UPDATE (state, captured_by) "
    "ON ledger_holds TO yibao_app",
)
