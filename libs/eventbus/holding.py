"""Inbox, held keys, parked events, dead letters: the consumer's book-keeping, in SQL.

Everything happens in the transaction of the handler. Order of the locks: inbox rows (another
member handling the same event is waited for), then the held keys (an operator or the replay is
waited for), then the handler's own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from libs.eventbus.deliveries import Delivery, Parked
from libs.eventbus.tables import dead_letter, held_key, parked_event

# In order of the ids, so that two members with the same events cannot lock each other out.
_CLAIM = text(
    """
    INSERT INTO inbox (consumer, event_id)
    SELECT :consumer, id FROM unnest(:ids) AS id ORDER BY id
    ON CONFLICT DO NOTHING RETURNING event_id
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))

_HELD = text(
    "SELECT key FROM held_key WHERE consumer = :consumer AND key = ANY (:keys) ORDER BY key FOR SHARE"
).bindparams(bindparam("keys", type_=ARRAY(Text)))


async def claim(session: AsyncSession, consumer: str, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Enter events in the inbox; those that were not there yet, each once, in order."""
    ids = list({delivery.event_id for delivery in deliveries})
    result = await session.execute(_CLAIM, {"consumer": consumer, "ids": ids})
    new: set[UUID] = set(result.scalars())
    fresh = []
    for delivery in deliveries:
        if delivery.event_id in new:
            new.remove(delivery.event_id)
            fresh.append(delivery)
    return fresh


async def held_keys(session: AsyncSession, consumer: str, keys: Collection[str]) -> set[str]:
    """Those of the keys that must wait; they stay as they are until the transaction ends."""
    result = await session.execute(_HELD, {"consumer": consumer, "keys": sorted(keys)})
    return set(result.scalars())


async def park(session: AsyncSession, consumer: str, delivery: Delivery) -> None:
    """Let an event wait behind the dead letter of its key."""
    await session.execute(
        insert(parked_event).values(
            consumer=consumer,
            topic=delivery.topic,
            key=delivery.key,
            event_id=delivery.event_id,
            region_code=delivery.event.regioncode,
            body=delivery.body,
        )
    )


async def bury(session: AsyncSession, consumer: str, delivery: Delivery) -> None:
    """Write the dead letter of a delivery with a fault, and hold its key."""
    assert delivery.fault is not None
    letter = {
        "id": uuid7(),
        "consumer": consumer,
        "topic": delivery.topic,
        "key": delivery.key,
        "event_id": delivery.event_id,
        "event_type": delivery.event.type,
        "region_code": delivery.event.regioncode,
        "body": delivery.body,
        "fault": delivery.fault.kind.value,
        "reason": delivery.fault.reason,
        "attempts": delivery.fault.attempts,
    }
    if delivery.held_order is not None:
        letter["held_order"] = delivery.held_order
    await session.execute(insert(dead_letter).values(letter))
    hold = upsert(held_key).values(consumer=consumer, key=delivery.key, released=False)
    await session.execute(
        hold.on_conflict_do_update(index_elements=["consumer", "key"], set_={"released": False})
    )


async def released_keys(session: AsyncSession, consumer: str, limit: int = 100) -> list[str]:
    """Keys an operator has let go whose parked events are not all handled yet."""
    query = select(held_key.c.key).where(held_key.c.consumer == consumer, held_key.c.released).limit(limit)
    return list((await session.execute(query)).scalars())


async def lock_released(session: AsyncSession, consumer: str, key: str) -> bool:
    """Lock a released key against consumers and operators. False if it is released no more."""
    query = select(held_key.c.key).where(
        held_key.c.consumer == consumer, held_key.c.key == key, held_key.c.released
    )
    return (await session.execute(query.with_for_update())).first() is not None


async def first_parked(session: AsyncSession, consumer: str, key: str) -> Parked | None:
    """The event of a key that comes next."""
    query = (
        select(*(parked_event.c[name] for name in Parked._fields))
        .where(parked_event.c.consumer == consumer, parked_event.c.key == key)
        .order_by(parked_event.c.held_order)
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return None if row is None else Parked(*row)


async def unpark(session: AsyncSession, held_order: int) -> None:
    """The event waits no longer."""
    await session.execute(delete(parked_event).where(parked_event.c.held_order == held_order))


async def let_go(session: AsyncSession, consumer: str, key: str) -> None:
    """Nothing of this key waits any more."""
    await session.execute(delete(held_key).where(held_key.c.consumer == consumer, held_key.c.key == key))


async def release(session: AsyncSession, consumer: str, key: str) -> None:
    """Mark a key so that the consumer works off what is parked."""
    mark = update(held_key).where(held_key.c.consumer == consumer, held_key.c.key == key)
    await session.execute(mark.values(released=True))
