"""Post business events: one transaction each, whose entries sum to 0, exactly once.

Posting is one SQL statement, for one event or for thousands. Accounts are locked in the order
of their ids, so postings never deadlock one another; a database transaction that posts more
than one event does so in one ``post_many``.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from libs.ledger.errors import (
    InvalidPosting,
    ReversalRefused,
    SourceConflict,
    TransactionNotFound,
    Unbalanced,
    translated,
)

MAX_BATCH_POSTINGS = 10_000
"""Of one ``post_many``: bounds the memory and the time the accounts stay locked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A signed amount on an account, in fen, never 0."""

    account_id: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Posting:
    """A business event to post. ``source_id`` names it for ever; ``occurred_on`` is its date of law.

    Raises InvalidPosting or Unbalanced when made wrongly.
    """

    source_id: str
    region_code: str
    purpose: str
    occurred_on: dt.date
    entries: Sequence[Entry]
    reverses: UUID | None = None

    def __post_init__(self) -> None:
        accounts = {entry.account_id for entry in self.entries}
        if len(accounts) < 2 or len(accounts) < len(self.entries):
            raise InvalidPosting(f"{self.source_id}: needs two or more entries on different accounts")
        if any(entry.amount_fen == 0 for entry in self.entries):
            raise InvalidPosting(f"{self.source_id}: an entry of 0 fen")
        if sum(entry.amount_fen for entry in self.entries) != 0:
            raise Unbalanced(f"{self.source_id}: the entries do not sum to 0")


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """An entry as it stands on its account."""

    account_id: UUID
    region_code: str
    fund: str
    amount_fen: int
    version: int
    balance_after_fen: int


@dataclass(frozen=True, slots=True)
class PostedTransaction:
    """A posted event; ``replayed`` when it had been posted before and nothing was done now."""

    id: UUID
    source_id: str
    region_code: str
    purpose: str
    occurred_on: dt.date
    reverses: UUID | None
    entries: tuple[PostedEntry, ...]
    replayed: bool


# A source known already inserts nothing, and so no entries. Versions on an account follow the order
# of the batch. Answered in columns, the lines in the order of their accounts' ids: a row for each of
# ten thousand lines would cost more than entering it.
_POST = text("""
    SELECT places, homes, funds, versions, balances_fen
    FROM ledger_post(CAST(:ids AS uuid[]), CAST(:regions AS text[]), CAST(:sources AS text[]),
                     CAST(:purposes AS text[]), CAST(:dates AS date[]), CAST(:reverses AS uuid[]),
                     CAST(:transactions AS uuid[]), CAST(:accounts AS uuid[]), CAST(:amounts AS bigint[]))
""")

_KNOWN = text("""
    SELECT t.id AS transaction_id, t.source_id, t.region_code AS home, t.purpose, t.occurred_on, t.reverses,
           e.account_id, e.region_code, e.fund, e.amount_fen, e.version, e.balance_after_fen
    FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id
    WHERE t.source_id = ANY(CAST(:sources AS text[]))
    ORDER BY e.account_id
""")


async def post(session: AsyncSession, posting: Posting) -> PostedTransaction:
    """Post one event: one round trip, two when it had been posted before.

    The same source and content again returns the first posting; other content raises
    SourceConflict. Raises InsufficientFunds, AccountNotFound, AccountClosed, Unbalanced,
    InvalidPosting, OutsideRegion, LedgerBusy.
    """
    return (await post_many(session, [posting]))[0]


async def post_many(session: AsyncSession, postings: Sequence[Posting]) -> list[PostedTransaction]:
    """Post up to MAX_BATCH_POSTINGS events, all or none; answers in the same order, as ``post`` does."""
    return await post_as(session, [(uuid7(), posting) for posting in postings])


async def post_all(session: AsyncSession, postings: Sequence[Posting]) -> int:
    """``post_many`` for whoever asks nothing of the entries: how many were posted now and not before.

    An object for each of ten thousand entries is what Python's collector then walks through, again and
    again: a third of the caller's time.
    """
    drafts = [(uuid7(), posting) for posting in postings]
    if not drafts:
        return 0
    columns, entered = await _enter(session, drafts)
    if not _plainly_right(postings, entered):
        told = await _told(session, drafts, columns, entered)
        return sum(not transaction.replayed for transaction in told)
    fresh = {columns["transactions"][place - 1] for place in entered.places}
    await _require_repeats(session, [posting for id, posting in drafts if id not in fresh])
    return len(fresh)


async def post_as(session: AsyncSession, drafts: Sequence[tuple[UUID, Posting]]) -> list[PostedTransaction]:
    """``post_many`` with the transactions' ids chosen by the caller (used for those posted now)."""
    if not drafts:
        return []
    return await _told(session, drafts, *await _enter(session, drafts))


