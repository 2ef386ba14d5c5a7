"""Two records of one person becoming one.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
