"""Employers found by name, and their people by the page.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_CHANGES = (
    "CREATE INDEX ix_employers_name ON employers (region_code, name, id)",
    # A page is read from the index wherever it begins: people of one employer, in the page's order (those of
    # former staff too: ix_enrolments_employer_person of 0004).
    "DROP INDEX ix_enrolments_employer",
    """
    CREATE INDEX ix_enrolments_employer ON enrolments (employer_id, person_id, id)
        WHERE stopped_on IS NULL
    """,
)


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    for statement in _CHANGES:
        op.execute(statement)