async def _told(
    session: AsyncSession,
    drafts: Sequence[tuple[UUID, Posting]],
    columns: dict[str, list[Any]],
    entered: Row[Any],
) -> list[PostedTransaction]:
    fresh = _entered(columns, entered)
    known = await find_postings(session, [posting.source_id for id, posting in drafts if id not in fresh])
    return [
        _posted(id, posting, fresh[id]) if id in fresh else _replayed(posting, known.get(posting.source_id))
        for id, posting in drafts
    ]


async def _require_repeats(session: AsyncSession, postings: Sequence[Posting]) -> None:
    """Raises SourceConflict unless each of these was posted before, with the same content."""
    known = await find_postings(session, [posting.source_id for posting in postings])
    for posting in postings:
        _replayed(posting, known.get(posting.source_id))


async def _enter(
    session: AsyncSession, drafts: Sequence[tuple[UUID, Posting]]
) -> tuple[dict[str, list[Any]], Row[Any]]:
    """What was sent, and what the database answers, in columns."""
    if len(drafts) > MAX_BATCH_POSTINGS:
        raise InvalidPosting(f"{len(drafts)} postings in one batch; at most {MAX_BATCH_POSTINGS}")
    columns = _columns(drafts)
    with translated():
        return columns, (await session.execute(_POST, columns)).one()


async def find_postings(session: AsyncSession, source_ids: Sequence[str]) -> dict[str, PostedTransaction]:
    """Those of the events that are posted, by source id. One round trip; none for no ids."""
    if not source_ids:
        return {}
    rows = (await session.execute(_KNOWN, {"sources": list(source_ids)})).all()
    entries = _entries_by(rows, "source_id")
    return {
        row.source_id: PostedTransaction(
            id=row.transaction_id,
            source_id=row.source_id,
            region_code=row.home,
            purpose=row.purpose,
            occurred_on=row.occurred_on,
            reverses=row.reverses,
            entries=tuple(entries[row.source_id]),
            replayed=True,
        )
        for row in rows
    }


async def reverse(
    session: AsyncSession,
    source_id: str,
    *,
    new_source_id: str,
    purpose: str,
    occurred_on: dt.date,
    entries: Sequence[Entry] | None = None,
) -> PostedTransaction:
    """Reverse a posted event, as an event of its own (``new_source_id``), at most once.

    Without ``entries`` it is undone in full; with them in part: on the original's accounts,
    signs opposite, no amount above the original's. Two round trips. Raises TransactionNotFound,
    ReversalRefused (also for the reversal of a reversal), AlreadyReversed, and what ``post`` raises.
    """
    original = (await find_postings(session, [source_id])).get(source_id)
    if original is None:
        raise TransactionNotFound(source_id)
    undone = [Entry(entry.account_id, -entry.amount_fen) for entry in original.entries]
    _check_reversal(original, undone if entries is None else entries)
    return await post(
        session,
        Posting(
            source_id=new_source_id,
            region_code=original.region_code,
            purpose=purpose,
            occurred_on=occurred_on,
            entries=undone if entries is None else entries,
            reverses=original.id,
        ),
    )


