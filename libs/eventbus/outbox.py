"""Saying a fact: a row beside the business change, in the same transaction.

Order per key is the order of the row ids, because the id is given out under a lock of the key
that is held until the transaction ends: whoever comes second gets the larger id and commits later.
There is no NOTIFY here: it serialises all commits of the database (39 % of throughput).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import LargeBinary, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from libs.contracts.base import Fact, topic_of
from libs.eventbus.envelope import Event, current_trace
from libs.eventbus.tables import SHARDS

LONGEST_KEY = 200  # characters; keys stand in indexes

# The identity's nextval runs only once the materialised lock has been granted. The seed keeps
# these advisory locks apart from others made with hashtextextended(key, 0).
_INSERT = text(
    f"""
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended(:key, 20241)))
    INSERT INTO outbox (shard, topic, key, body)
    SELECT hashtextextended(:key, 0) & {SHARDS - 1}, :topic, :key, :body FROM turn
    """
).bindparams(bindparam("body", type_=LargeBinary))

# In the order of the keys as they are given: unnest keeps it, and each lock is granted before the next.
_TURNS = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(key, 20241)) FROM unnest(CAST(:keys AS text[])) AS key"
)
_INSERT_MANY = text(
    f"""
    INSERT INTO outbox (shard, topic, key, body)
    SELECT hashtextextended(said.key, 0) & {SHARDS - 1}, said.topic, said.key, said.body
    FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:bodies AS bytea[]))
        WITH ORDINALITY AS said (topic, key, body, place)
    ORDER BY said.place
    """
)


@dataclass(frozen=True, slots=True)
class Saying:
    """A fact to be published among many; ``key`` as in ``publish``."""

    fact: Fact
    key: str
    region_code: str
    subject: str


async def publish(
    session: AsyncSession, fact: Fact, *, key: str, region_code: str, subject: str, at: dt.datetime
) -> Event:
    """Write ``fact`` to the outbox of the caller's transaction; a rollback takes it back.

    ``key`` is the person or case whose facts stay in order; ``at`` (aware) when it happened.
    Waits for other transactions that have published under the same key; one that publishes under
    several keys does so in the order of the keys, or PostgreSQL may have to break a deadlock.
    Raises ``ValueError`` for a key that is empty or longer than 200 characters.
    """
    _require_key(key)
    event = Event.of(fact, key=key, region_code=region_code, subject=subject, at=at)
    row = {"topic": topic_of(event.type), "key": key, "body": event.to_bytes()}
    await session.execute(_INSERT, row)
    return event


async def publish_many(session: AsyncSession, sayings: Sequence[Saying], *, at: dt.datetime) -> list[Event]:
    """The same for many facts in two statements, in the order given within each key.

    The keys' locks are taken first and in their order, whatever the order of the facts, so two
    transactions that publish the same keys wait and do not deadlock. Every lock takes a place in
    PostgreSQL's table of locks (max_locks_per_transaction × max_connections): some hundreds of keys
    a transaction are fine, tens of thousands are not.
    """
    events = events_of(sayings, at)
    if events:
        await session.execute(_TURNS, {"keys": sorted({event.partitionkey for event in events})})
        await insert_events(session, events)
    return events


def events_of(sayings: Sequence[Saying], at: dt.datetime) -> list[Event]:
    """The facts as they go onto the bus. Raises ValueError as ``publish`` does."""
    for saying in sayings:
        _require_key(saying.key)
    trace = (current_trace(),)  # asked for each fact it took a fifth of the time
    return [
        Event.of(
            saying.fact,
            key=saying.key,
            region_code=saying.region_code,
            subject=saying.subject,
            at=at,
            trace=trace,
        )
        for saying in sayings
    ]


async def insert_events(session: AsyncSession, events: Sequence[Event]) -> None:
    """Write events to the outbox in the order given; the caller sees to the order within each key."""
    rows = {
        "topics": [topic_of(event.type) for event in events],
        "keys": [event.partitionkey for event in events],
        "bodies": [event.to_bytes() for event in events],
    }
    await session.execute(_INSERT_MANY, rows)


def _require_key(key: str) -> None:
    if not 0 < len(key) <= LONGEST_KEY:
        raise ValueError(f"a key has 1 to {LONGEST_KEY} characters")
