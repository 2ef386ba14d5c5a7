"""The conversations of a region, as rows: held while one message is sent or received, then saved.

Lock order: conversation, then whatever the service locks, then the journal. Receiving and recording keep to
it; a service that locks its case before it sends should ``hold`` the conversation first, or risk a deadlock
with a message that is just coming in for the same case.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from libs.exchange import journal
from libs.exchange.bodies import read_body
from libs.exchange.conversation import apply
from libs.exchange.envelope import Message
from libs.exchange.faults import ExchangeFault
from libs.exchange.keeping import BodyKeeper, restored
from libs.exchange.standing import Conversation
from libs.exchange.tables import conversations, incoming, outgoing


@dataclass
class HeldConversation:
    """A conversation as ``own_region`` sees it. ``handled_sequence`` is the peer's last message in order."""

    own_region: str
    conversation: str
    peer_region: str
    standing: Conversation
    sent_sequence: int
    handled_sequence: int


async def hold(
    session: AsyncSession, own_region: str, conversation: str, peer_region: str, at: dt.datetime
) -> HeldConversation:
    """The conversation, created if new, locked until the transaction ends."""
    held = await _load(session, own_region, conversation, lock=True)
    if held is None:
        await session.execute(
            insert(conversations)
            .values(
                region_code=own_region,
                conversation=conversation,
                peer_region=peer_region,
                standing=Conversation().model_dump(mode="json"),
                opened_at=at,
                updated_at=at,
            )
            .on_conflict_do_nothing()
        )
        held = await _load(session, own_region, conversation, lock=True)
    assert held is not None, "row-level security hides the conversation just created"
    return held


async def find(session: AsyncSession, own_region: str, conversation: str) -> HeldConversation | None:
    """The conversation as it stands, without a lock; None if there is none."""
    return await _load(session, own_region, conversation, lock=False)


async def save(session: AsyncSession, held: HeldConversation, at: dt.datetime) -> None:
    """Write back what changed."""
    await session.execute(
        update(conversations)
        .where(
            conversations.c.region_code == held.own_region,
            conversations.c.conversation == held.conversation,
        )
        .values(
            state=held.standing.state,
            standing=held.standing.model_dump(mode="json"),
            sent_sequence=held.sent_sequence,
            handled_sequence=held.handled_sequence,
            updated_at=at,
        )
    )


async def rebuild(session: AsyncSession, held: HeldConversation, keeper: BodyKeeper) -> Conversation:
    """The standing without what the other side refused: all other messages again, in the order seen here."""
    messages = await _messages(session, held, keeper)
    entries = await journal.read(session, held.own_region, held.conversation)
    standing = Conversation()
    for message_id in journal.applied(entries):
        if (message := messages.get(message_id)) is not None:
            standing = _reapplied(standing, message, held.own_region)
    return standing


def _reapplied(standing: Conversation, message: Message, own_region: str) -> Conversation:
    body = read_body(message.kind, message.kind_version, message.body)
    try:
        return apply(standing, message, body, sending=message.from_region == own_region)
    except ExchangeFault:
        # It built on what was refused, so the other side is going to refuse it as well.
        return standing


async def _messages(session: AsyncSession, held: HeldConversation, keeper: BodyKeeper) -> dict[UUID, Message]:
    found: dict[UUID, Message] = {}
    for table in (outgoing, incoming):
        rows = await session.execute(
            select(table.c.message_id, table.c.header, table.c.body).where(
                table.c.region_code == held.own_region,
                table.c.conversation == held.conversation,
                table.c.state != "refused",
            )
        )
        found |= {row.message_id: restored(row.header, row.body, keeper) for row in rows}
    return found


async def _load(
    session: AsyncSession, own_region: str, conversation: str, *, lock: bool
) -> HeldConversation | None:
    query = select(conversations).where(
        conversations.c.region_code == own_region, conversations.c.conversation == conversation
    )
    row = (await session.execute(query.with_for_update() if lock else query)).first()
    if row is None:
        return None
    return HeldConversation(
        own_region=row.region_code,
        conversation=row.conversation,
        peer_region=row.peer_region,
        standing=Conversation.model_validate(row.standing),
        sent_sequence=row.sent_sequence,
        handled_sequence=row.handled_sequence,
    )
