"""Tables of the exchange, installed into the database of the service that exchanges.

Several regions may live in one database, so every row carries the region it belongs to (``region_code``: the
sender's in ``exchange_outgoing``, the receiver's in ``exchange_incoming``), under row-level security. What a
message says can be inserted but not changed: the application role may update the delivery columns only, and
of the journal nothing at all.
"""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

outgoing = Table(
    "exchange_outgoing",
    metadata,
    Column("region_code", Text, primary_key=True),
    Column("message_id", Uuid, primary_key=True),
    Column("conversation", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("to_region", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("header", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("leased_until", DateTime(timezone=True)),
    Column("lease", Uuid),
    Column("last_error", Text),
    Column("answer", JSONB),
    UniqueConstraint(
        "region_code", "conversation", "to_region", "sequence", name="exchange_outgoing_sequence_key"
    ),
    CheckConstraint(
        "state IN ('queued', 'receipted', 'refused', 'undeliverable')", name="exchange_outgoing_state_check"
    ),
)
Index(
    "exchange_outgoing_due_idx",
    outgoing.c.next_attempt_at,
    postgresql_where=text("state = 'queued'"),
)
Index(
    "exchange_outgoing_stuck_idx",
    outgoing.c.region_code,
    outgoing.c.state,
    postgresql_where=text("state IN ('refused', 'undeliverable')"),
)

incoming = Table(
    "exchange_incoming",
    metadata,
    Column("region_code", Text, primary_key=True),
    Column("from_region", Text, primary_key=True),
    Column("message_id", Uuid, primary_key=True),
    Column("conversation", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("header", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("answer", JSONB, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint(
        "region_code", "conversation", "from_region", "sequence", name="exchange_incoming_sequence_key"
    ),
    CheckConstraint("state IN ('parked', 'delivered', 'refused')", name="exchange_incoming_state_check"),
)
Index(
    "exchange_incoming_stuck_idx",
    incoming.c.region_code,
    incoming.c.state,
    postgresql_where=text("state = 'parked'"),
)

conversations = Table(
    "exchange_conversations",
    metadata,
    Column("region_code", Text, primary_key=True),
    Column("conversation", Text, primary_key=True),
    Column("peer_region", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="new"),
    Column("standing", JSONB, nullable=False),
    Column("sent_sequence", BigInteger, nullable=False, server_default="0"),
    Column("handled_sequence", BigInteger, nullable=False, server_default="0"),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

journal = Table(
    "exchange_journal",
    metadata,
    Column("region_code", Text, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("conversation", Text, nullable=False),
    Column("case_position", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("event", Text, nullable=False),
    Column("message_id", Uuid),
    Column("content", JSONB, nullable=False),
    Column("previous_hash", Text),
    Column("case_previous_hash", Text),
    Column("hash", Text, nullable=False),
    UniqueConstraint("region_code", "conversation", "case_position", name="exchange_journal_case_key"),
)


class Operations(Protocol):
    """The part of Alembic's ``op`` that ``install_v1`` uses."""

    def execute(self, sqltext: str) -> None: ...


def install_v1(op: Operations) -> None:
    """Create tables, policies, triggers and grants. Called from a service's first migration."""
    for statement in _V1:
        op.execute(statement)


_OWN_ROWS = (
    "region_code = ANY(string_to_array(current_setting('yibao.regions', true), ','))"
    " OR current_setting('yibao.regions', true) = '*'"
)

# Written out, not derived from the metadata: what version 1 was must not change when the tables do.
_V1 = (
    """
    CREATE TABLE exchange_outgoing (
        region_code text NOT NULL, message_id uuid NOT NULL, conversation text NOT NULL,
        sequence bigint NOT NULL, to_region text NOT NULL, kind text NOT NULL, digest text NOT NULL,
        header jsonb NOT NULL, body bytea NOT NULL, expires_at timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'queued', attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL, leased_until timestamptz, lease uuid,
        last_error text, answer jsonb,
        PRIMARY KEY (region_code, message_id),
        CONSTRAINT exchange_outgoing_sequence_key UNIQUE (region_code, conversation, to_region, sequence),
        CONSTRAINT exchange_outgoing_state_check
            CHECK (state IN ('queued', 'receipted', 'refused', 'undeliverable'))
    )
    """,
    "CREATE INDEX exchange_outgoing_due_idx ON exchange_outgoing (next_attempt_at) WHERE state = 'queued'",
    """
    CREATE INDEX exchange_outgoing_stuck_idx ON exchange_outgoing (region_code, state)
        WHERE state IN ('refused', 'undeliverable')
    """,
    """
    CREATE TABLE exchange_incoming (
        region_code text NOT NULL, from_region text NOT NULL, message_id uuid NOT NULL,
        conversation text NOT NULL, sequence bigint NOT NULL, kind text NOT NULL, digest text NOT NULL,
        header jsonb NOT NULL, body bytea NOT NULL, state text NOT NULL, answer jsonb NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (region_code, from_region, message_id),
        CONSTRAINT exchange_incoming_sequence_key UNIQUE (region_code, conversation, from_region, sequence),
        CONSTRAINT exchange_incoming_state_check CHECK (state IN ('parked', 'delivered', 'refused'))
    )
    """,
    """
    CREATE INDEX exchange_incoming_stuck_idx ON exchange_incoming (region_code, state)
        WHERE state = 'parked'
    """,
    """
    CREATE TABLE exchange_conversations (
        region_code text NOT NULL, conversation text NOT NULL, peer_region text NOT NULL,
        state text NOT NULL DEFAULT 'new', standing jsonb NOT NULL,
        sent_sequence bigint NOT NULL DEFAULT 0, handled_sequence bigint NOT NULL DEFAULT 0,
        opened_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
        PRIMARY KEY (region_code, conversation)
    )
    """,
    """
    CREATE TABLE exchange_journal (
        region_code text NOT NULL, position bigint NOT NULL, conversation text NOT NULL,
        case_position bigint NOT NULL, at timestamptz NOT NULL, event text NOT NULL, message_id uuid,
        content jsonb NOT NULL, previous_hash text, case_previous_hash text, hash text NOT NULL,
        PRIMARY KEY (region_code, position),
        CONSTRAINT exchange_journal_case_key UNIQUE (region_code, conversation, case_position)
    )
    """,
    """
    CREATE FUNCTION exchange_journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'exchange_journal is append-only';
    END $$
    """,
    """
    CREATE TRIGGER exchange_journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange_journal
        FOR EACH STATEMENT EXECUTE FUNCTION exchange_journal_is_append_only()
    """,
    *(
        statement
        for table in ("outgoing", "incoming", "conversations", "journal")
        for statement in (
            f"ALTER TABLE exchange_{table} ENABLE ROW LEVEL SECURITY",
            f"CREATE POLICY own_rows ON exchange_{table} USING ({_OWN_ROWS})",
            f"GRANT SELECT, INSERT ON exchange_{table} TO yibao_app",
        )
    ),
    """
    GRANT UPDATE (state, attempts, next_attempt_at, leased_until, lease, last_error, answer)
        ON exchange_outgoing TO yibao_app
    """,
    "GRANT UPDATE (state, answer) ON exchange_incoming TO yibao_app",
    """
    GRANT UPDATE (state, standing, sent_sequence, handled_sequence, updated_at)
        ON exchange_conversations TO yibao_app
    """,
)
