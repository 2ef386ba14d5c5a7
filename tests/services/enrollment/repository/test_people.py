"""Locking people: what was read before the lock is not what counts."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from libs.webapp.database import ALL_REGIONS
from services.enrollment.repository import people
from tests.services.enrollment.counter import ZAOZHUANG, Counter

CHANGED = text("UPDATE persons SET version = version + 1")


async def test_a_record_read_before_it_is_locked_is_read_again(counter: Counter) -> None:
    card = await counter.person()
    database = counter.resources.database
    for key in (None, card.key):
        async with database.transaction(ALL_REGIONS) as session:
            seen = await people.find_person(session, UUID(card.id))
            assert seen is not None
            before = seen.version
            async with database.transaction(ALL_REGIONS) as other:
                await other.execute(CHANGED)
            locked = (
                await people.lock_person_by_key(session, ZAOZHUANG, key)
                if key
                else await people.lock_person(session, UUID(card.id))
            )
            assert locked is seen
            assert locked.version == before + 1
