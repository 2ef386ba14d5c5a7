"""One-off withdrawals, payout batches, deaths learned.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.protection.row_security import restrict_to_regions

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE withdrawals (
        case_no text PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        person_id uuid NOT NULL,
        reason text NOT NULL,
        amount_fen bigint NOT NULL CONSTRAINT withdrawals_amount CHECK (amount_fen > 0),
        state text NOT NULL CONSTRAINT withdrawals_state
            CHECK (state IN ('held', 'payable', 'sent', 'failed', 'corrected', 'paid', 'released')),
        payee text NOT NULL,
        payee_version bigint NOT NULL,
        payee_entered_by text NOT NULL,
        checked_by text,
        approved_by text,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        FOREIGN KEY (region_code, person_id) REFERENCES persons (region_code, id)
    )
    """,
    """
    CREATE UNIQUE INDEX ux_withdrawals_one_open ON withdrawals (person_id)
        WHERE state NOT IN ('paid', 'released')
    """,
    "CREATE INDEX ix_withdrawals_payable ON withdrawals (region_code) WHERE state = 'payable'",
    """
    CREATE TABLE payout_batches (
        id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        number text NOT NULL UNIQUE,
        sent_on date NOT NULL,
        lines bigint NOT NULL,
        sum_fen bigint NOT NULL,
        file_digest varchar(64) NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_payout_batches_region ON payout_batches (region_code)",
    """
    CREATE TABLE payout_lines (
        end_to_end_id text PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        batch_id uuid NOT NULL REFERENCES payout_batches (id),
        case_no text NOT NULL REFERENCES withdrawals (case_no),
        ordinal bigint NOT NULL,
        amount_fen bigint NOT NULL,
        payee text NOT NULL,
        state text NOT NULL CONSTRAINT payout_lines_state CHECK (state IN ('sent', 'paid', 'failed')),
        bank_reference text,
        settled_on date,
        failure_reason text,
        answered_at timestamptz,
        CONSTRAINT payout_lines_paid_has_reference
            CHECK ((state = 'paid') = (bank_reference IS NOT NULL)),
        CONSTRAINT payout_lines_failed_has_reason
            CHECK ((state = 'failed') = (failure_reason IS NOT NULL))
    )
    """,
    "CREATE UNIQUE INDEX ux_payout_lines_one_live ON payout_lines (case_no) WHERE state <> 'failed'",
    "CREATE INDEX ix_payout_lines_batch ON payout_lines (batch_id)",
    "CREATE INDEX ix_payout_lines_case ON payout_lines (case_no)",
    """
    CREATE TABLE death_notices (
        id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        person_id uuid NOT NULL,
        deceased_on date NOT NULL,
        origin text NOT NULL,
        source text NOT NULL,
        reference text NOT NULL,
        evidence_digest varchar(64),
        state text NOT NULL CONSTRAINT death_notices_state
            CHECK (state IN ('recorded', 'revoking', 'revoked')),
        stopped jsonb NOT NULL,
        paid_after jsonb NOT NULL,
        recorded_by text NOT NULL,
        recorded_at timestamptz NOT NULL,
        revoke_reason text,
        revoke_asked_by text,
        revoked_by text,
        revoked_at timestamptz,
        FOREIGN KEY (region_code, person_id) REFERENCES persons (region_code, id)
    )
    """,
    """
    CREATE UNIQUE INDEX ux_death_notices_one_standing ON death_notices (person_id)
        WHERE state <> 'revoked'
    """,
)

# Nothing is ever deleted; a batch never changes once it went to the bank.
_GRANTS = {
    "withdrawals": (
        "SELECT, INSERT, UPDATE (state, payee, payee_version, payee_entered_by, checked_by, approved_by, "
        "changed_at)"
    ),
    "payout_batches": "SELECT, INSERT",
    "payout_lines": (
        "SELECT, INSERT, UPDATE (state, bank_reference, settled_on, failure_reason, answered_at)"
    ),
    "death_notices": (
        "SELECT, INSERT, UPDATE (person_id, state, revoke_reason, revoke_asked_by, revoked_by, revoked_at)"
    ),
}


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    operations = Operations(op.get_context())
    for statement in _TABLES:
        op.execute(statement)
    for table, rights in _GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO yibao_app")
        restrict_to_regions(operations, table)
