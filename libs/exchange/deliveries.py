"""The queue of messages to deliver: leases on it, and what became of each message.

A lease only keeps two senders from doing the same work; if it fails (a clock that jumps, a sender stopped and
continued), the message is delivered twice and the receiver recognises it. A receipt is a fact and is recorded
whoever brings it; a failure is recorded only by the holder of the lease.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from libs.exchange import conversations, journal
from libs.exchange.canonical import JsonObject
from libs.exchange.conversations import HeldConversation
from libs.exchange.envelope import Message, Receipt, Refusal
from libs.exchange.journal import Event
from libs.exchange.keeping import BodyKeeper
from libs.exchange.tables import outgoing


@dataclass(frozen=True)
class Undeliverable:
    """The hard end passed without a receipt."""

    reason: str


Outcome = Receipt | Refusal | Undeliverable


@dataclass(frozen=True)
class Leased:
    """A message to deliver now, as stored; ``attempts`` counts this one."""

    header: JsonObject
    body: bytes
    attempts: int
    lease: UUID


async def lease_due(
    session: AsyncSession, now: dt.datetime, *, lease: dt.timedelta, limit: int
) -> list[Leased]:
    """Lease up to ``limit`` due messages, of each conversation only the first that is still queued."""
    earlier = outgoing.alias("earlier")
    held_up = (
        select(earlier.c.message_id)
        .where(
            earlier.c.region_code == outgoing.c.region_code,
            earlier.c.conversation == outgoing.c.conversation,
            earlier.c.to_region == outgoing.c.to_region,
            earlier.c.sequence < outgoing.c.sequence,
            earlier.c.state == "queued",
        )
        .exists()
    )
    due = (
        select(outgoing.c.region_code, outgoing.c.message_id)
        .where(
            outgoing.c.state == "queued",
            outgoing.c.next_attempt_at <= now,
            or_(outgoing.c.leased_until.is_(None), outgoing.c.leased_until <= now),
            ~held_up,
        )
        .order_by(outgoing.c.next_attempt_at, outgoing.c.message_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).cte("due")
    rows = await session.execute(
        update(outgoing)
        .where(outgoing.c.region_code == due.c.region_code, outgoing.c.message_id == due.c.message_id)
        .values(attempts=outgoing.c.attempts + 1, leased_until=now + lease, lease=uuid4())
        .returning(outgoing.c.header, outgoing.c.body, outgoing.c.attempts, outgoing.c.lease)
    )
    return [Leased(row.header, row.body, row.attempts, row.lease) for row in rows]


async def record_receipt(session: AsyncSession, message: Message, receipt: Receipt, now: dt.datetime) -> bool:
    """The receiver has delivered the message. False if that was known already."""
    await _hold(session, message, now)
    if not await _close(session, message, "receipted", answer=receipt.wire()):
        return False
    await _journal(session, message, Event.RECEIPT, {"receipt": receipt.wire()}, now)
    return True


async def send_missing_again(
    session: AsyncSession, message: Message, missing: Sequence[int], now: dt.datetime
) -> None:
    """What the receiver asks for goes out again, receipted or not: it may be back from an old backup."""
    await session.execute(
        update(outgoing)
        .where(
            outgoing.c.region_code == message.from_region,
            outgoing.c.conversation == message.conversation,
            outgoing.c.to_region == message.to_region,
            outgoing.c.sequence.in_(missing),
        )
        .values(state="queued", next_attempt_at=now, leased_until=None, lease=None)
    )


async def record_refusal(
    session: AsyncSession, message: Message, refusal: Refusal, keeper: BodyKeeper, now: dt.datetime
) -> bool:
    """The receiver will never take the message: the conversation stands as if it had not been sent."""
    held = await _hold(session, message, now)
    if not await _close(session, message, "refused", answer=refusal.wire()):
        return False
    standing = await conversations.rebuild(session, held, keeper)
    await conversations.save(session, replace(held, standing=standing), now)
    await _journal(session, message, Event.REFUSAL, {"refusal": refusal.wire()}, now)
    return True


async def record_failure(
    session: AsyncSession,
    message: Message,
    lease: UUID,
    reason: str,
    now: dt.datetime,
    retry_in: dt.timedelta,
) -> bool:
    """No usable answer came. True if the hard end has passed and the message is given up."""
    over = now >= message.expires_at
    values: dict[str, object] = {"last_error": reason, "leased_until": None, "lease": None}
    if over:
        await _hold(session, message, now)
        values["state"] = "undeliverable"
    # The last attempt falls on the hard end itself, so that a message is not given up long before or after.
    at = min(now + retry_in, message.expires_at)
    recorded = await session.execute(
        update(outgoing)
        .where(_is(message), outgoing.c.state == "queued", outgoing.c.lease == lease)
        .values(next_attempt_at=at, **values)
        .returning(outgoing.c.message_id)
    )
    if recorded.first() is None or not over:
        return False
    await _journal(session, message, Event.UNDELIVERABLE, {"reason": reason}, now)
    return True


async def _hold(session: AsyncSession, message: Message, now: dt.datetime) -> HeldConversation:
    """Before the journal and whatever the service locks (the order is in ``conversations``)."""
    return await conversations.hold(
        session, message.from_region, message.conversation, message.to_region, now
    )


async def _close(session: AsyncSession, message: Message, state: str, *, answer: JsonObject) -> bool:
    closed = await session.execute(
        update(outgoing)
        .where(_is(message), outgoing.c.state.in_(("queued", "undeliverable")))
        .values(state=state, answer=answer, leased_until=None, lease=None, last_error=None)
        .returning(outgoing.c.message_id)
    )
    return closed.first() is not None


def _is(message: Message) -> ColumnElement[bool]:
    return and_(outgoing.c.region_code == message.from_region, outgoing.c.message_id == message.id)


async def _journal(
    session: AsyncSession, message: Message, event: Event, content: JsonObject, now: dt.datetime
) -> None:
    await journal.append(
        session,
        own_region=message.from_region,
        conversation=message.conversation,
        event=event,
        content=content,
        at=now,
        message_id=message.id,
    )
