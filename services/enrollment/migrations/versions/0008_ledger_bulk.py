"""The ledger posts and seals batches in one go."""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.ledger import tables as ledger

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    ledger.upgrade_v2(Operations(op.get_context()))
