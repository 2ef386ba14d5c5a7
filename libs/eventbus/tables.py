"""Tables of the bus: in every service's database, and in the database of the Postgres log.

A service's first migration calls ``install_v1(op)`` and its ``env.py`` adds ``metadata``. The
database of the log has no service: ``create_log(connection)`` makes it, or ``install_log_v1(op)``.

=============  ================================================================================
outbox         facts written with the business change, until the relay has published them
inbox          (consumer, event id) of every event handled, parked or dead-lettered
dead_letter    events given up, with the reason, and what an operator decided; never deleted
parked_event   events that wait behind a dead letter of their key, and those to be replayed
held_key       keys that must not go on yet; the row is the lock between consumer and operator
bus_member     live relays (scope ``relay``) or members of a consumer group, and what they ask for
bus_lease      who of them owns which slot, until when
=============  ================================================================================
"""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from libs.eventbus.schema_v1 import LEASES_V1, LOG_V1, SERVICE_V1

metadata = MetaData()

# Keys are spread over this many shards, the unit in which relays share the work. It is written
# into the rows: changing it needs a migration.
SHARDS = 16

_NOW = text("clock_timestamp()")
_held_order = Sequence("held_order", metadata=metadata)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("shard", SmallInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("held_order", BigInteger, nullable=False, server_default=_held_order.next_value()),
    Column("consumer", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("region_code", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("fault", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_by", Text),
    Column("close_reason", Text),
)
Index("dead_letter_open", dead_letter.c.id, postgresql_where=dead_letter.c.state == "open")
Index("dead_letter_key", dead_letter.c.consumer, dead_letter.c.key)

parked_event = Table(
    "parked_event",
    metadata,
    Column("held_order", BigInteger, primary_key=True, server_default=_held_order.next_value()),
    Column("consumer", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("region_code", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("parked_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
)
Index("parked_event_key", parked_event.c.consumer, parked_event.c.key, parked_event.c.held_order)

held_key = Table(
    "held_key",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("released", Boolean, nullable=False, server_default=text("false")),
)

bus_member = Table(
    "bus_member",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("member", Uuid, primary_key=True),
    Column("slots", ARRAY(Text), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

bus_lease = Table(
    "bus_lease",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("slot", Text, primary_key=True),
    Column("member", Uuid, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)


class Operations(Protocol):
    """The part of alembic's operations object that is used here."""

    def execute(self, sqltext: str) -> None: ...


class Connection(Protocol):
    """The part of an asyncpg connection that is used here."""

    async def execute(self, query: str) -> str: ...


def install_v1(op: Operations) -> None:
    """Create the tables of a service's database, with rights and row-level security."""
    for statement in SERVICE_V1 + LEASES_V1:
        op.execute(statement)


def install_log_v1(op: Operations) -> None:
    """Create the tables of the Postgres log's own database."""
    for statement in LEASES_V1 + LOG_V1:
        op.execute(statement)


async def create_log(connection: Connection) -> None:
    """The same where no migrations run; safe to run again."""
    for statement in LEASES_V1 + LOG_V1:
        await connection.execute(statement)
