"""Holds: money set aside before it is paid out. A hold ends once: released, or captured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from libs.ledger.errors import (
    HoldEnded,
    HoldMismatch,
    HoldNotFound,
    InvalidPosting,
    SourceConflict,
    translated,
)
from libs.ledger.posting import PostedTransaction, Posting, find_postings, post, post_as


class HoldState(StrEnum):
    """An active hold ends as one of the others and stays so."""

    ACTIVE = "active"
    RELEASED = "released"
    CAPTURED = "captured"


@dataclass(frozen=True, slots=True)
class Hold:
    """Money of an account set aside, in fen; ``captured_by`` is the transaction that paid it out."""

    id: UUID
    account_id: UUID
    amount_fen: int
    source_id: str
    state: HoldState
    captured_by: UUID | None


_FIELDS = "id, account_id, amount_fen, source_id, state, captured_by"

_PLACE = text(f"""
    INSERT INTO ledger_holds (id, account_id, amount_fen, source_id)
    VALUES (:id, :account_id, :amount_fen, :source_id)
    ON CONFLICT (source_id) DO NOTHING
    RETURNING {_FIELDS}
""")

_FIND = text(f"SELECT {_FIELDS} FROM ledger_holds WHERE source_id = :source_id")

_END = text(f"""
    UPDATE ledger_holds SET state = :state, captured_by = :captured_by
    WHERE source_id = :source_id AND state = 'active'
    RETURNING {_FIELDS}
""")


async def place(session: AsyncSession, *, account_id: UUID, amount_fen: int, source_id: str) -> Hold:
    """Set money aside. The same request again returns the first hold, whatever became of it.

    One round trip, two for a repeated request. Raises InsufficientFunds, AccountNotFound,
    AccountClosed, SourceConflict (the source holds something else), LedgerBusy.
    """
    if amount_fen <= 0:
        raise InvalidPosting(f"{source_id}: a hold of {amount_fen} fen")
    values = {"id": uuid7(), "account_id": account_id, "amount_fen": amount_fen, "source_id": source_id}
    with translated():
        placed = (await session.execute(_PLACE, values)).one_or_none()
    hold = _hold(placed) if placed else await find_hold(session, source_id)
    if hold is None or (hold.account_id, hold.amount_fen) != (account_id, amount_fen):
        raise SourceConflict(source_id)
    return hold


async def find_hold(session: AsyncSession, source_id: str) -> Hold | None:
    """The hold of a source, in whatever state; None if there is none."""
    row = (await session.execute(_FIND, {"source_id": source_id})).one_or_none()
    return None if row is None else _hold(row)


async def release(session: AsyncSession, source_id: str) -> Hold:
    """Give held money free again; a hold released before is returned as it is.

    Raises HoldNotFound, HoldEnded (it was paid out).
    """
    hold = await _end(session, source_id, HoldState.RELEASED, None) or await _known(session, source_id)
    if hold.state is not HoldState.RELEASED:
        raise HoldEnded(source_id)
    return hold


async def capture(session: AsyncSession, source_id: str, payout: Posting) -> PostedTransaction:
    """End a hold and post its payout in one go; the same request again returns the first payout.

    The payout debits the held account by exactly the held amount. Two round trips. Raises
    HoldNotFound, HoldEnded, HoldMismatch, SourceConflict, and what ``post`` raises.
    """
    transaction_id = uuid7()
    hold = await _end(session, source_id, HoldState.CAPTURED, transaction_id)
    if hold is None:
        return await _captured_before(session, await _known(session, source_id), payout)
    _require_pays_out(hold, payout)
    (posted,) = await post_as(session, [(transaction_id, payout)])
    if posted.replayed:
        raise SourceConflict(f"{payout.source_id} was posted before and did not end hold {source_id}")
    return posted


async def capture_many(
    session: AsyncSession, captures: Mapping[str, Posting]
) -> Mapping[str, PostedTransaction]:
    """End several holds (by source id) and post their payouts in one go: all or none.

    For a database transaction that pays out more than one: accounts are locked in one order, as in
    ``post_many``. Nothing here is a repeat: who asks knows which holds are still active. One round trip
    a hold and one for the payouts. Raises HoldNotFound, HoldEnded, HoldMismatch, SourceConflict, and
    what ``post_many`` raises.
    """
    drafts = []
    for source_id in sorted(captures):
        transaction_id = uuid7()
        hold = await _end(session, source_id, HoldState.CAPTURED, transaction_id)
        if hold is None:
            raise HoldEnded((await _known(session, source_id)).source_id)
        _require_pays_out(hold, captures[source_id])
        drafts.append((transaction_id, captures[source_id]))
    posted = dict(zip(sorted(captures), await post_as(session, drafts), strict=True))
    for source_id, payout in posted.items():
        if payout.replayed:
            raise SourceConflict(f"{payout.source_id} was posted before and did not end hold {source_id}")
    return posted


def _require_pays_out(hold: Hold, payout: Posting) -> None:
    if (hold.account_id, -hold.amount_fen) not in {(e.account_id, e.amount_fen) for e in payout.entries}:
        raise HoldMismatch(hold.source_id)


async def _captured_before(session: AsyncSession, hold: Hold, payout: Posting) -> PostedTransaction:
    if hold.state is not HoldState.CAPTURED:
        raise HoldEnded(hold.source_id)
    found = (await find_postings(session, [payout.source_id])).get(payout.source_id)
    if found is None or found.id != hold.captured_by:
        raise HoldEnded(hold.source_id)
    return await post(session, payout)  # compares the contents, posts nothing


async def _end(
    session: AsyncSession, source_id: str, state: HoldState, captured_by: UUID | None
) -> Hold | None:
    values = {"source_id": source_id, "state": state.value, "captured_by": captured_by}
    with translated():
        row = (await session.execute(_END, values)).one_or_none()
    return None if row is None else _hold(row)


async def _known(session: AsyncSession, source_id: str) -> Hold:
    hold = await find_hold(session, source_id)
    if hold is None:
        raise HoldNotFound(source_id)
    return hold


def _hold(row: Row[Any]) -> Hold:
    return Hold(row.id, row.account_id, row.amount_fen, row.source_id, HoldState(row.state), row.captured_by)
