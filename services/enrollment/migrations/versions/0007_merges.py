"""Two records of one person becoming one, and the keys a person was known by before.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.protection.row_security import restrict_to_regions

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE person_aliases (
        region_code varchar(6) NOT NULL,
        person_key varchar(64) NOT NULL,
        person_id uuid NOT NULL,
        since timestamptz NOT NULL,
        PRIMARY KEY (region_code, person_key),
        FOREIGN KEY (region_code, person_id) REFERENCES persons (region_code, id)
    )
    """,
    "CREATE INDEX ix_person_aliases_person ON person_aliases (person_id)",
    """
    CREATE TABLE person_merges (
        id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        version bigint NOT NULL,
        keep_id uuid NOT NULL,
        merge_id uuid NOT NULL,
        state text NOT NULL
            CONSTRAINT person_merges_state CHECK (state IN ('pending', 'approved', 'rejected')),
        evidence jsonb NOT NULL,
        reason text NOT NULL,
        requested_by text NOT NULL,
        requested_at timestamptz NOT NULL,
        decided_by text,
        decided_at timestamptz,
        decision_reason text,
        effects jsonb,
        FOREIGN KEY (region_code, keep_id) REFERENCES persons (region_code, id),
        FOREIGN KEY (region_code, merge_id) REFERENCES persons (region_code, id),
        CONSTRAINT person_merges_two_records CHECK (keep_id <> merge_id),
        CONSTRAINT person_merges_decided CHECK ((state = 'pending') = (decided_by IS NULL)),
        CONSTRAINT person_merges_two_people CHECK (decided_by <> requested_by)
    )
    """,
    "CREATE UNIQUE INDEX ux_person_merges_one_pending ON person_merges (merge_id) WHERE state = 'pending'",
    "CREATE INDEX ix_persons_merged_into ON persons (merged_into) WHERE merged_into IS NOT NULL",
)

_GRANTS = {
    "person_aliases": "SELECT, INSERT, UPDATE (person_id, since)",
    "person_merges": (
        "SELECT, INSERT, UPDATE (version, state, decided_by, decided_at, decision_reason, effects)"
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
