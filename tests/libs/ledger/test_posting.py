from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from libs.ledger.accounts import AccountKind, balance
from libs.ledger.errors import (
    AccountNotFound,
    InsufficientFunds,
    InvalidPosting,
    LedgerRefusal,
    OutsideRegion,
    SourceConflict,
    Unbalanced,
)
from libs.ledger.posting import MAX_BATCH_POSTINGS, Entry, Posting, post, post_all, post_many
from libs.refusals.faults import RefusalKind
from tests.libs.ledger.conftest import RESIDENT, TODAY, YANTAI, ZAOZHUANG, LedgerDatabase, credit


async def test_a_posting_moves_money_and_tells_the_new_balances(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    posted = await ledger.post(credit("visit-1", person, pooled, 250))
    assert {e.account_id: (e.amount_fen, e.balance_after_fen) for e in posted.entries} == {
        person: (-250, 750),
        pooled: (250, 250),
    }
    assert not posted.replayed


@pytest.mark.parametrize("count", [2, 4])
async def test_a_posting_of_two_to_four_entries_is_one_statement(ledger: LedgerDatabase, count: int) -> None:
    people = [await ledger.person(f"person-{n}") for n in range(count - 1)]
    mirror = await ledger.account(AccountKind.BANK_MIRROR)
    entries = [Entry(mirror, -len(people)), *(Entry(person, 1) for person in people)]
    async with ledger.session() as session:
        with ledger.counted() as sent:
            await post(session, Posting("roster-1", YANTAI, "contribution", TODAY, entries))
    assert len(sent) == 1


async def test_the_same_posting_again_returns_the_first(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    posting = credit("visit-1", person, pooled, 600)
    first = await ledger.post(posting)
    async with ledger.session() as session:
        with ledger.counted() as sent:
            again = await post(session, replace(posting, entries=posting.entries[::-1]))
    assert again == replace(first, replayed=True)
    assert len(sent) == 2
    assert await ledger.balance_fen(person) == 400


async def test_the_same_source_with_other_content_is_refused(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    posting = credit("visit-1", person, pooled, 600)
    await ledger.post(posting)
    for other in (
        credit("visit-1", person, pooled, 601),
        credit("visit-1", pooled, person, 600),
        replace(posting, purpose="other"),
        replace(posting, occurred_on=TODAY.replace(day=15)),
    ):
        with pytest.raises(SourceConflict):
            await ledger.post(other)
    assert await ledger.balance_fen(person) == 400


async def test_a_source_of_a_region_one_may_not_see_is_still_taken(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    await ledger.post(credit("visit-1", person, pooled, 600))
    there = await ledger.account(AccountKind.POOLED, region_code=ZAOZHUANG)
    mirror = await ledger.account(AccountKind.BANK_MIRROR, region_code=ZAOZHUANG)
    with pytest.raises(SourceConflict):
        async with ledger.session(ZAOZHUANG) as session:
            await post(session, credit("visit-1", mirror, there, 600, ZAOZHUANG))


async def test_a_personal_account_is_never_overdrawn(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=100), await ledger.pooled()
    with pytest.raises(InsufficientFunds) as refused:
        await ledger.post(credit("visit-1", person, pooled, 101))
    assert refused.value.kind is RefusalKind.CONFLICT
    assert refused.value.code == "ledger_insufficient_funds"
    assert str(person) in refused.value.detail
    await ledger.post(credit("visit-2", person, pooled, 100))


async def test_a_refused_posting_leaves_nothing_and_may_come_again(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(), await ledger.pooled()
    with pytest.raises(InsufficientFunds):
        await ledger.post(credit("visit-1", person, pooled, 100))
    await ledger.post(credit("refill", pooled, person, 100))
    assert not (await ledger.post(credit("visit-1", person, pooled, 100))).replayed


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [([], InvalidPosting), ([5], InvalidPosting), ([0, 0], InvalidPosting), ([5, -4], Unbalanced)],
)
def test_a_posting_that_cannot_be_right_is_not_made(
    amounts: list[int], expected: type[LedgerRefusal]
) -> None:
    with pytest.raises(expected):
        Posting("visit-1", YANTAI, "test", TODAY, [Entry(uuid4(), amount) for amount in amounts])


def test_an_account_appears_once_in_a_posting() -> None:
    person, pooled = uuid4(), uuid4()
    with pytest.raises(InvalidPosting):
        Posting("v", YANTAI, "test", TODAY, [Entry(person, -5), Entry(pooled, 10), Entry(person, -5)])


async def test_each_fund_sums_to_zero_on_its_own(ledger: LedgerDatabase) -> None:
    employees, residents = await ledger.pooled(), await ledger.account(AccountKind.POOLED, fund=RESIDENT)
    with pytest.raises(Unbalanced):
        await ledger.post(credit("mix", employees, residents, 100))
    assert await ledger.balance_fen(employees) == 0


async def test_a_posting_stays_in_its_region(ledger: LedgerDatabase) -> None:
    here, mirror = await ledger.pooled(), await ledger.account(AccountKind.BANK_MIRROR)
    there = await ledger.account(AccountKind.POOLED, region_code=ZAOZHUANG)
    with pytest.raises(InvalidPosting):
        await ledger.post(credit("cross", here, there, 100))
    with pytest.raises(OutsideRegion):
        async with ledger.session(YANTAI) as session:
            await post(session, credit("foreign", mirror, here, 100, ZAOZHUANG))
    with pytest.raises(AccountNotFound):
        async with ledger.session(ZAOZHUANG) as session:
            await post(session, credit("hidden", mirror, here, 100, ZAOZHUANG))


async def test_a_batch_is_one_statement_and_in_the_order_given(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(), await ledger.pooled()
    batch = [
        credit(f"month-{n}", pooled, person, 100) if n % 2 == 0 else credit(f"month-{n}", person, pooled, 100)
        for n in range(500)
    ]
    async with ledger.session() as session:
        with ledger.counted() as sent:
            posted = await post_many(session, batch)
    assert len(sent) == 1
    assert [transaction.source_id for transaction in posted] == [posting.source_id for posting in batch]
    versions = [{e.account_id: e.version for e in t.entries}[person] for t in posted]
    assert versions == list(range(1, 501))
    assert await ledger.faults() == []


async def test_posting_reads_no_more_the_longer_an_account_is_in_use(ledger: LedgerDatabase) -> None:
    """In a database without statistics the planner's first choice was to sort all earlier entries."""
    person, pooled = await ledger.person(), await ledger.pooled()
    fetched = text(
        "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'ledger_entries'"
    )
    reads: list[int] = []
    for batch in range(2):
        async with ledger.session() as session:
            await post_many(session, [credit(f"{batch}-{n}", pooled, person, 1) for n in range(300)])
            reads.append((await session.execute(fetched)).scalar_one())
    # Sealing the first batch is counted too; sorting would read some 300 entries for each new one.
    assert 0 < reads[1] <= 300 * 10


async def test_a_batch_repeats_what_is_known_and_posts_the_rest(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(), await ledger.pooled()
    batch = [credit(f"month-{n}", pooled, person, 100) for n in range(4)]
    await ledger.post(batch[1])
    async with ledger.session() as session:
        posted = await post_many(session, [*batch, batch[3]])
    assert [transaction.replayed for transaction in posted[:4]] == [False, True, False, False]
    assert posted[4].id == posted[3].id
    assert await ledger.balance_fen(person) == 400


async def test_a_batch_nobody_asks_about_is_posted_and_repeated_alike(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(), await ledger.pooled()
    batch = [credit(f"month-{n}", pooled, person, 100) for n in range(4)]
    for expected, sent_at_most, sent_now in (
        (2, 1, batch[:2]),
        (2, 2, [*batch, batch[3]]),
        (0, 2, batch),
        (0, 0, []),
    ):
        async with ledger.session() as session:
            with ledger.counted() as sent:
                assert await post_all(session, sent_now) == expected
        assert len(sent) <= sent_at_most
    with pytest.raises(SourceConflict):
        async with ledger.session() as session:
            await post_all(
                session, [credit("month-9", pooled, person, 1), credit("month-0", pooled, person, 101)]
            )
    assert await ledger.balance_fen(person) == 400
    assert await ledger.faults() == []


async def test_a_batch_nobody_asks_about_is_checked_as_any_other(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(), await ledger.pooled()
    residents = await ledger.account(AccountKind.POOLED, fund=RESIDENT)
    there = await ledger.account(AccountKind.POOLED, region_code=ZAOZHUANG)
    sound = credit("sound", pooled, person, 1)
    for unsound, expected in (
        (credit("funds", pooled, residents, 1), Unbalanced),
        (credit("regions", pooled, there, 1), InvalidPosting),
        (credit("money", person, pooled, 2), InsufficientFunds),
    ):
        with pytest.raises(expected):
            async with ledger.session() as session:
                await post_all(session, [sound, unsound])
    assert await ledger.balance_fen(person) == 0


async def test_a_batch_is_posted_whole_or_not_at_all(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=250), await ledger.pooled()
    with pytest.raises(InsufficientFunds):
        async with ledger.session() as session:
            await post_many(session, [credit(f"visit-{n}", person, pooled, 100) for n in range(3)])
    assert await ledger.balance_fen(person) == 250
    assert await ledger.balance_fen(pooled) == 0


async def test_a_batch_has_a_bound(ledger: LedgerDatabase) -> None:
    posting = credit("visit-1", uuid4(), uuid4(), 1)
    async with ledger.session() as session:
        assert await post_many(session, []) == []
        with pytest.raises(InvalidPosting):
            await post_many(session, [posting] * (MAX_BATCH_POSTINGS + 1))


async def test_a_transfer_between_cities_leaves_nothing_in_transit(ledger: LedgerDatabase) -> None:
    """The package's table of events, from 烟台 to 枣庄."""
    kinds = [AccountKind.BANK_MIRROR, AccountKind.IN_TRANSIT_OUT, AccountKind.REMITTANCE_CLEARING]
    leaving = await ledger.person("person-1", funded_fen=88_888)
    mirror_out, transit_out, clearing = [await ledger.account(kind) for kind in kinds]
    arriving = await ledger.account(AccountKind.PERSONAL_ACCOUNT, "person-1", region_code=ZAOZHUANG)
    mirror_in = await ledger.account(AccountKind.BANK_MIRROR, region_code=ZAOZHUANG)
    transit_in = await ledger.account(AccountKind.IN_TRANSIT_IN, region_code=ZAOZHUANG)
    for posting in (
        credit("approved", leaving, transit_out, 88_888),
        credit("bank paid", clearing, mirror_out, 88_888),
        credit("arrived", mirror_in, transit_in, 88_888, ZAOZHUANG),
        credit("credited", transit_in, arriving, 88_888, ZAOZHUANG),
        credit("completed", transit_out, clearing, 88_888),
    ):
        await ledger.post(posting)
    async with ledger.session() as session:
        after = [leaving, transit_out, clearing, mirror_out, transit_in, arriving, mirror_in]
        fen = [(await balance(session, account)).balance_fen for account in after]
    assert fen == [0, 0, 0, 0, 0, 88_888, -88_888]
    assert await ledger.faults() == []
