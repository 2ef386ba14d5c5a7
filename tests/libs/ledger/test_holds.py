from __future__ import annotations

from dataclasses import replace

import pytest

from libs.ledger.accounts import Balance, balance, close_account
from libs.ledger.errors import (
    AccountNotEmpty,
    HoldEnded,
    HoldMismatch,
    HoldNotFound,
    InsufficientFunds,
    InvalidPosting,
    SourceConflict,
)
from libs.ledger.holds import Hold, HoldState, capture, capture_many, find_hold, place, release
from tests.libs.ledger.conftest import LedgerDatabase, credit


async def held(ledger: LedgerDatabase, account: object, amount_fen: int, source_id: str = "hold-1") -> Hold:
    async with ledger.session() as session:
        return await place(session, account_id=account, amount_fen=amount_fen, source_id=source_id)  # type: ignore[arg-type]


async def test_money_on_hold_cannot_be_spent(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    await held(ledger, person, 700)
    with pytest.raises(InsufficientFunds):
        await ledger.post(credit("visit-1", person, pooled, 301))
    await ledger.post(credit("visit-2", person, pooled, 300))


async def test_holds_never_exceed_the_balance(ledger: LedgerDatabase) -> None:
    person = await ledger.person(funded_fen=1_000)
    await held(ledger, person, 700, "hold-1")
    with pytest.raises(InsufficientFunds):
        await held(ledger, person, 301, "hold-2")
    await held(ledger, person, 300, "hold-3")


async def test_the_same_hold_again_returns_the_first(ledger: LedgerDatabase) -> None:
    person = await ledger.person(funded_fen=1_000)
    first = await held(ledger, person, 1_000)
    assert await held(ledger, person, 1_000) == first
    with pytest.raises(SourceConflict):
        await held(ledger, person, 999)


async def test_placing_and_releasing_are_one_statement_each_and_capturing_two(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    async with ledger.session() as session:
        with ledger.counted() as sent:
            await place(session, account_id=person, amount_fen=10, source_id="hold-1")
            await release(session, "hold-1")
            assert len(sent) == 2
            await place(session, account_id=person, amount_fen=10, source_id="hold-2")
            await capture(session, "hold-2", credit("payout-2", person, pooled, 10))
            assert len(sent) == 5


async def test_a_released_hold_frees_the_money_and_stays_released(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    await held(ledger, person, 1_000)
    async with ledger.session() as session:
        assert (await release(session, "hold-1")).state is HoldState.RELEASED
        assert (await release(session, "hold-1")).state is HoldState.RELEASED
        assert await balance(session, person) == Balance(1_000, 0, 1_000, 1)
        with pytest.raises(HoldEnded):
            await capture(session, "hold-1", credit("payout-1", person, pooled, 1_000))


async def test_capturing_pays_out_and_ends_the_hold(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    await held(ledger, person, 1_000)
    async with ledger.session() as session:
        payout = await capture(session, "hold-1", credit("payout-1", person, pooled, 1_000))
    async with ledger.session() as session:
        hold = await find_hold(session, "hold-1")
        assert hold is not None
        assert (hold.state, hold.captured_by) == (HoldState.CAPTURED, payout.id)
        assert await balance(session, person) == Balance(0, 0, 0, 2)
        with pytest.raises(HoldEnded):
            await release(session, "hold-1")
    assert await ledger.faults() == []


async def test_the_same_capture_again_returns_the_first_payout(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=2_000), await ledger.pooled()
    await held(ledger, person, 1_000)
    posting = credit("payout-1", person, pooled, 1_000)
    async with ledger.session() as session:
        first = await capture(session, "hold-1", posting)
    async with ledger.session() as session:
        assert await capture(session, "hold-1", posting) == replace(first, replayed=True)
        with pytest.raises(SourceConflict):
            await capture(session, "hold-1", replace(posting, purpose="other"))
        with pytest.raises(HoldEnded):
            await capture(session, "hold-1", replace(posting, source_id="payout-2"))
    other = await ledger.post(replace(posting, source_id="payout-3"))
    async with ledger.session() as session:
        with pytest.raises(HoldEnded):
            await capture(session, "hold-1", replace(posting, source_id=other.source_id))
    assert await ledger.balance_fen(person) == 0


async def test_a_payout_of_another_amount_or_account_does_not_end_the_hold(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=2_000), await ledger.pooled()
    other = await ledger.person("person-2", funded_fen=2_000)
    await held(ledger, person, 1_000)
    for payout in (credit("payout-1", person, pooled, 999), credit("payout-1", other, pooled, 1_000)):
        with pytest.raises(HoldMismatch):
            async with ledger.session() as session:
                await capture(session, "hold-1", payout)
    async with ledger.session() as session:
        assert (await balance(session, person)).held_fen == 1_000


async def test_an_event_posted_before_does_not_end_a_hold(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=2_000), await ledger.pooled()
    payout = credit("payout-1", person, pooled, 1_000)
    await ledger.post(payout)
    await held(ledger, person, 1_000)
    with pytest.raises(SourceConflict):
        async with ledger.session() as session:
            await capture(session, "hold-1", payout)
    async with ledger.session() as session:
        assert await balance(session, person) == Balance(1_000, 1_000, 0, 2)


async def test_an_account_with_a_hold_cannot_be_closed(ledger: LedgerDatabase) -> None:
    person = await ledger.person(funded_fen=1_000)
    await held(ledger, person, 1_000)
    with pytest.raises(AccountNotEmpty):
        async with ledger.session() as session:
            await close_account(session, person)


async def test_a_hold_nobody_placed_is_not_found_and_one_of_nothing_not_made(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(), await ledger.pooled()
    async with ledger.session() as session:
        with pytest.raises(HoldNotFound):
            await release(session, "hold-1")
        with pytest.raises(HoldNotFound):
            await capture(session, "hold-1", credit("payout-1", person, pooled, 1))
        with pytest.raises(InvalidPosting):
            await place(session, account_id=person, amount_fen=0, source_id="hold-1")


async def test_several_holds_are_captured_in_one_posting(ledger: LedgerDatabase) -> None:
    people, pooled = [await ledger.person(f"person-{n}", 100) for n in range(3)], await ledger.pooled()
    for number, person in enumerate(people):
        await held(ledger, person, 100, f"hold-{number}")
    payouts = {f"hold-{n}": credit(f"payout-{n}", person, pooled, 100) for n, person in enumerate(people)}
    async with ledger.session() as session:
        with ledger.counted() as sent:
            posted = await capture_many(session, payouts)
        assert len(sent) == 4
    assert {key: entry.source_id for key, entry in posted.items()} == {
        f"hold-{n}": f"payout-{n}" for n in range(3)
    }
    async with ledger.session() as session:
        for number, person in enumerate(people):
            assert (await balance(session, person)).balance_fen == 0
            hold = await find_hold(session, f"hold-{number}")
            assert hold is not None
            assert (hold.state, hold.captured_by) == (HoldState.CAPTURED, posted[f"hold-{number}"].id)


async def test_several_holds_are_captured_all_or_none(ledger: LedgerDatabase) -> None:
    one, other, pooled = (
        await ledger.person("person-1", 100),
        await ledger.person("person-2", 100),
        await ledger.pooled(),
    )
    await held(ledger, one, 100, "hold-1")
    await held(ledger, other, 100, "hold-2")
    first, second = credit("payout-1", one, pooled, 100), credit("payout-2", other, pooled, 100)
    for wrong, refusal in [
        ({"hold-1": first, "hold-9": second}, HoldNotFound),
        ({"hold-1": first, "hold-2": credit("payout-2", other, pooled, 99)}, HoldMismatch),
    ]:
        with pytest.raises(refusal):
            async with ledger.session() as session:
                await capture_many(session, wrong)
    async with ledger.session() as session:
        await capture_many(session, {"hold-1": first})
    with pytest.raises(HoldEnded):
        async with ledger.session() as session:
            await capture_many(session, {"hold-1": first, "hold-2": second})
    async with ledger.session() as session:
        assert await balance(session, other) == Balance(100, 100, 0, 1)
