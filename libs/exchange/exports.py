"""A case as one region saw it, in one file that can be checked without this system (``verification.py``)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from libs.exchange import conversations, journal
from libs.exchange.canonical import JsonObject
from libs.exchange.envelope import Message, Receipt, Refusal, read_answer
from libs.exchange.journal import Entry
from libs.exchange.keeping import PLAIN, BodyKeeper, restored
from libs.exchange.seals import KeyDirectory, TrustedKey
from libs.exchange.standing import Conversation
from libs.exchange.tables import incoming, outgoing


class ExportedMessage(BaseModel):
    """A message, how its delivery stands, and the answer it got, if any."""

    model_config = ConfigDict(extra="forbid")

    message: Message
    state: Literal["queued", "receipted", "refused", "undeliverable", "parked", "delivered"]
    answer: Receipt | Refusal | None


class Export(BaseModel):
    """The file. Contains personal data: the bodies."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["yibao-exchange-case/1"] = "yibao-exchange-case/1"
    region_code: str
    peer_region: str
    conversation: str
    standing: Conversation
    sent: list[ExportedMessage]
    received: list[ExportedMessage]
    journal: list[Entry]
    keys: list[TrustedKey]


async def export_case(
    session: AsyncSession,
    own_region: str,
    conversation: str,
    *,
    directory: KeyDirectory | None = None,
    keeper: BodyKeeper = PLAIN,
) -> JsonObject:
    """Everything ``own_region`` has of the conversation, as JSON values.

    With ``directory`` the public keys of both regions go along; a careful reader uses keys got elsewhere.
    Raises KeyError if there is no such conversation.
    """
    held = await conversations.find(session, own_region, conversation)
    if held is None:
        raise KeyError(f"{own_region}没有会话{conversation}")
    export = Export(
        region_code=own_region,
        peer_region=held.peer_region,
        conversation=conversation,
        standing=held.standing,
        sent=await _sent(session, own_region, conversation, keeper),
        received=await _received(session, own_region, conversation, keeper),
        journal=await journal.read(session, own_region, conversation),
        keys=directory.of(own_region, held.peer_region) if directory else [],
    )
    return export.model_dump(mode="json")


async def _sent(
    session: AsyncSession, own_region: str, conversation: str, keeper: BodyKeeper
) -> list[ExportedMessage]:
    query = (
        select(outgoing)
        .where(outgoing.c.region_code == own_region, outgoing.c.conversation == conversation)
        .order_by(outgoing.c.sequence)
    )
    return [
        ExportedMessage(
            message=restored(row.header, row.body, keeper),
            state=row.state,
            answer=read_answer(row.answer) if row.answer else None,
        )
        for row in await session.execute(query)
    ]


async def _received(
    session: AsyncSession, own_region: str, conversation: str, keeper: BodyKeeper
) -> list[ExportedMessage]:
    query = (
        select(incoming)
        .where(incoming.c.region_code == own_region, incoming.c.conversation == conversation)
        .order_by(incoming.c.sequence)
    )
    return [
        ExportedMessage(
            message=restored(row.header, row.body, keeper), state=row.state, answer=read_answer(row.answer)
        )
        for row in await session.execute(query)
    ]
