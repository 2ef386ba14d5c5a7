"""Entries, transactions and seals never change; accounts and holds are never deleted."""

from __future__ import annotations

from libs.ledger.rules.settings import SETTINGS

_REFUSE = f"""
CREATE FUNCTION ledger_refuse_change() RETURNS trigger
LANGUAGE plpgsql {SETTINGS} AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the ledger only grows', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'YL006';
END $$
"""


def _refusing(table: str, operations: str) -> str:
    # Per statement: refused even where no row would be touched, and TRUNCATE knows nothing else.
    return (
        f"CREATE TRIGGER {table}_append_only BEFORE {operations} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()"
    )


STATEMENTS = (
    _REFUSE,
    *(
        _refusing(table, "UPDATE OR DELETE OR TRUNCATE")
        for table in ("ledger_transactions", "ledger_entries", "ledger_chain")
    ),
    *(_refusing(table, "DELETE OR TRUNCATE") for table in ("ledger_accounts", "ledger_holds")),
)
