"""The journal: what each region sent, received, answered and decided; append-only and hash-chained.

Two chains run through it: one per region (nothing can be taken out of the region's journal unseen) and one
per conversation (an exported case can be checked on its own). Entries hold message headers, never bodies, so
no personal data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from libs.exchange.canonical import JsonObject, canonical, digest
from libs.exchange.envelope import Moment
from libs.exchange.faults import Code, Fault
from libs.exchange.tables import journal


class Event(StrEnum):
    """What an entry records, and what its ``content`` holds."""

    SENT = "sent"
    """A message of ours was signed and queued: ``header``, ``money``."""
    RECEIVED = "received"
    """A message was stored: ``header``, ``receipt`` (delivered or parked), ``money``."""
    DELIVERED = "delivered"
    """A parked message was delivered: ``receipt``."""
    REFUSED = "refused"
    """A message was refused: ``header``, ``refusal``."""
    RECEIPT = "receipt"
    """The other side's ``receipt`` for a message of ours came in."""
    REFUSAL = "refusal"
    """The other side's ``refusal`` came in."""
    UNDELIVERABLE = "undeliverable"
    """We stopped trying: ``reason``."""
    DECISION = "decision"
    """An officer or a rule decided: ``decision``, ``decided_by``, ``reason``."""
    MONEY = "money"
    """A ledger fact: ``fact`` (paid_out, received, credited), ``amount_fen``, ``ledger_reference``."""


class Entry(BaseModel):
    """One line of the journal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region_code: str
    position: int
    conversation: str
    case_position: int
    at: Moment
    event: Event
    message_id: UUID | None
    content: JsonObject
    previous_hash: str | None
    case_previous_hash: str | None
    hash: str = ""

    def computed_hash(self) -> str:
        """What ``hash`` has to be."""
        return digest(canonical(self.model_dump(mode="json", exclude={"hash"})))


async def append(
    session: AsyncSession,
    *,
    own_region: str,
    conversation: str,
    event: Event,
    content: JsonObject,
    at: dt.datetime,
    message_id: UUID | None = None,
) -> Entry:
    """Add an entry. Holds the region's journal until the caller's transaction ends, so append late."""
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"exchange_journal:{own_region}", 0)))
    )
    position, previous_hash = await _last(session, journal.c.position, own_region)
    case_position, case_previous_hash = await _last(
        session, journal.c.case_position, own_region, conversation
    )
    entry = Entry(
        region_code=own_region,
        position=position + 1,
        conversation=conversation,
        case_position=case_position + 1,
        at=at,
        event=event,
        message_id=message_id,
        content=content,
        previous_hash=previous_hash,
        case_previous_hash=case_previous_hash,
    )
    entry = entry.model_copy(update={"hash": entry.computed_hash()})
    await session.execute(insert(journal).values(entry.model_dump()))
    return entry


async def read(session: AsyncSession, own_region: str, conversation: str | None = None) -> list[Entry]:
    """The region's journal, or one conversation of it, in order."""
    query = select(journal).where(journal.c.region_code == own_region).order_by(journal.c.position)
    if conversation is not None:
        query = query.where(journal.c.conversation == conversation)
    rows = (await session.execute(query)).mappings()
    return [Entry.model_validate(dict(row)) for row in rows]


def applied(entries: Sequence[Entry]) -> list[UUID]:
    """Ids of the messages that moved the conversation, in the order this side saw them."""
    return [entry.message_id for entry in entries if entry.message_id is not None and _applies(entry)]


def _applies(entry: Entry) -> bool:
    if entry.event is Event.RECEIVED:
        return bool(entry.content["receipt"]["stored"] == "delivered")
    return entry.event in (Event.SENT, Event.DELIVERED)


def verify_chain(entries: Sequence[Entry]) -> list[Fault]:
    """What is wrong with a whole region's journal, from its first entry on."""
    return _chain_faults(entries, ((entry.position, entry.previous_hash) for entry in entries))


def verify_case_chain(entries: Sequence[Entry]) -> list[Fault]:
    """What is wrong with one conversation's entries, from the first on."""
    return _chain_faults(entries, ((entry.case_position, entry.case_previous_hash) for entry in entries))


def _chain_faults(entries: Sequence[Entry], links: Iterable[tuple[int, str | None]]) -> list[Fault]:
    faults = []
    before: str | None = None
    for expected, (entry, (position, previous)) in enumerate(zip(entries, links, strict=True), 1):
        problems = []
        if position != expected:
            problems.append(f"序号应为{expected}，实际是{position}，中间有缺失或颠倒")
        if previous != before:
            problems.append("与前一条不相接")
        if entry.hash != entry.computed_hash():
            problems.append("内容与其哈希不符，被改动过")
        before = entry.hash
        faults += [_fault(entry, problem) for problem in problems]
    return faults


def _fault(entry: Entry, problem: str) -> Fault:
    said = f"日志第{entry.position}条（{entry.event}，{entry.at:%Y-%m-%d %H:%M:%S}）：{problem}"
    return Fault(code=Code.CHAIN_BROKEN, field=f"journal[{entry.position}]", message=said)


async def _last(
    session: AsyncSession, number: Column[int], own_region: str, conversation: str | None = None
) -> tuple[int, str | None]:
    """Highest number so far (0 if none) and the hash of its entry."""
    query = select(number, journal.c.hash).where(journal.c.region_code == own_region)
    if conversation is not None:
        query = query.where(journal.c.conversation == conversation)
    row = (await session.execute(query.order_by(number.desc()).limit(1))).first()
    return (row[0], row[1]) if row else (0, None)
