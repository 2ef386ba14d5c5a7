"""What PostgreSQL itself enforces, whoever writes: the library, another program, the owner.

Every function pins its search path: a caller's temporary table must not stand in for a table
of the ledger. Refusals carry an SQLSTATE of class ``YL``; libs/ledger/errors.py translates them.
"""

from __future__ import annotations

from libs.ledger.rules import access, accounts, append_only, bulk, chain, entries, holds

STATEMENTS: tuple[str, ...] = (
    *append_only.STATEMENTS,
    *accounts.STATEMENTS,
    *entries.STATEMENTS,
    *chain.STATEMENTS,
    *holds.STATEMENTS,
    *access.STATEMENTS,
)

STATEMENTS_V2: tuple[str, ...] = bulk.STATEMENTS
