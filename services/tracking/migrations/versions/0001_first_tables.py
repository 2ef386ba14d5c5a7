"""The projection of cases, moves and messages, and the ratings.

Revision: 0001
"""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.eventbus import tables as eventbus
from libs.protection.row_security import restrict_to_regions
from libs.webapp import idempotency

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE tracked_cases (
        case_no text PRIMARY KEY,
        version integer NOT NULL,
        region_code varchar(6) NOT NULL,
        counterpart_region_code varchar(6),
        operation text NOT NULL,
        item_key text NOT NULL,
        item_name text NOT NULL,
        edition_id text NOT NULL,
        subject_key varchar(64) NOT NULL,
        subject_name_masked text NOT NULL,
        status text NOT NULL,
        status_name text NOT NULL,
        stage text NOT NULL,
        stage_name text NOT NULL,
        assignee text,
        due_on date,
        due_provisional boolean NOT NULL,
        owed_by date NOT NULL,
        moved_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_tracked_cases_queue ON tracked_cases (region_code, owed_by, case_no)",
    "CREATE INDEX ix_tracked_cases_subject ON tracked_cases (subject_key, owed_by, case_no)",
    """
    CREATE TABLE tracked_moves (
        case_no text,
        version integer,
        region_code varchar(6) NOT NULL,
        action text NOT NULL,
        action_name text NOT NULL,
        status text NOT NULL,
        status_name text NOT NULL,
        stage text NOT NULL,
        stage_name text NOT NULL,
        actor_kind text NOT NULL,
        actor_name text NOT NULL,
        office text,
        reason text,
        notice jsonb NOT NULL,
        due_on date,
        due_provisional boolean NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (case_no, version)
    )
    """,
    """
    CREATE TABLE tracked_messages (
        case_no text,
        digest varchar(64),
        region_code varchar(6) NOT NULL,
        kind text NOT NULL,
        text text NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (case_no, digest)
    )
    """,
    """
    CREATE TABLE ratings (
        case_no text PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        subject_key varchar(64) NOT NULL,
        stars smallint NOT NULL CONSTRAINT stars_from_1_to_5 CHECK (stars BETWEEN 1 AND 5),
        text text,
        rated_at timestamptz NOT NULL
    )
    """,
)

SEEN = "current_setting('yibao.regions', true)"

# A case is seen by both regions of a move, written by workers only (they see all regions).
CASE_POLICY = f"""
CREATE POLICY tracked_cases_regions ON tracked_cases
    USING (region_code = ANY(string_to_array({SEEN}, ','))
           OR counterpart_region_code = ANY(string_to_array({SEEN}, ','))
           OR {SEEN} = '*')
    WITH CHECK ({SEEN} = '*')
"""

# What belongs to a case is seen by whoever sees the case: the subquery is under its policy.
PART_POLICY = """
CREATE POLICY {table}_regions ON {table}
    USING ({seen} = '*' OR EXISTS (SELECT FROM tracked_cases c WHERE c.case_no = {table}.case_no))
    WITH CHECK ({seen} = '*')
"""


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    operations = Operations(op.get_context())
    eventbus.install_v1(operations)
    idempotency.install_v1(operations)
    for statement in TABLES:
        op.execute(statement)
    op.execute("GRANT SELECT, INSERT, UPDATE ON tracked_cases TO yibao_app")
    op.execute("GRANT SELECT, INSERT ON tracked_moves, tracked_messages, ratings TO yibao_app")
    op.execute("ALTER TABLE tracked_cases ENABLE ROW LEVEL SECURITY")
    op.execute(CASE_POLICY)
    for table in ("tracked_moves", "tracked_messages"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(PART_POLICY.format(table=table, seen=SEEN))
    restrict_to_regions(operations, "ratings")
