from __future__ import annotations

import asyncio
from uuid import UUID

from libs.ledger.accounts import AccountKind, close_account, find_account
from libs.ledger.bulk import available_on_personal, open_accounts
from libs.ledger.holds import place
from tests.libs.ledger.conftest import EMPLOYEE, YANTAI, LedgerDatabase


async def opened(ledger: LedgerDatabase, *owners: str) -> dict[str, UUID]:
    async with ledger.session() as session:
        return await open_accounts(
            session,
            region_code=YANTAI,
            fund=EMPLOYEE,
            kind=AccountKind.PERSONAL_ACCOUNT,
            owners=owners,
        )


async def test_many_accounts_are_opened_and_found_again(ledger: LedgerDatabase) -> None:
    known = await ledger.person("person-1")
    first = await opened(ledger, "person-2", "person-1", "person-2")
    assert first["person-1"] == known
    assert await opened(ledger, "person-1", "person-2") == first
    assert await opened(ledger) == {}


async def test_closed_accounts_are_opened_again(ledger: LedgerDatabase) -> None:
    known = await ledger.person("person-1")
    async with ledger.session() as session:
        await close_account(session, known)
    assert await opened(ledger, "person-1") == {"person-1": known}
    await ledger.account(AccountKind.PERSONAL_ACCOUNT, "person-1", funded_fen=5)  # may be posted on


async def test_accounts_opened_from_both_ends_at_once_do_not_deadlock(ledger: LedgerDatabase) -> None:
    owners = [f"person-{number:03d}" for number in range(60)]
    told = await asyncio.gather(
        *(opened(ledger, *(owners if turn % 2 else reversed(owners))) for turn in range(8))
    )
    assert all(one == told[0] for one in told)
    async with ledger.session() as session:
        found = await find_account(
            session, region_code=YANTAI, fund=EMPLOYEE, kind=AccountKind.PERSONAL_ACCOUNT, owner=owners[7]
        )
    assert found == told[0][owners[7]]


async def test_what_may_be_spent_is_told_of_personal_accounts_only(ledger: LedgerDatabase) -> None:
    rich, poor = await ledger.person("person-1", funded_fen=700), await ledger.person("person-2")
    pooled = await ledger.account(AccountKind.POOLED, funded_fen=9)
    async with ledger.session() as session:
        await place(session, account_id=rich, amount_fen=200, source_id="hold-1")
        assert await available_on_personal(session, [rich, poor, pooled]) == {rich: 500, poor: 0}
        assert await available_on_personal(session, []) == {}
