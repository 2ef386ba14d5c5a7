"""Tables of the gateway: who may sign in, and which one-time codes were used."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    Table,
    Text,
    func,
    true,
)

metadata = MetaData()

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("regions", ARRAY(Text), nullable=False),
    Column("public_key", Text),  # base64 of 32 bytes; mini-program backends only
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("kind IN ('system', 'mini_program')", name="kind_is_known"),
    CheckConstraint("(kind = 'mini_program') = (public_key IS NOT NULL)", name="mini_programs_have_a_key"),
)

officers = Table(
    "officers",
    metadata,
    # Never given to another person: it is the subject of tokens and of every record.
    Column("username", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("office", Text, nullable=False),
    Column("regions", ARRAY(Text), nullable=False),
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

used_codes = Table(
    "used_codes",
    metadata,
    Column("client_id", Text, ForeignKey("clients.client_id"), primary_key=True),
    Column("code_id", Text, primary_key=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("ix_used_codes_expires_at", "expires_at"),
)
