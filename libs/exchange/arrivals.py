"""The messages a region has received, as rows: every one is kept with its answer for the life of the case."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from libs.exchange import journal
from libs.exchange.bodies import money_of, read_body
from libs.exchange.canonical import JsonObject
from libs.exchange.conversations import HeldConversation
from libs.exchange.envelope import Message, Receipt, Refusal, read_answer
from libs.exchange.journal import Event
from libs.exchange.keeping import BodyKeeper, kept_body, restored
from libs.exchange.tables import incoming


@dataclass
class Arrival:
    """A message received before, and the answer it got. ``message`` is None if it was refused."""

    message_id: UUID
    digest: str
    answer: Receipt | Refusal
    message: Message | None


class Arrivals:
    """Reads and writes ``exchange_incoming`` and its journal entries, within one transaction."""

    def __init__(self, session: AsyncSession, keeper: BodyKeeper, now: dt.datetime) -> None:
        self._session = session
        self._keeper = keeper
        self._now = now

    async def of_same_id_or_number(self, message: Message) -> list[Arrival]:
        """Earlier arrivals from the same region with this id, or this number in this conversation."""
        query = select(incoming).where(
            incoming.c.region_code == message.to_region,
            incoming.c.from_region == message.from_region,
            or_(
                incoming.c.message_id == message.id,
                (incoming.c.conversation == message.conversation) & (incoming.c.sequence == message.sequence),
            ),
        )
        return [self._arrival(row) for row in await self._session.execute(query)]

    async def numbered(self, held: HeldConversation, sequence: int) -> Arrival | None:
        """The peer's message with this number in the conversation."""
        query = select(incoming).where(
            incoming.c.region_code == held.own_region,
            incoming.c.conversation == held.conversation,
            incoming.c.from_region == held.peer_region,
            incoming.c.sequence == sequence,
        )
        row = (await self._session.execute(query)).first()
        return self._arrival(row) if row else None

    async def missing(self, held: HeldConversation, before: int) -> tuple[int, ...]:
        """Numbers after the last one in order and before ``before`` that have not come."""
        query = select(incoming.c.sequence).where(
            incoming.c.region_code == held.own_region,
            incoming.c.conversation == held.conversation,
            incoming.c.from_region == held.peer_region,
            incoming.c.sequence > held.handled_sequence,
        )
        here = set((await self._session.execute(query)).scalars())
        return tuple(number for number in range(held.handled_sequence + 1, before) if number not in here)

    async def keep(self, message: Message, answer: Receipt | Refusal, *, was_parked: bool = False) -> None:
        """Store the message with its answer, or the new answer to a message that was parked; journal it."""
        state = answer.stored if isinstance(answer, Receipt) else "refused"
        if was_parked:
            await self._session.execute(
                update(incoming)
                .where(
                    incoming.c.region_code == message.to_region,
                    incoming.c.from_region == message.from_region,
                    incoming.c.message_id == message.id,
                )
                .values(state=state, answer=answer.wire())
            )
        else:
            await self._insert(message, state, answer)
        event, content = _entry(message, answer, was_parked)
        await journal.append(
            self._session,
            own_region=message.to_region,
            conversation=message.conversation,
            event=event,
            content=content,
            at=self._now,
            message_id=message.id,
        )

    async def _insert(self, message: Message, state: str, answer: Receipt | Refusal) -> None:
        await self._session.execute(
            insert(incoming).values(
                region_code=message.to_region,
                from_region=message.from_region,
                message_id=message.id,
                conversation=message.conversation,
                sequence=message.sequence,
                kind=message.kind,
                digest=message.digest(),
                header=message.header(),
                body=kept_body(message, self._keeper),
                state=state,
                answer=answer.wire(),
                received_at=self._now,
            )
        )

    def _arrival(self, row: Row[tuple[object, ...]]) -> Arrival:
        message = None if row.state == "refused" else restored(row.header, row.body, self._keeper)
        return Arrival(row.message_id, row.digest, read_answer(row.answer), message)


def _entry(message: Message, answer: Receipt | Refusal, was_parked: bool) -> tuple[Event, JsonObject]:
    if isinstance(answer, Refusal):
        return Event.REFUSED, {"header": message.header(), "refusal": answer.wire()}
    if was_parked:
        return Event.DELIVERED, {"receipt": answer.wire()}
    money = money_of(read_body(message.kind, message.kind_version, message.body))
    content = {"header": message.header(), "receipt": answer.wire(), "money": money}
    return Event.RECEIVED, content
