"""Sealed papers: certificates and rights records as PDF.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.protection.row_security import restrict_to_regions

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE papers (
        document_id uuid PRIMARY KEY,
        region_code varchar(6) NOT NULL,
        person_id uuid NOT NULL,
        person_key varchar(64) NOT NULL,
        kind text NOT NULL,
        pdf bytea NOT NULL,
        digest varchar(64) NOT NULL,
        sealed_at timestamptz NOT NULL,
        FOREIGN KEY (region_code, person_id) REFERENCES persons (region_code, id)
    )
    """,
    "CREATE INDEX ix_papers_person ON papers (person_id)",
)

# Only whose record it belongs to may change (two records of one person become one).
_RIGHTS = "SELECT, INSERT, UPDATE (person_id, person_key)"


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    operations = Operations(op.get_context())
    for statement in _TABLES:
        op.execute(statement)
    op.execute(f"GRANT {_RIGHTS} ON papers TO yibao_app")
    restrict_to_regions(operations, "papers")
