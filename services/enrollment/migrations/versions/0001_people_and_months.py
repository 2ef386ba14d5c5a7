"""People, employers, enrolments, contribution months, transfers, and their history.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.eventbus import tables as eventbus
from libs.ledger import tables as ledger
from libs.protection.row_security import restrict_to_regions
from libs.webapp import idempotency

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE employers (
        id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        version bigint NOT NULL,
        credit_code varchar(18) NOT NULL,
        name text NOT NULL,
        state text NOT NULL CHECK (state IN ('active', 'suspended', 'cancelled')),
        created_at timestamptz NOT NULL,
        UNIQUE (region_code, credit_code),
        UNIQUE (region_code, id)
    )
    """,
    """
    CREATE TABLE persons (
        id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        version bigint NOT NULL,
        person_key varchar(64) NOT NULL,
        credential_type text NOT NULL,
        credential text NOT NULL,
        name text NOT NULL,
        telephone text,
        sex text NOT NULL CHECK (sex IN ('男', '女')),
        birth_date date NOT NULL,
        created_at timestamptz NOT NULL,
        UNIQUE (region_code, person_key),
        UNIQUE (region_code, id)
    )
    """,
    """
    CREATE TABLE enrolments (
        id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        version bigint NOT NULL,
        person_id uuid NOT NULL,
        person_key varchar(64) NOT NULL,
        insurance_kind varchar(3) NOT NULL,
        counts_as text NOT NULL,
        person_kind text NOT NULL,
        employer_id uuid,
        started_on date NOT NULL,
        stopped_on date,
        stop_reason text,
        transferred_out_on date,
        created_at timestamptz NOT NULL,
        FOREIGN KEY (region_code, person_id) REFERENCES persons (region_code, id),
        FOREIGN KEY (region_code, employer_id) REFERENCES employers (region_code, id),
        CONSTRAINT enrolments_stops_after_start CHECK (stopped_on >= started_on),
        CONSTRAINT enrolments_stop_has_reason CHECK ((stopped_on IS NULL) = (stop_reason IS NULL))
    )
    """,
    """
    CREATE UNIQUE INDEX ux_enrolments_one_active ON enrolments (person_key, counts_as)
        WHERE stopped_on IS NULL
    """,
    "CREATE INDEX ix_enrolments_person ON enrolments (person_id)",
    "CREATE INDEX ix_enrolments_person_key ON enrolments (person_key)",
    "CREATE INDEX ix_enrolments_employer ON enrolments (employer_id) WHERE stopped_on IS NULL",
    r"""
    CREATE TABLE contribution_months (
        person_id uuid NOT NULL,
        counts_as text NOT NULL,
        month varchar(7) NOT NULL,
        region_code varchar(6) NOT NULL,
        insurance_kind varchar(3) NOT NULL,
        base_fen bigint,
        account_fen bigint NOT NULL,
        source text NOT NULL CHECK (source IN ('own', 'transferred_in')),
        origin_region_code varchar(6) NOT NULL,
        origin_agency_name text NOT NULL,
        arrived_with text,
        travels_with text,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (person_id, counts_as, month),
        FOREIGN KEY (region_code, person_id) REFERENCES persons (region_code, id),
        CONSTRAINT contribution_months_month CHECK (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
        CONSTRAINT contribution_months_amounts
            CHECK (account_fen BETWEEN 0 AND base_fen OR base_fen IS NULL)
    )
    """,
    """
    CREATE TABLE transfers (
        region_code varchar(6) NOT NULL,
        conversation text NOT NULL,
        side text NOT NULL CHECK (side IN ('out', 'in')),
        state text NOT NULL,
        attempt bigint NOT NULL,
        case_no text NOT NULL,
        counterpart_region_code varchar(6) NOT NULL,
        person_key varchar(64) NOT NULL,
        insurance_kind varchar(3) NOT NULL,
        amount_fen bigint NOT NULL CHECK (amount_fen >= 0),
        periods jsonb NOT NULL,
        months bigint NOT NULL,
        prepared_at timestamptz,
        credited_on date,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (region_code, conversation),
        CHECK (CASE side
            WHEN 'out' THEN state IN ('prepared', 'issued', 'paid', 'completed', 'cancelled')
            ELSE state IN ('received', 'credited') END)
    )
    """,
    """
    CREATE UNIQUE INDEX ux_transfers_one_leaving ON transfers (region_code, person_key, insurance_kind)
        WHERE state IN ('prepared', 'issued', 'paid')
    """,
    "CREATE INDEX ix_transfers_person ON transfers (region_code, person_key)",
    """
    CREATE TABLE changes (
        id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        subject_kind text NOT NULL,
        subject_id text NOT NULL,
        version bigint NOT NULL,
        before jsonb,
        after jsonb NOT NULL,
        changed_by text NOT NULL,
        reason text,
        changed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_changes_subject ON changes (subject_kind, subject_id)",
)

# Nobody is enrolled twice, in whichever region (reliability.md, invariant 10): a region's officer
# may know that, where, since when and as what somebody is enrolled elsewhere, and nothing more.
# Runs as the owner of the tables, whom row-level security does not bind.
_ELSEWHERE = """
CREATE FUNCTION enrolments_elsewhere(p_person_key text, p_region_code text, p_counts_as text, p_from date)
RETURNS TABLE (region_code text, insurance_kind text, person_kind text, started_on date, stopped_on date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.region_code, e.insurance_kind, e.person_kind, e.started_on, e.stopped_on
    FROM enrolments e
    WHERE e.person_key = p_person_key AND e.region_code <> p_region_code
      AND e.counts_as = p_counts_as AND (e.stopped_on IS NULL OR e.stopped_on >= p_from)
$$
"""

# Nothing is ever deleted; what may change is named column by column.
_GRANTS = {
    "employers": "SELECT, INSERT",
    "persons": "SELECT, INSERT, UPDATE (version)",
    "enrolments": "SELECT, INSERT, UPDATE (version, stopped_on, stop_reason, transferred_out_on)",
    "contribution_months": (
        "SELECT, INSERT, UPDATE (insurance_kind, base_fen, account_fen, source, origin_region_code, "
        "origin_agency_name, arrived_with, travels_with, recorded_at)"
    ),
    "transfers": (
        "SELECT, INSERT, UPDATE (state, attempt, amount_fen, periods, months, prepared_at, credited_on, "
        "changed_at)"
    ),
    "changes": "SELECT, INSERT",
}


def upgrade() -> None:
    """The libraries' tables, this service's own, their rights and row-level security."""
    operations = Operations(op.get_context())
    eventbus.install_v1(operations)
    ledger.install_v1(operations)
    idempotency.install_v1(operations)
    for statement in (*_TABLES, _ELSEWHERE):
        op.execute(statement)
    signature = "enrolments_elsewhere(text, text, text, date)"
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO yibao_app")
    for table, rights in _GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO yibao_app")
        restrict_to_regions(operations, table)
