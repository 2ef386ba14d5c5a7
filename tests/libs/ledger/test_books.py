from __future__ import annotations

from libs.ledger.accounts import AccountKind
from libs.ledger.books import KindTotal, totals
from tests.libs.ledger.conftest import EMPLOYEE, RESIDENT, YANTAI, ZAOZHUANG, LedgerDatabase


async def test_the_books_of_a_fund_tell_each_kind_and_sum_to_zero(ledger: LedgerDatabase) -> None:
    await ledger.person("person-1", funded_fen=300)
    await ledger.person("person-2", funded_fen=200)
    await ledger.account(AccountKind.POOLED, fund=RESIDENT, funded_fen=7)
    await ledger.account(AccountKind.POOLED, region_code=ZAOZHUANG, funded_fen=9)
    async with ledger.session() as session:
        books = await totals(session, region_code=YANTAI, fund=EMPLOYEE)
    assert books == [
        KindTotal(AccountKind.BANK_MIRROR, 1, -500),
        KindTotal(AccountKind.PERSONAL_ACCOUNT, 2, 500),
    ]
