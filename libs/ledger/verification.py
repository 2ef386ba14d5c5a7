"""Check a whole ledger against its invariants, and name each row that breaks one.

PostgreSQL refuses what breaks them; this finds what was done with its rules switched off.
Each check is one statement and sees one moment, so postings may go on meanwhile. Run it with
``yibao.regions`` set to the region, or to ``*``.

That all accounts of a fund sum to 0 needs no check of its own: every transaction does, and
every balance is the sum of its entries.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that breaks a rule. ``row`` is its key: an id, ``<account id>/<version>`` of an entry."""

    rule: str
    table: str
    row: str
    region_code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """A rule, and a query for row, region_code and detail of each row of ``table`` that breaks it."""

    rule: str
    table: str
    query: str


async def verify(session: AsyncSession, region_code: str | None = None) -> list[Fault]:
    """All faults of a region's ledger, or of all regions the session may see; [] when it is sound."""
    faults: list[Fault] = []
    for check in CHECKS:
        rows = await session.execute(text(_LIMITED.format(query=check.query)), {"region": region_code})
        faults += [Fault(check.rule, check.table, *row) for row in rows]
    return faults


_LIMITED = """
    SELECT * FROM ({query}) AS fault ("row", region_code, detail)
    WHERE CAST(:region AS text) IS NULL OR region_code = :region
"""

CHECKS = (
    Check(
        "account_is_unchanged",
        "ledger_accounts",
        """
        SELECT id::text, region_code, 'its digest does not match it'
        FROM ledger_accounts a WHERE digest <> ledger_account_digest(a)
        """,
    ),
    Check(
        "personal_account_is_not_overdrawn",
        "ledger_accounts",
        """
        SELECT id::text, region_code, format('balance %s, on hold %s', balance_fen, held_fen)
        FROM (SELECT *, (ledger_last(id)).balance_fen AS balance_fen, ledger_held_fen(id) AS held_fen
              FROM ledger_accounts) AS account
        WHERE balance_fen < held_fen AND (kind = 'personal_account' OR held_fen > 0)
        """,
    ),
    Check(
        "closed_account_is_empty",
        "ledger_accounts",
        """
        SELECT id::text, region_code, format('balance %s', (ledger_last(id)).balance_fen)
        FROM ledger_accounts
        WHERE state = 'closed' AND ((ledger_last(id)).balance_fen <> 0 OR ledger_held_fen(id) <> 0)
        """,
    ),
    # An amount that was changed breaks the sum of all later entries, a balance that was changed
    # breaks the step to the next entry; only the changed row breaks both.
    Check(
        "entry_follows_the_last_of_its_account",
        "ledger_entries",
        """
        SELECT account_id || '/' || version, region_code,
               format('version %s and balance %s after version %s, balance %s and an amount of %s',
                      version, balance_after_fen, last_version, last_balance_fen, amount_fen)
        FROM (SELECT *, coalesce(lag(version) OVER older, 0) AS last_version,
                     coalesce(lag(balance_after_fen) OVER older, 0) AS last_balance_fen,
                     sum(amount_fen) OVER older AS sum_fen
              FROM ledger_entries WINDOW older AS (PARTITION BY account_id ORDER BY version)) AS entry
        WHERE version <> last_version + 1
           OR (balance_after_fen <> last_balance_fen + amount_fen AND balance_after_fen <> sum_fen)
        """,
    ),
    Check(
        "entry_belongs_to_its_account",
        "ledger_entries",
        """
        SELECT e.account_id || '/' || e.version, e.region_code, 'region or fund is not its account''s'
        FROM ledger_entries e LEFT JOIN ledger_accounts a ON a.id = e.account_id
        WHERE (a.region_code, a.fund) IS DISTINCT FROM (e.region_code, e.fund)
        """,
    ),
    Check(
        "entry_belongs_to_a_transaction",
        "ledger_entries",
        """
        SELECT e.account_id || '/' || e.version, e.region_code, format('no transaction %s', e.transaction_id)
        FROM ledger_entries e LEFT JOIN ledger_transactions t ON t.id = e.transaction_id
        WHERE t.id IS NULL
        """,
    ),
    Check(
        "transaction_sums_to_zero",
        "ledger_transactions",
        """
        SELECT id::text, region_code, 'its entries do not sum to 0 in each fund of its region'
        FROM ledger_transactions t WHERE NOT ledger_is_balanced(t)
        """,
    ),
    Check(
        "reversal_fits_its_original",
        "ledger_transactions",
        """
        SELECT id::text, region_code, format('does not fit %s', reverses)
        FROM ledger_transactions t WHERE reverses IS NOT NULL AND NOT ledger_reversal_fits(t)
        """,
    ),
    Check(
        "transaction_is_sealed",
        "ledger_transactions",
        """
        SELECT t.id::text, t.region_code, 'not in the chain'
        FROM ledger_transactions t LEFT JOIN ledger_chain c ON c.transaction_id = t.id
        WHERE c.transaction_id IS NULL
        """,
    ),
    Check(
        "seal_matches_its_transaction",
        "ledger_transactions",
        """
        SELECT c.transaction_id::text, c.region_code,
               format('number %s: it, one of its entries or its seal was changed', c.number)
        FROM ledger_chain c LEFT JOIN ledger_transactions t ON t.id = c.transaction_id
        WHERE c.hash <> ledger_hash(c.previous_hash, c.number, t)
        """,
    ),
    # Where the earlier link itself was changed, the check above has named it.
    Check(
        "link_follows_the_last_of_its_region",
        "ledger_chain",
        """
        SELECT region_code || '/' || number, region_code, format('does not follow number %s', last_number)
        FROM (SELECT c.*, coalesce(lag(number) OVER older, 0) AS last_number,
                     coalesce(lag(hash) OVER older, sha256('')) AS last_hash,
                     coalesce(lag(hash = ledger_hash(previous_hash, number, t)) OVER older, true)
                         AS last_is_sound
              FROM ledger_chain c LEFT JOIN ledger_transactions t ON t.id = c.transaction_id
              WINDOW older AS (PARTITION BY c.region_code ORDER BY number)) AS link
        WHERE number <> last_number + 1 OR (previous_hash <> last_hash AND last_is_sound)
        """,
    ),
    Check(
        "hold_is_unchanged",
        "ledger_holds",
        """
        SELECT id::text, region_code, 'its digest does not match it'
        FROM ledger_holds h WHERE digest <> ledger_hold_digest(h)
        """,
    ),
    Check(
        "captured_hold_was_paid_out",
        "ledger_holds",
        """
        SELECT h.id::text, h.region_code, format('transaction %s does not pay it out', h.captured_by)
        FROM ledger_holds h LEFT JOIN ledger_entries e
            ON (e.transaction_id, e.account_id, e.amount_fen) = (h.captured_by, h.account_id, -h.amount_fen)
        WHERE h.state = 'captured' AND e.transaction_id IS NULL
        """,
    ),
)
