"""Rosters (花名册): files, their rows and what became of each.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.protection.row_security import restrict_to_regions

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_TABLES = (
    """
    CREATE TABLE rosters (
        id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        version bigint NOT NULL,
        kind text NOT NULL CONSTRAINT rosters_kind CHECK (kind IN ('student', 'employee')),
        state text NOT NULL
            CONSTRAINT rosters_state CHECK (state IN ('received', 'ready', 'running', 'finished', 'failed')),
        format text NOT NULL CONSTRAINT rosters_format CHECK (format IN ('csv', 'xlsx')),
        digest varchar(64) NOT NULL,
        file_name text NOT NULL,
        school text,
        employer_id uuid,
        started_on date NOT NULL,
        case_no text,
        rows_total bigint NOT NULL,
        rows_done bigint NOT NULL,
        enrolled bigint NOT NULL,
        already_enrolled bigint NOT NULL,
        refused bigint NOT NULL,
        next_row bigint NOT NULL,
        submitted_by text NOT NULL,
        submitted_at timestamptz NOT NULL,
        started_at timestamptz,
        finished_at timestamptz,
        leased_by uuid,
        leased_until timestamptz,
        UNIQUE (region_code, id),
        FOREIGN KEY (region_code, employer_id) REFERENCES employers (region_code, id),
        CONSTRAINT rosters_counts CHECK (
            rows_done = enrolled + already_enrolled + refused AND rows_done <= rows_total
        ),
        CONSTRAINT rosters_employer CHECK ((kind = 'employee') = (employer_id IS NOT NULL))
    )
    """,
    """
    CREATE UNIQUE INDEX ux_rosters_same_file ON rosters (region_code, kind, digest)
        WHERE state <> 'failed'
    """,
    """
    CREATE INDEX ix_rosters_waiting ON rosters (submitted_at) WHERE state IN ('ready', 'running')
    """,
    "CREATE INDEX ix_rosters_newest ON rosters (region_code, submitted_at DESC, id DESC)",
    """
    CREATE TABLE roster_files (
        roster_id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        content bytea NOT NULL,
        FOREIGN KEY (region_code, roster_id) REFERENCES rosters (region_code, id)
    )
    """,
    # Encrypted bytes do not compress.
    "ALTER TABLE roster_files ALTER COLUMN content SET STORAGE EXTERNAL",
    """
    CREATE TABLE roster_rows (
        roster_id uuid NOT NULL,
        row_no bigint NOT NULL,
        region_code varchar(6) NOT NULL,
        outcome text NOT NULL
            CONSTRAINT roster_rows_outcome CHECK (outcome IN ('enrolled', 'already_enrolled', 'refused')),
        codes jsonb NOT NULL,
        faults text,
        person_id uuid,
        enrolment_id uuid,
        PRIMARY KEY (roster_id, row_no),
        FOREIGN KEY (region_code, roster_id) REFERENCES rosters (region_code, id),
        CONSTRAINT roster_rows_faults CHECK ((outcome = 'refused') = (faults IS NOT NULL)),
        CONSTRAINT roster_rows_enrolment CHECK ((outcome = 'refused') = (enrolment_id IS NULL))
    )
    """,
    "CREATE INDEX ix_roster_rows_refused ON roster_rows (roster_id, row_no) WHERE outcome = 'refused'",
)

# What ``enrolments_elsewhere`` (0001) tells of one person, for many at once, and not a word more.
_ELSEWHERE = """
CREATE FUNCTION enrolments_elsewhere_of(
    p_person_keys text[], p_region_code text, p_counts_as text, p_from date
)
RETURNS TABLE (
    person_key text, region_code text, insurance_kind text, person_kind text, started_on date, stopped_on date
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.person_key, e.region_code, e.insurance_kind, e.person_kind, e.started_on, e.stopped_on
    FROM enrolments e
    WHERE e.person_key = ANY (p_person_keys) AND e.region_code <> p_region_code
      AND e.counts_as = p_counts_as AND (e.stopped_on IS NULL OR e.stopped_on >= p_from)
$$
"""
_SIGNATURE = "enrolments_elsewhere_of(text[], text, text, date)"

_GRANTS = {
    "rosters": (
        "SELECT, INSERT, UPDATE (version, state, case_no, rows_done, enrolled, already_enrolled, refused, "
        "next_row, started_at, finished_at, leased_by, leased_until)"
    ),
    "roster_files": "SELECT, INSERT",
    "roster_rows": "SELECT, INSERT",
}


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    operations = Operations(op.get_context())
    for statement in (*_TABLES, _ELSEWHERE):
        op.execute(statement)
    op.execute(f"REVOKE ALL ON FUNCTION {_SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_SIGNATURE} TO yibao_app")
    for table, rights in _GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO yibao_app")
        restrict_to_regions(operations, table)
