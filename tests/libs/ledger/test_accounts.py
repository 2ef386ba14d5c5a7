from __future__ import annotations

from uuid import uuid4

import pytest

from libs.ledger.accounts import (
    AccountKind,
    Balance,
    balance,
    close_account,
    find_account,
    open_account,
    statement,
)
from libs.ledger.errors import AccountClosed, AccountNotEmpty, AccountNotFound, OutsideRegion
from libs.ledger.holds import place
from tests.libs.ledger.conftest import EMPLOYEE, TODAY, YANTAI, ZAOZHUANG, LedgerDatabase, credit


async def test_an_account_opened_twice_is_one_account(ledger: LedgerDatabase) -> None:
    assert await ledger.person("person-1") == await ledger.person("person-1")
    assert await ledger.pooled() == await ledger.pooled()
    assert await ledger.person("person-1") != await ledger.person("person-2")


async def test_an_account_not_opened_is_not_found(ledger: LedgerDatabase) -> None:
    async with ledger.session() as session:
        wanted = {"region_code": YANTAI, "fund": EMPLOYEE, "kind": AccountKind.PERSONAL_ACCOUNT}
        assert await find_account(session, **wanted, owner="nobody") is None
        with pytest.raises(AccountNotFound):
            await balance(session, uuid4())
        with pytest.raises(AccountNotFound):
            await close_account(session, uuid4())


async def test_balance_tells_what_is_held_and_what_is_available(ledger: LedgerDatabase) -> None:
    person = await ledger.person(funded_fen=1_000)
    async with ledger.session() as session:
        await place(session, account_id=person, amount_fen=300, source_id="hold-1")
        with ledger.counted() as sent:
            assert await balance(session, person) == Balance(1_000, 300, 700, 1)
    assert len(sent) == 1


async def test_a_new_account_has_nothing_on_it(ledger: LedgerDatabase) -> None:
    person = await ledger.person()
    async with ledger.session() as session:
        assert await balance(session, person) == Balance(0, 0, 0, 0)
        assert await statement(session, person) == []


async def test_statement_tells_each_entry_in_order_and_in_pages(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=1_000), await ledger.pooled()
    for amount_fen in (100, 200, 300):
        await ledger.post(credit(f"spend-{amount_fen}", person, pooled, amount_fen))
    async with ledger.session() as session:
        first = await statement(session, person, limit=2)
        rest = await statement(session, person, after_version=first[-1].version)
    lines = first + rest
    assert [(line.version, line.amount_fen, line.balance_after_fen) for line in lines] == [
        (1, 1_000, 1_000),
        (2, -100, 900),
        (3, -200, 700),
        (4, -300, 400),
    ]
    assert (lines[3].source_id, lines[3].purpose, lines[3].occurred_on) == (
        "spend-300",
        "contribution",
        TODAY,
    )


async def test_an_account_with_money_cannot_be_closed(ledger: LedgerDatabase) -> None:
    person = await ledger.person(funded_fen=1)
    with pytest.raises(AccountNotEmpty):
        async with ledger.session() as session:
            await close_account(session, person)


async def test_a_closed_account_takes_no_postings_until_it_is_opened_again(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=100), await ledger.pooled()
    await ledger.post(credit("empty", person, pooled, 100))
    async with ledger.session() as session:
        await close_account(session, person)
        await close_account(session, person)
    with pytest.raises(AccountClosed):
        await ledger.post(credit("late", pooled, person, 50))
    assert await ledger.person() == person
    posted = await ledger.post(credit("back", pooled, person, 50))
    assert {entry.version for entry in posted.entries if entry.account_id == person} == {3}


async def test_another_region_sees_and_moves_nothing(ledger: LedgerDatabase) -> None:
    person, pooled = await ledger.person(funded_fen=100), await ledger.pooled()
    async with ledger.session(ZAOZHUANG) as session:
        with pytest.raises(AccountNotFound):
            await balance(session, person)
        assert await statement(session, person) == []
    with pytest.raises(OutsideRegion):
        async with ledger.session(ZAOZHUANG) as session:
            await open_account(session, region_code=YANTAI, fund=EMPLOYEE, kind="pooled", owner="2")
    async with ledger.session(f"{ZAOZHUANG},{YANTAI}") as session:
        assert (await balance(session, person)).balance_fen == 100
    assert await ledger.balance_fen(pooled) == 0
