"""Many sessions at once: each invariant holds, each event counts once, nobody deadlocks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from uuid import UUID

from sqlalchemy import text

from libs.ledger.accounts import Balance, balance, close_account
from libs.ledger.errors import (
    AccountClosed,
    AccountNotEmpty,
    AlreadyReversed,
    HoldEnded,
    InsufficientFunds,
    LedgerRefusal,
    SourceConflict,
)
from libs.ledger.holds import Hold, capture, place, release
from libs.ledger.posting import Entry, PostedTransaction, Posting, post_many, reverse
from tests.libs.ledger.conftest import TODAY, YANTAI, LedgerDatabase, credit

SESSIONS = 16
Outcome = object


async def all_at_once(attempts: Iterable[Awaitable[Outcome]]) -> list[Outcome]:
    """Results, or the ledger's refusals; anything else (a deadlock, say) fails the test."""

    async def outcome(attempt: Awaitable[Outcome]) -> Outcome:
        try:
            return await attempt
        except LedgerRefusal as refused:
            return type(refused)

    return await asyncio.gather(*(outcome(attempt) for attempt in attempts))


async def somebody_waits(ledger: LedgerDatabase) -> None:
    """Return when a session of this database waits for a lock; fail when none does in ten seconds."""
    waiters = text(
        "SELECT count(*) > 0 FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10), ledger.superuser.connect() as connection:
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        while not (await connection.execute(waiters)).scalar_one():
            pass


async def hold(ledger: LedgerDatabase, account: UUID, amount_fen: int, source_id: str) -> Hold:
    async with ledger.session() as session:
        return await place(session, account_id=account, amount_fen=amount_fen, source_id=source_id)


async def payout(ledger: LedgerDatabase, source_id: str, posting: Posting) -> PostedTransaction:
    async with ledger.session() as session:
        return await capture(session, source_id, posting)


async def test_one_account_is_spent_to_the_last_fen_and_no_further(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    outcomes = await all_at_once(
        ledger.post(credit(f"visit-{n}", person, pooled, 100)) for n in range(SESSIONS)
    )
    assert outcomes.count(InsufficientFunds) == SESSIONS - 10
    assert (await ledger.balance_fen(person), await ledger.balance_fen(pooled)) == (0, 1_000)
    assert await ledger.faults() == []


async def test_holds_and_payments_share_the_balance_without_exceeding_it(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    outcomes = await all_at_once(
        ledger.post(credit(f"visit-{n}", person, pooled, 100))
        if n % 2
        else hold(ledger, person, 100, f"hold-{n}")
        for n in range(SESSIONS)
    )
    assert outcomes.count(InsufficientFunds) == SESSIONS - 10
    async with ledger.session() as session:
        assert (await balance(session, person)).available_fen == 0
    assert await ledger.faults() == []


async def test_postings_that_cross_do_not_deadlock(ledger: LedgerDatabase) -> None:
    people = [await ledger.person(f"person-{n}", funded_fen=10_000) for n in range(5)]
    crossing = [credit(f"move-{n}", people[n % 5], people[(n + 1 + n // 5 % 4) % 5], 10) for n in range(60)]
    ring = [Entry(people[0], -20), *(Entry(person, 5) for person in people[1:])]
    crossing += [
        Posting(f"ring-{n}", YANTAI, "test", TODAY, ring if n % 2 else ring[::-1]) for n in range(20)
    ]
    outcomes = await all_at_once(ledger.post(posting) for posting in crossing)
    assert Counter(type(outcome) for outcome in outcomes) == {PostedTransaction: 80}
    assert await ledger.faults() == []


async def test_overlapping_batches_do_not_deadlock_and_post_each_event_once(ledger: LedgerDatabase) -> None:
    people = [await ledger.person(f"person-{n}") for n in range(20)]
    pooled = await ledger.pooled()
    batch = [credit(f"month-{n}", pooled, people[n % 20], 100) for n in range(100)]

    async def post_from(start: int) -> int:
        async with ledger.session() as session:
            posted = await post_many(session, batch[start:] + batch[:start])
        return sum(not transaction.replayed for transaction in posted)

    outcomes = await all_at_once(post_from(start) for start in range(0, 100, 10))
    assert sorted(outcomes) == [0] * 9 + [100]  # type: ignore[type-var]
    assert await ledger.balance_fen(pooled) == -10_000
    assert await ledger.faults() == []


async def test_a_batch_takes_its_events_in_a_fixed_order(ledger: LedgerDatabase) -> None:
    """A batch that waits for an earlier event holds no later one: nobody can wait for it in turn."""
    person, pooled = await ledger.person(), await ledger.pooled()
    first, second = (credit(f"month-{n}", pooled, person, 100) for n in (1, 2))

    async def post_backwards() -> list[PostedTransaction]:
        async with ledger.session() as session:
            return await post_many(session, [second, first])

    async with ledger.session() as session:
        await post_many(session, [first])
        waiting = asyncio.create_task(post_backwards())
        await somebody_waits(ledger)
        await post_many(session, [second])
    assert [transaction.replayed for transaction in await waiting] == [True, True]


async def test_the_same_event_sent_many_times_at_once_is_posted_once(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=100), await ledger.pooled()
    posting = credit("visit-1", person, pooled, 100)
    outcomes = await all_at_once(ledger.post(posting) for _ in range(SESSIONS))
    posted = [outcome for outcome in outcomes if isinstance(outcome, PostedTransaction)]
    assert Counter(transaction.replayed for transaction in posted) == {False: 1, True: SESSIONS - 1}
    assert len({transaction.id for transaction in posted}) == 1
    assert await ledger.balance_fen(person) == 0


async def test_of_different_contents_for_one_event_exactly_one_is_posted(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=10_000), await ledger.pooled()
    outcomes = await all_at_once(
        ledger.post(credit("visit-1", person, pooled, 100 + n)) for n in range(SESSIONS)
    )
    assert outcomes.count(SourceConflict) == SESSIONS - 1


async def test_the_same_hold_requested_many_times_at_once_is_placed_once(ledger: LedgerDatabase) -> None:
    person = await ledger.person(funded_fen=100)
    outcomes = await all_at_once(hold(ledger, person, 100, "hold-1") for _ in range(SESSIONS))
    assert len(set(outcomes)) == 1
    assert isinstance(outcomes[0], Hold)
    async with ledger.session() as session:
        assert await balance(session, person) == Balance(100, 100, 0, 1)


async def test_a_hold_is_paid_out_once_or_released_but_not_both(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=100), await ledger.pooled()
    await hold(ledger, person, 100, "hold-1")

    async def give_back() -> Hold:
        async with ledger.session() as session:
            return await release(session, "hold-1")

    outcomes = await all_at_once(
        give_back() if n % 2 else payout(ledger, "hold-1", credit(f"payout-{n % 4}", person, pooled, 100))
        for n in range(SESSIONS)
    )
    paid = [o for o in outcomes if isinstance(o, PostedTransaction) and not o.replayed]
    released = [o for o in outcomes if isinstance(o, Hold)]
    assert bool(paid) != bool(released)
    assert HoldEnded in outcomes
    assert await ledger.balance_fen(person) == (0 if paid else 100)
    assert await ledger.faults() == []


async def test_an_event_reversed_by_many_at_once_is_reversed_once(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=100), await ledger.pooled()
    await ledger.post(credit("visit-1", person, pooled, 100))

    async def undo(n: int) -> PostedTransaction:
        async with ledger.session() as session:
            return await reverse(
                session, "visit-1", new_source_id=f"undo-{n}", purpose="reversal", occurred_on=TODAY
            )

    outcomes = await all_at_once(undo(n) for n in range(SESSIONS))
    assert outcomes.count(AlreadyReversed) == SESSIONS - 1
    assert await ledger.balance_fen(person) == 100


async def test_an_account_opened_by_many_at_once_is_one(ledger: LedgerDatabase) -> None:
    assert len(set(await all_at_once(ledger.person("person-1") for _ in range(SESSIONS)))) == 1


async def test_an_account_is_not_closed_over_money_that_is_arriving(ledger: LedgerDatabase) -> None:
    people = [await ledger.person(f"person-{n}") for n in range(SESSIONS)]
    pooled = await ledger.pooled()

    async def close(person: UUID) -> str:
        async with ledger.session() as session:
            await close_account(session, person)
        return "closed"

    outcomes = await all_at_once(
        attempt
        for n, person in enumerate(people)
        for attempt in (ledger.post(credit(f"credit-{n}", pooled, person, 1)), close(person))
    )
    for n in range(SESSIONS):
        credited, closed = outcomes[2 * n : 2 * n + 2]
        assert (credited is AccountClosed) == (closed == "closed")
        assert (closed is AccountNotEmpty) == isinstance(credited, PostedTransaction)
    assert await ledger.faults() == []
