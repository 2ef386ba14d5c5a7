"""Rosters (花名册): files, their rows and what became of each.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
