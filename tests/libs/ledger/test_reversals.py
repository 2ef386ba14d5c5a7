from __future__ import annotations

from dataclasses import replace

import pytest

from libs.ledger.errors import (
    AlreadyReversed,
    InsufficientFunds,
    ReversalRefused,
    SourceConflict,
    TransactionNotFound,
)
from libs.ledger.posting import Entry, PostedTransaction, reverse
from tests.libs.ledger.conftest import TODAY, LedgerDatabase, credit


async def undo(
    ledger: LedgerDatabase, source_id: str, new_source_id: str = "undo-1", entries: list[Entry] | None = None
) -> PostedTransaction:
    async with ledger.session() as session:
        return await reverse(
            session,
            source_id,
            new_source_id=new_source_id,
            purpose="reversal",
            occurred_on=TODAY,
            entries=entries,
        )


async def test_a_reversal_restores_the_balances_and_points_at_its_original(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    original = await ledger.post(credit("visit-1", person, pooled, 600))
    with ledger.counted() as sent:
        reversal = await undo(ledger, "visit-1")
    assert len([s for s in sent if "set_config" not in s]) == 2
    assert reversal.reverses == original.id
    assert (await ledger.balance_fen(person), await ledger.balance_fen(pooled)) == (1_000, 0)


async def test_the_same_reversal_again_returns_the_first(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    await ledger.post(credit("visit-1", person, pooled, 600))
    first, again = await undo(ledger, "visit-1"), await undo(ledger, "visit-1")
    assert again.replayed
    assert again.id == first.id


async def test_an_event_posted_as_something_else_is_not_taken_for_a_reversal(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    await ledger.post(credit("visit-1", person, pooled, 600))
    await ledger.post(replace(credit("undo-1", pooled, person, 600), purpose="reversal"))
    with pytest.raises(SourceConflict):
        await undo(ledger, "visit-1", "undo-1")


async def test_a_posting_is_reversed_at_most_once(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    await ledger.post(credit("visit-1", person, pooled, 600))
    await undo(ledger, "visit-1")
    with pytest.raises(AlreadyReversed):
        await undo(ledger, "visit-1", "undo-2")


async def test_a_reversal_in_part_is_the_only_one_too(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    await ledger.post(credit("visit-1", person, pooled, 600))
    await undo(ledger, "visit-1", entries=[Entry(person, 200), Entry(pooled, -200)])
    assert await ledger.balance_fen(person) == 600
    with pytest.raises(AlreadyReversed):
        await undo(ledger, "visit-1", "undo-2", [Entry(person, 200), Entry(pooled, -200)])
    assert await ledger.faults() == []


async def test_a_reversal_never_goes_above_its_original_or_elsewhere(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    stranger = await ledger.person("person-2")
    await ledger.post(credit("visit-1", person, pooled, 600))
    for entries in (
        [Entry(person, 601), Entry(pooled, -601)],
        [Entry(person, -1), Entry(pooled, 1)],
        [Entry(stranger, 600), Entry(pooled, -600)],
    ):
        with pytest.raises(ReversalRefused):
            await undo(ledger, "visit-1", entries=entries)


async def test_a_reversal_is_not_reversed_again(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    await ledger.post(credit("visit-1", person, pooled, 600))
    await undo(ledger, "visit-1")
    with pytest.raises(ReversalRefused):
        await undo(ledger, "undo-1", "undo-2")


async def test_what_was_never_posted_is_not_reversed(ledger: LedgerDatabase) -> None:
    with pytest.raises(TransactionNotFound):
        await undo(ledger, "visit-1")


async def test_money_spent_meanwhile_cannot_be_taken_back(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(), await ledger.pooled()
    await ledger.post(credit("credit-1", pooled, person, 600))
    await ledger.post(credit("visit-1", person, pooled, 1))
    with pytest.raises(InsufficientFunds):
        await undo(ledger, "credit-1")
