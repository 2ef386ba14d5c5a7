"""Monthly contribution files, what they were reconciled to, arrears.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.protection.row_security import restrict_to_regions

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CHANGES = (
    # Money received that cannot be attributed yet. A ledger installed since knows the kind already;
    # both get the same rule. No account is of the new kind yet, so no row is looked at twice.
    "ALTER TABLE ledger_accounts DROP CONSTRAINT ck_ledger_accounts_kind",
    """
    ALTER TABLE ledger_accounts ADD CONSTRAINT ck_ledger_accounts_kind CHECK (kind IN (
        'personal_account', 'pooled', 'in_transit_out', 'in_transit_in', 'bank_mirror',
        'remittance_clearing', 'withheld_deposit', 'unattributed'))
    """,
    """
    CREATE TABLE contribution_files (
        id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        file_no text NOT NULL,
        month varchar(7) NOT NULL,
        digest varchar(64) NOT NULL,
        rows bigint NOT NULL,
        total_fen bigint NOT NULL,
        state text NOT NULL CHECK (state IN ('applying', 'done')),
        received_by text NOT NULL,
        received_at timestamptz NOT NULL,
        finished_at timestamptz,
        UNIQUE (region_code, file_no),
        CONSTRAINT contribution_files_state CHECK ((state = 'done') = (finished_at IS NOT NULL))
    )
    """,
    """
    CREATE INDEX ix_contribution_files_applying ON contribution_files (region_code, received_at)
        WHERE state = 'applying'
    """,
    "CREATE INDEX ix_contribution_files_month ON contribution_files (region_code, month)",
    """
    CREATE TABLE contribution_payments (
        file_id uuid NOT NULL REFERENCES contribution_files (id),
        row_no bigint NOT NULL,
        region_code varchar(6) NOT NULL,
        serial text NOT NULL,
        insurance_kind varchar(3) NOT NULL,
        unit_fen bigint NOT NULL,
        personal_fen bigint NOT NULL,
        late_fee_fen bigint NOT NULL,
        payer_kind text,
        credit_code varchar(18),
        credential_type text,
        credential text,
        name text,
        person_key varchar(64),
        person_kind text,
        period varchar(7),
        base_fen bigint,
        kind text,
        corrects text,
        paid_on date,
        outcome text NOT NULL,
        reasons jsonb NOT NULL,
        person_id uuid,
        account_fen bigint,
        rule text,
        recorded_through varchar(7),
        applied_at timestamptz,
        PRIMARY KEY (file_id, row_no),
        CONSTRAINT contribution_payments_outcome CHECK (
            outcome IN ('pending', 'matched', 'unmatched', 'broken', 'repeated', 'reversed'))
    )
    """,
    """
    CREATE UNIQUE INDEX ux_contribution_payments_serial ON contribution_payments (region_code, serial)
        WHERE outcome <> 'repeated'
    """,
    """
    CREATE UNIQUE INDEX ux_contribution_payments_year
        ON contribution_payments (person_id, insurance_kind, period)
        WHERE outcome = 'matched' AND length(period) = 4 AND kind <> 'correction'
    """,
    "CREATE INDEX ix_contribution_payments_outcome ON contribution_payments (file_id, outcome, row_no)",
    """
    CREATE INDEX ix_contribution_payments_person ON contribution_payments (person_id)
        WHERE person_id IS NOT NULL
    """,
    "CREATE INDEX ix_contribution_payments_period ON contribution_payments (region_code, period)",
    """
    CREATE INDEX ix_contribution_payments_coming ON contribution_payments (recorded_through)
        WHERE outcome = 'matched' AND recorded_through IS NOT NULL
    """,
    """
    CREATE TABLE retiree_runs (
        region_code varchar(6) NOT NULL,
        month varchar(7) NOT NULL,
        state text NOT NULL CHECK (state IN ('applying', 'done')),
        asked_by text NOT NULL,
        asked_at timestamptz NOT NULL,
        finished_at timestamptz,
        PRIMARY KEY (region_code, month),
        CONSTRAINT retiree_runs_state CHECK ((state = 'done') = (finished_at IS NOT NULL))
    )
    """,
    """
    CREATE TABLE retiree_credits (
        person_id uuid NOT NULL,
        month varchar(7) NOT NULL,
        region_code varchar(6) NOT NULL,
        amount_fen bigint NOT NULL CHECK (amount_fen >= 0),
        rule text NOT NULL,
        credited_at timestamptz NOT NULL,
        PRIMARY KEY (person_id, month),
        FOREIGN KEY (region_code, month) REFERENCES retiree_runs (region_code, month),
        FOREIGN KEY (region_code, person_id) REFERENCES persons (region_code, id)
    )
    """,
    "CREATE INDEX ix_retiree_credits_run ON retiree_credits (region_code, month)",
    "ALTER TABLE contribution_months ADD COLUMN paid_with text, ADD COLUMN credit_rule text",
    """
    CREATE INDEX ix_contribution_months_paid_with ON contribution_months (region_code, paid_with)
        WHERE paid_with IS NOT NULL
    """,
    "CREATE INDEX ix_enrolments_region_person ON enrolments (region_code, person_id, id)",
    "CREATE INDEX ix_enrolments_employer_person ON enrolments (employer_id, person_id, id)",
)

# A month taken back by a red entry is deleted: its key must be free for the month to be paid anew. The
# payment, its correction and both postings stay. Nobody may delete months but through this function,
# and it deletes none whose payment is not reversed. It runs as the owner of the tables, whom row-level
# security does not bind, and so looks at the caller's regions itself.
_TAKE_BACK = """
CREATE FUNCTION contribution_months_take_back(p_region_code text, p_serials text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM contribution_months m
    WHERE m.region_code = p_region_code AND m.paid_with = ANY (p_serials)
      AND m.source = 'own' AND m.travels_with IS NULL
      AND (current_setting('yibao.regions', true) = '*'
           OR m.region_code = ANY (string_to_array(current_setting('yibao.regions', true), ',')))
      AND EXISTS (SELECT FROM contribution_payments p
                  WHERE p.region_code = m.region_code AND p.serial = m.paid_with AND p.outcome = 'reversed')
$$
"""

_GRANTS = {
    "contribution_files": "SELECT, INSERT, UPDATE (state, finished_at)",
    "contribution_payments": (
        "SELECT, INSERT, "
        "UPDATE (outcome, reasons, person_id, account_fen, rule, recorded_through, applied_at)"
    ),
    "retiree_runs": "SELECT, INSERT, UPDATE (state, finished_at)",
    "retiree_credits": "SELECT, INSERT, UPDATE (person_id)",
    "contribution_months": "UPDATE (paid_with, credit_rule)",
}
_TABLES = ("contribution_files", "contribution_payments", "retiree_runs", "retiree_credits")


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    for statement in (*_CHANGES, _TAKE_BACK):
        op.execute(statement)
    signature = "contribution_months_take_back(text, text[])"
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO yibao_app")
    for table, rights in _GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO yibao_app")
    for table in _TABLES:
        restrict_to_regions(Operations(op.get_context()), table)