def _check_reversal(original: PostedTransaction, entries: Iterable[Entry]) -> None:
    """What the database checks at COMMIT, told at once."""
    if original.reverses is not None:
        raise ReversalRefused(f"{original.source_id} is itself a reversal")
    posted_fen = {entry.account_id: entry.amount_fen for entry in original.entries}
    for entry in entries:
        undoable_fen = -posted_fen.get(entry.account_id, 0)
        if not min(undoable_fen, 0) <= entry.amount_fen <= max(undoable_fen, 0):
            raise ReversalRefused(f"{original.source_id}: {entry.amount_fen} fen on {entry.account_id}")


def _columns(drafts: Sequence[tuple[UUID, Posting]]) -> dict[str, list[Any]]:
    lines = [(id, entry) for id, posting in drafts for entry in posting.entries]
    return {
        "ids": [id for id, _ in drafts],
        "regions": [posting.region_code for _, posting in drafts],
        "sources": [posting.source_id for _, posting in drafts],
        "purposes": [posting.purpose for _, posting in drafts],
        "dates": [posting.occurred_on for _, posting in drafts],
        "reverses": [posting.reverses for _, posting in drafts],
        "transactions": [id for id, _ in lines],
        "accounts": [entry.account_id for _, entry in lines],
        "amounts": [entry.amount_fen for _, entry in lines],
    }


def _plainly_right(postings: Sequence[Posting], entered: Row[Any]) -> bool:
    """One region and one fund throughout: each posting summed to 0 when it was made."""
    homes, funds = set(entered.homes or ()), set(entered.funds or ())
    return len(homes) == len(funds) == 1 and homes == {posting.region_code for posting in postings}


def _entered(columns: dict[str, list[Any]], entered: Row[Any]) -> dict[UUID, list[PostedEntry]]:
    """The entries posted now, by transaction, in the order of the accounts' ids."""
    transactions, accounts, amounts = columns["transactions"], columns["accounts"], columns["amounts"]
    grouped: dict[UUID, list[PostedEntry]] = defaultdict(list)
    for place, home, fund, version, balance_fen in zip(*(told or () for told in entered), strict=True):
        line = place - 1
        grouped[transactions[line]].append(
            PostedEntry(accounts[line], home, fund, amounts[line], version, balance_fen)
        )
    return grouped


def _entries_by(rows: Iterable[Row[Any]], key: str) -> dict[Any, list[PostedEntry]]:
    """Posted entries of the rows, grouped; rows come in the order of the accounts' ids."""
    grouped: dict[Any, list[PostedEntry]] = defaultdict(list)
    for row in rows:
        grouped[getattr(row, key)].append(
            PostedEntry(
                account_id=row.account_id,
                region_code=row.region_code,
                fund=row.fund,
                amount_fen=row.amount_fen,
                version=row.version,
                balance_after_fen=row.balance_after_fen,
            )
        )
    return grouped


def _posted(id: UUID, posting: Posting, entries: Sequence[PostedEntry]) -> PostedTransaction:
    """The transaction posted now. What the database checks at COMMIT is told at once."""
    if any(entry.region_code != posting.region_code for entry in entries):
        raise InvalidPosting(f"{posting.source_id}: an account outside region {posting.region_code}")
    per_fund_fen: dict[str, int] = defaultdict(int)
    for entry in entries:
        per_fund_fen[entry.fund] += entry.amount_fen
    if any(per_fund_fen.values()):
        raise Unbalanced(f"{posting.source_id}: sums per fund are {dict(per_fund_fen)}")
    return PostedTransaction(
        id=id,
        source_id=posting.source_id,
        region_code=posting.region_code,
        purpose=posting.purpose,
        occurred_on=posting.occurred_on,
        reverses=posting.reverses,
        entries=tuple(entries),
        replayed=False,
    )


def _replayed(posting: Posting, known: PostedTransaction | None) -> PostedTransaction:
    """The posting already there, if its content is the same."""
    if known is None or _content(posting) != _content(known):
        raise SourceConflict(posting.source_id)
    return known


def _content(told: Posting | PostedTransaction) -> tuple[object, ...]:
    amounts = frozenset((entry.account_id, entry.amount_fen) for entry in told.entries)
    return told.region_code, told.purpose, told.occurred_on, told.reverses, amounts
