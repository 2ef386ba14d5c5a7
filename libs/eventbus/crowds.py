"""Saying facts about a crowd: one statement however many, where the caller orders the keys itself.

``outbox.publish`` takes a lock a key, and PostgreSQL has room for some thousands of locks in all
(max_locks_per_transaction × max_connections): a merger of employers has more people than that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from libs.contracts.base import Fact, topic_of
from libs.eventbus.envelope import Event
from libs.eventbus.outbox import LONGEST_KEY
from libs.eventbus.tables import SHARDS

_INSERT = text(
    f"""
    INSERT INTO outbox (shard, topic, key, body)
    SELECT hashtextextended(said.key, 0) & {SHARDS - 1}, said.topic, said.key, said.body
    FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:bodies AS bytea[]))
        WITH ORDINALITY AS said (topic, key, body, place)
    ORDER BY said.place
    """
)


@dataclass(frozen=True, slots=True)
class Said:
    """A fact to publish; ``key``, ``region_code`` and ``subject`` as in ``outbox.publish``."""

    fact: Fact
    key: str
    region_code: str
    subject: str


async def publish_under_locks(session: AsyncSession, sayings: Sequence[Said], *, at: dt.datetime) -> None:
    """Write the facts to the outbox of the caller's transaction, in the order given.

    The caller holds a lock for every key (the row of its person) that whoever publishes under the key
    takes before: that, not the outbox, keeps each key's facts in order here. ``at`` is aware.
    Raises ``ValueError`` for a key that is empty or longer than 200 characters.
    """
    if any(not 0 < len(one.key) <= LONGEST_KEY for one in sayings):
        raise ValueError(f"a key has 1 to {LONGEST_KEY} characters")
    events = [
        Event.of(one.fact, key=one.key, region_code=one.region_code, subject=one.subject, at=at)
        for one in sayings
    ]
    rows = {
        "topics": [topic_of(event.type) for event in events],
        "keys": [event.partitionkey for event in events],
        "bodies": [event.to_bytes() for event in events],
    }
    await session.execute(_INSERT, rows)
