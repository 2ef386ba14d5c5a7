"""Whose record a standing is, and the keys a person bears and bore.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.protection.row_security import restrict_to_regions

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHANGES = (
    "ALTER TABLE standings ADD COLUMN person_id text",
    "CREATE INDEX ix_standings_record ON standings (person_id)",
    """
    CREATE TABLE person_keys (
        person_id text NOT NULL,
        person_key varchar(64) NOT NULL,
        region_code varchar(6) NOT NULL,
        version bigint NOT NULL,
        PRIMARY KEY (person_id, person_key)
    )
    """,
    "CREATE INDEX ix_person_keys_key ON person_keys (region_code, person_key)",
    """
    CREATE TABLE merged_persons (
        merged_id text PRIMARY KEY,
        kept_id text NOT NULL,
        region_code varchar(6) NOT NULL
    )
    """,
    "CREATE INDEX ix_merged_persons_kept ON merged_persons (kept_id)",
)
_GRANTS = {"person_keys": "SELECT, INSERT, UPDATE (version)", "merged_persons": "SELECT, INSERT"}


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    operations = Operations(op.get_context())
    for statement in _CHANGES:
        op.execute(statement)
    for table, rights in _GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO yibao_app")
        restrict_to_regions(operations, table)
