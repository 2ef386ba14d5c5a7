"""Saying facts about a crowd: one statement however many, where the caller orders the keys itself.

``outbox.publish`` takes a lock a key, and PostgreSQL has room for some thousands of locks in all
(max_locks_per_transaction × max_connections): a merger of employers has more people than that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from libs.eventbus.outbox import Saying, events_of, insert_events


async def publish_under_locks(session: AsyncSession, sayings: Sequence[Saying], *, at: dt.datetime) -> None:
    """Write the facts to the outbox of the caller's transaction, in the order given.

    The caller holds a lock for every key (the row of its person) that whoever publishes under the key
    takes before: that, not the outbox, keeps each key's facts in order here. ``at`` is aware.
    Raises ``ValueError`` for a key that is empty or longer than 200 characters.
    """
    await insert_events(session, events_of(sayings, at))
