"""Dead letters for the people who look after them: find, replay, skip.

An operator's decision is recorded in the letter and never changed again. Replay and skip release
the key: the consumer then works off what has waited, in order, and holds the key again at the next
failure (a new letter). A replayed event takes its old place, before all that waited behind it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from libs.eventbus import holding
from libs.eventbus.relay_sql import SCOPE as RELAY
from libs.eventbus.tables import dead_letter, held_key, outbox, parked_event

State = Literal["open", "replayed", "skipped"]


class UnknownDeadLetter(LookupError):
    """No such dead letter, or none of the caller's regions."""


class DeadLetterClosed(ValueError):
    """The dead letter was replayed or skipped before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One event given up by a consumer, or (consumer ``relay``) one the broker refused.

    ``waiting`` counts the events parked behind it.
    """

    id: UUID
    consumer: str
    topic: str
    key: str
    event_id: UUID
    event_type: str
    region_code: str
    body: bytes
    fault: str
    reason: str
    attempts: int
    failed_at: dt.datetime
    state: State
    closed_at: dt.datetime | None
    closed_by: str | None
    close_reason: str | None
    waiting: int


_COLUMNS = [column for column in dead_letter.c if column.name != "held_order"]
_WAITING = (
    select(func.count())
    .where(parked_event.c.consumer == dead_letter.c.consumer, parked_event.c.key == dead_letter.c.key)
    .scalar_subquery()
)


async def search(
    session: AsyncSession,
    *,
    state: State | None = "open",
    consumer: str | None = None,
    key: str | None = None,
    event_type: str | None = None,
    region_code: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[DeadLetter]:
    """Dead letters, oldest first; ``after`` is the last id of the page before."""
    wanted = {"state": state, "consumer": consumer, "key": key}
    wanted |= {"event_type": event_type, "region_code": region_code}
    query = select(*_COLUMNS, _WAITING.label("waiting")).order_by(dead_letter.c.id).limit(limit)
    query = query.where(
        *(dead_letter.c[name] == value for name, value in wanted.items() if value is not None)
    )
    if after is not None:
        query = query.where(dead_letter.c.id > after)
    return [DeadLetter(**row) for row in (await session.execute(query)).mappings()]


async def replay(
    session: AsyncSession, letter_id: UUID, *, operator: str, reason: str, at: dt.datetime
) -> None:
    """Hand the event to its consumer again, with a fresh count of attempts.

    Raises ``UnknownDeadLetter``, ``DeadLetterClosed``, ``ValueError`` (no operator or reason).
    """
    letter = await _close(session, letter_id, "replayed", operator, reason, at)
    if letter.consumer == RELAY:  # the row still stands in the outbox and is free again
        return
    await session.execute(
        insert(parked_event).values(
            held_order=letter.held_order,
            consumer=letter.consumer,
            topic=letter.topic,
            key=letter.key,
            event_id=letter.event_id,
            region_code=letter.region_code,
            body=letter.body,
        )
    )
    await holding.release(session, letter.consumer, letter.key)


async def skip(
    session: AsyncSession, letter_id: UUID, *, operator: str, reason: str, at: dt.datetime
) -> None:
    """Leave the event out for good and let the later ones of its key go on.

    Raises ``UnknownDeadLetter``, ``DeadLetterClosed``, ``ValueError`` (no operator or reason).
    """
    letter = await _close(session, letter_id, "skipped", operator, reason, at)
    if letter.consumer == RELAY:
        await session.execute(delete(outbox).where(outbox.c.id == letter.held_order))
        return
    await holding.release(session, letter.consumer, letter.key)


async def _close(
    session: AsyncSession, letter_id: UUID, state: State, operator: str, reason: str, at: dt.datetime
) -> Row[tuple[object, ...]]:
    if not operator.strip() or not reason.strip():
        raise ValueError("an operator and a reason are needed")
    letter = (await session.execute(select(dead_letter).where(dead_letter.c.id == letter_id))).first()
    if letter is None:
        raise UnknownDeadLetter(str(letter_id))
    await _lock_key(session, letter.consumer, letter.key)
    closed = await session.execute(
        update(dead_letter)
        .where(dead_letter.c.id == letter_id, dead_letter.c.state == "open")
        .values(state=state, closed_at=at, closed_by=operator, close_reason=reason)
        .returning(dead_letter.c.id)
    )
    if closed.first() is None:
        raise DeadLetterClosed(str(letter_id))
    return letter


async def _lock_key(session: AsyncSession, consumer: str, key: str) -> None:
    """A consumer that is just parking something for the key comes first."""
    query = select(held_key.c.key).where(held_key.c.consumer == consumer, held_key.c.key == key)
    await session.execute(query.with_for_update())
