from __future__ import annotations

import pytest

from libs.webapp.callers import Role
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter, accepted, clerk_of, issued
from tests.support.tokens import citizen, officer, system

PATH = f"fund-accounts?region_code={ZAOZHUANG}"


async def test_the_books_of_a_fund_sum_to_nothing_and_show_what_is_in_transit(counter: Counter) -> None:
    card = await counter.insured(["2025-01", "2025-02"], account="123.45")
    await counter.insured(["2025-01"], account="1.00")
    await counter.deliver(accepted(card))
    await counter.deliver(issued(card, 24_690))
    told = (await counter.get(PATH, officer(ZAOZHUANG, Role.FINANCE))).json()
    balances = {line["kind"]: line["balance_yuan"] for line in told}
    assert balances == {"bank_mirror": "-247.90", "personal_account": "1.00", "in_transit_out": "246.90"}


@pytest.mark.parametrize("role", [Role.FINANCE, Role.CHIEF, Role.AUDITOR])
async def test_finance_chiefs_and_auditors_read_the_books_of_their_region_only(
    counter: Counter, role: Role
) -> None:
    assert (await counter.get(PATH, officer(ZAOZHUANG, role))).status_code == 200
    assert (await counter.get(PATH, officer(YANTAI, role))).status_code == 403


async def test_nobody_else_reads_the_books(counter: Counter) -> None:
    for caller in (clerk_of(ZAOZHUANG), system("enrollment.read"), citizen("0" * 64)):
        assert (await counter.get(PATH, caller)).status_code == 403
