"""The tables every owning service has: case file, bus, stored answers."""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.casebook import tables as casebook
from libs.eventbus import tables as eventbus
from libs.webapp import idempotency

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    operations = Operations(op.get_context())
    eventbus.install_v1(operations)
    idempotency.install_v1(operations)
    casebook.install_v1(operations)
