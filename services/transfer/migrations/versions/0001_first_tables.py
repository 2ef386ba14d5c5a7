"""Case file, bus, exchange, stored answers; moves, standings, bank receipts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from alembic.operations import Operations
from sqlalchemy.dialects.postgresql import JSONB

from libs.casebook import tables as casebook
from libs.eventbus import tables as eventbus
from libs.exchange import tables as exchange
from libs.protection.row_security import restrict_to_regions
from libs.webapp import idempotency

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_GRANTS = {
    "moves": "SELECT, INSERT, UPDATE",
    "standings": "SELECT, INSERT, UPDATE",
    "bank_receipts": "SELECT, INSERT, UPDATE",
}


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    operations = Operations(op.get_context())
    for library in (eventbus, idempotency, casebook, exchange):
        library.install_v1(operations)
    _create_moves()
    _create_standings()
    _create_bank_receipts()
    for table, rights in _GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO yibao_app")
        restrict_to_regions(operations, table)


def _create_moves() -> None:
    op.create_table(
        "moves",
        sa.Column("case_id", sa.Uuid, sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("region_code", sa.String(6), nullable=False),
        sa.Column("counterpart_region_code", sa.String(6), nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("conversation_opened", sa.Boolean, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("regime", sa.Text, nullable=False),
        sa.Column("person_key", sa.String(64), nullable=False),
        sa.Column("insurance_kind", sa.String(3), nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("revived", sa.Boolean, nullable=False),
        sa.Column("stage_since", sa.Date, nullable=False),
        sa.Column("limit_since", sa.Date, nullable=False),
        sa.Column("stage_due_on", sa.Date),
        sa.Column("stage_due_provisional", sa.Boolean, nullable=False),
        sa.Column("makers", JSONB, nullable=False),
        sa.Column("periods", JSONB, nullable=False),
        sa.Column("sheet_number", sa.Text),
        sa.Column("sheet_message_id", sa.Uuid),
        sa.Column("correction_reason", sa.Text),
        sa.Column("amount_fen", sa.BigInteger),
        sa.Column("paid_bank_reference", sa.Text),
        sa.Column("paid_on", sa.Date),
        sa.Column("notified_bank_reference", sa.Text),
        sa.Column("received_fen", sa.BigInteger),
        sa.Column("received_on", sa.Date),
        sa.Column("continuity", JSONB),
        sa.Column("inquiries", sa.Integer, nullable=False),
        sa.Column("last_inquiry_on", sa.Date),
        sa.CheckConstraint("side IN ('in', 'out')", name="moves_side"),
        sa.CheckConstraint("regime IN ('letter', 'platform')", name="moves_regime"),
        sa.CheckConstraint("amount_fen >= 0 AND received_fen >= 0", name="moves_amounts"),
    )
    op.create_index("ux_moves_region_conversation", "moves", ["region_code", "conversation"], unique=True)
    op.create_index(
        "ux_moves_one_open",
        "moves",
        ["region_code", "person_key", "insurance_kind"],
        unique=True,
        postgresql_where=sa.text("is_open AND NOT revived"),
    )
    op.create_index(
        "ux_moves_paid_reference",
        "moves",
        ["region_code", "paid_bank_reference"],
        unique=True,
        postgresql_where=sa.text("paid_bank_reference IS NOT NULL"),
    )
    op.create_index("ix_moves_open_due", "moves", ["stage_due_on"], postgresql_where=sa.text("is_open"))


def _create_standings() -> None:
    op.create_table(
        "standings",
        sa.Column("enrolment_id", sa.Text, primary_key=True),
        sa.Column("region_code", sa.String(6), nullable=False),
        sa.Column("person_key", sa.String(64), nullable=False),
        sa.Column("insurance_kind", sa.String(3), nullable=False),
        sa.Column("person_kind", sa.Text, nullable=False),
        sa.Column("started_on", sa.Date),
        sa.Column("stopped_on", sa.Date),
    )
    op.create_index("ix_standings_person", "standings", ["region_code", "person_key"])


def _create_bank_receipts() -> None:
    op.create_table(
        "bank_receipts",
        sa.Column("region_code", sa.String(6), primary_key=True),
        sa.Column("bank_reference", sa.Text, primary_key=True),
        sa.Column("amount_fen", sa.BigInteger, nullable=False),
        sa.Column("payer_name", sa.Text, nullable=False),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("received_on", sa.Date, nullable=False),
        sa.Column("matched_case_id", sa.Uuid),
        sa.Column("entered_by", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name="bank_receipts_amount"),
    )
    op.create_index(
        "ix_bank_receipts_unmatched",
        "bank_receipts",
        ["region_code"],
        postgresql_where=sa.text("matched_case_id IS NULL"),
    )
