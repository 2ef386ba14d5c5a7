"""What every function of the ledger runs with."""

from __future__ import annotations

# search_path: a caller's temporary table must not stand in for a table of the ledger.
# Every look-up goes by key and wants one row. In a database without statistics yet, the planner
# would rather collect and sort all entries of an account, at every entry: quadratic.
SETTINGS = "SET search_path = public, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off"
