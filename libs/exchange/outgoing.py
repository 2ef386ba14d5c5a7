"""Sending, first half: number, sign, journal and queue a message in the caller's transaction."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from libs.exchange import conversations, journal
from libs.exchange.bodies import BODIES, Body, money_of, read_body, write_body
from libs.exchange.conversation import apply, default_answer
from libs.exchange.conversations import HeldConversation
from libs.exchange.envelope import Kind, Message, draft
from libs.exchange.faults import Code, ExchangeFault, Fault
from libs.exchange.journal import Event
from libs.exchange.keeping import PLAIN, BodyKeeper, kept_body, restored
from libs.exchange.seals import Signer, sealed
from libs.exchange.tables import outgoing


async def send(
    session: AsyncSession,
    *,
    conversation: str,
    kind: Kind,
    body: Body,
    own_region: str,
    to_region: str,
    signer: Signer,
    at: dt.datetime,
    expires_at: dt.datetime,
    answers: Message | str | None = None,
    keeper: BodyKeeper = PLAIN,
) -> Message:
    """Queue a signed message; the ``Sender`` delivers it once the caller's transaction has committed.

    ``answers``: the message answered, or its digest; left out, the one the table says. ``expires_at`` is the
    hard end of delivery. Raises ExchangeFault with every reason if the message is not allowed now.
    """
    held = await conversations.hold(session, own_region, conversation, to_region, at)
    if faults := _address_faults(held, to_region, signer, at, expires_at):
        raise ExchangeFault(faults)
    answered = answers.digest() if isinstance(answers, Message) else answers
    message = draft(
        id=uuid7(),
        kind=kind,
        kind_version=max(BODIES[kind]),
        conversation=conversation,
        sequence=held.sent_sequence + 1,
        from_region=own_region,
        to_region=to_region,
        created_at=at,
        expires_at=expires_at,
        body=write_body(body),
        answers_digest=answered or default_answer(held.standing, kind),
    )
    return await _queue(session, held, sealed(message, signer), keeper)


async def find(
    session: AsyncSession, own_region: str, message_id: UUID, keeper: BodyKeeper = PLAIN
) -> Message | None:
    """A message this region sent."""
    query = select(outgoing.c.header, outgoing.c.body).where(
        outgoing.c.region_code == own_region, outgoing.c.message_id == message_id
    )
    row = (await session.execute(query)).first()
    return restored(row.header, row.body, keeper) if row else None


async def requeue(session: AsyncSession, own_region: str, message_id: UUID, at: dt.datetime) -> bool:
    """Try an undeliverable message again, once or until its hard end; False if it was not undeliverable.

    Safe at any time: a message that had arrived is receipted again, one that is too late is refused, and a
    refused message no longer holds up the ones behind it.
    """
    again = await session.execute(
        update(outgoing)
        .where(
            outgoing.c.region_code == own_region,
            outgoing.c.message_id == message_id,
            outgoing.c.state == "undeliverable",
        )
        .values(state="queued", next_attempt_at=at)
        .returning(outgoing.c.message_id)
    )
    return again.first() is not None


async def _queue(
    session: AsyncSession, held: HeldConversation, message: Message, keeper: BodyKeeper
) -> Message:
    # Read back from JSON: what is sent is judged exactly as the receiver is going to judge it.
    body = read_body(message.kind, message.kind_version, message.body)
    held.standing = apply(held.standing, message, body, sending=True)
    held.sent_sequence = message.sequence
    await session.execute(
        insert(outgoing).values(
            region_code=message.from_region,
            message_id=message.id,
            conversation=message.conversation,
            sequence=message.sequence,
            to_region=message.to_region,
            kind=message.kind,
            digest=message.digest(),
            header=message.header(),
            body=kept_body(message, keeper),
            expires_at=message.expires_at,
            next_attempt_at=message.created_at,
        )
    )
    await conversations.save(session, held, message.created_at)
    await journal.append(
        session,
        own_region=message.from_region,
        conversation=message.conversation,
        event=Event.SENT,
        content={"header": message.header(), "money": money_of(body)},
        at=message.created_at,
        message_id=message.id,
    )
    return message


def _address_faults(
    held: HeldConversation,
    to_region: str,
    signer: Signer,
    at: dt.datetime,
    expires_at: dt.datetime,
) -> list[Fault]:
    faults = []
    if to_region == held.own_region:
        faults.append(_fault("to_region", f"接收地区应与发送地区{held.own_region}不同"))
    if to_region != held.peer_region:
        said = f"会话{held.conversation}的对方是{held.peer_region}，不能发给{to_region}"
        faults.append(_fault("to_region", said, Code.CONVERSATION_FOREIGN))
    if signer.region_code != held.own_region:
        faults.append(_fault("seal.signer", f"应由{held.own_region}签章，所给密钥属于{signer.region_code}"))
    if expires_at <= at:
        faults.append(_fault("expires_at", "失效时间应晚于发送时间"))
    return faults


def _fault(field: str, message: str, code: Code = Code.MALFORMED) -> Fault:
    return Fault(code=code, field=field, message=f"{message}（{field}）")
