"""Tables of the case file, part of each owning service's database.

The record (``case_record``) is append-only and chained by hash: a changed line is found.
"""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Sequence,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from libs.protection.row_security import restrict_to_regions

metadata = MetaData()

REGION = String(6)

# Cyclic: a number is unique within one region, kind of business and day, and a service would
# need a million cases of one kind on one day in one region to meet itself.
case_serial = Sequence("case_serial", minvalue=1, maxvalue=999_999, cycle=True, metadata=metadata)

cases = Table(
    "cases",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("case_no", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("region_code", REGION, nullable=False),
    Column("counterpart_region_code", REGION),
    Column("operation", Text, nullable=False),
    Column("item_key", Text, nullable=False),
    Column("item_name", Text, nullable=False),
    Column("edition_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("subject_key", String(64), nullable=False),
    Column("subject_name", Text, nullable=False),  # encrypted
    Column("application", Text, nullable=False),  # the whole application, encrypted JSON
    Column("status", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("entered_by", Text, nullable=False),
    Column("assignee", Text),
    Column("limit_amount", Integer),
    Column("limit_unit", Text),
    Column("clock_started_on", Date),
    Column("clock_running_since", Date),
    Column("clock_left", Integer),
    Column("clock_paused_on", Date),
    Column("clock_reminded", Text),
    Column("due_on", Date),
    Column("due_provisional", Boolean, nullable=False, server_default="false"),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Index("ix_cases_region_status_due", "region_code", "status", "due_on"),
    Index("ix_cases_subject", "subject_key"),
    Index("ix_cases_open_due", "due_on", postgresql_where=text("ended_at IS NULL")),
)

case_record = Table(
    "case_record",
    metadata,
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("region_code", REGION, nullable=False),
    Column("action", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_subject", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("office", Text),
    Column("origin", Text),
    Column("reason", Text),
    Column("details", JSONB, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

case_notices = Table(
    "case_notices",
    metadata,
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("region_code", REGION, nullable=False),
    Column("items", JSONB, nullable=False),
    Column("repeated", Boolean, nullable=False),
    Column("supervisor", Text),
    Column("reason", Text),
    Column("given_by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

case_materials = Table(
    "case_materials",
    metadata,
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("region_code", REGION, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("content_digest", String(64)),
    Column("commitment_text", Text),
    Column("commitment_keep_until", Date),
    Column("handed_in_at", DateTime(timezone=True), nullable=False),
)

case_documents = Table(
    "case_documents",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("case_id", UUID(as_uuid=True), ForeignKey("cases.id"), nullable=False, index=True),
    Column("region_code", REGION, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("content", Text, nullable=False),  # encrypted JSON
    Column("content_digest", String(64), nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("region_code", "kind", "number"),
)

# Documents are numbered (省份)(统筹地区)(年份)(第XXXX号): per region, kind and year, without gaps,
# so the counter row is locked until the transaction that takes a number ends.
document_counters = Table(
    "document_counters",
    metadata,
    Column("region_code", REGION, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

_APPEND_ONLY = """
CREATE FUNCTION case_record_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'case_record is append-only' USING ERRCODE = 'restrict_violation';
END $$
"""

_GRANTS = {
    "cases": "SELECT, INSERT, UPDATE",
    "case_record": "SELECT, INSERT",
    "case_notices": "SELECT, INSERT",
    "case_materials": "SELECT, INSERT",
    "case_documents": "SELECT, INSERT",
    "document_counters": "SELECT, INSERT, UPDATE",
}


def install_v1(op: Operations) -> None:
    """Create the case file's tables, rights, row-level security and append-only guard."""
    metadata.create_all(op.get_bind())
    op.execute(_APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER case_record_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON case_record "
        "FOR EACH STATEMENT EXECUTE FUNCTION case_record_is_append_only()"
    )
    op.execute("GRANT USAGE ON SEQUENCE case_serial TO yibao_app")
    for table, rights in _GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO yibao_app")
        restrict_to_regions(op, table)
