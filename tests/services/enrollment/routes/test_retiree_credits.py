from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from libs.webapp.callers import Role
from services.enrollment.service.retiree_credits import credit_chunk
from services.enrollment.worker import work_off
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Card, Counter, clerk_of
from tests.support.tokens import officer

FINANCE = officer(ZAOZHUANG, Role.FINANCE)


async def retirees(counter: Counter, count: int, since: str = "2022-01-01") -> list[Card]:
    cards = [await counter.person() for _ in range(count)]
    for card in cards:
        await counter.enrol(card, person_kind="retiree", since=since)
    return cards


async def ask(counter: Counter, month: str, caller: dict[str, str] = FINANCE) -> httpx.Response:
    return await counter.post("retiree-credits", {"region_code": ZAOZHUANG, "month": month}, caller)


async def run(counter: Counter, month: str) -> dict[str, Any]:
    """Ask, let the worker do it, and see."""
    assert (await ask(counter, month)).status_code == 202
    await work_off(counter.resources, credit_chunk)
    path = f"retiree-credits?region_code={ZAOZHUANG}&month={month}"
    told: dict[str, Any] = (await counter.get(path)).json()
    return told


async def test_retirees_are_credited_out_of_the_pooled_fund_once_a_month(counter: Counter) -> None:
    await retirees(counter, 3)
    await counter.enrol(await counter.person())  # somebody who works
    for _ in range(2):
        told = await run(counter, "2026-02")
        assert (told["state"], told["people"], told["total_yuan"]) == ("done", 3, "217.50")
    assert await counter.balances(ZAOZHUANG) == {"pooled": -21_750, "personal_account": 21_750}
    rules = await counter.rows("SELECT DISTINCT rule FROM retiree_credits")
    assert [row[0] for row in rules] == ["370400-crediting@2023"]


async def test_before_the_reform_the_pension_counts(counter: Counter) -> None:
    (card, _) = await retirees(counter, 2)
    await counter.rows(
        "UPDATE enrolments SET declared_wage_fen = 333333 WHERE person_id = :id RETURNING 1", id=card.id
    )
    told = await run(counter, "2022-12")
    assert told["total_yuan"] == "267.00"  # 4.5 % of 3333.33, half up, and of the 2600.00 assumed


async def test_the_month_of_retiring_is_not_credited_nor_one_after_the_end(counter: Counter) -> None:
    (card,) = await retirees(counter, 1, since="2026-01-15")
    enrolments = (await counter.get(f"persons/{card.id}")).json()["enrolments"]
    await counter.stop(enrolments[0], on="2026-02-10")
    assert [(await run(counter, month))["people"] for month in ("2026-01", "2026-02", "2026-03")] == [0, 1, 0]


async def test_who_comes_in_later_is_credited_when_it_is_asked_again(counter: Counter) -> None:
    await retirees(counter, 2)
    assert (await run(counter, "2026-02"))["people"] == 2
    await retirees(counter, 1)
    assert (await run(counter, "2026-02"))["people"] == 3


async def test_two_workers_credit_everybody_once(counter: Counter) -> None:
    await retirees(counter, 7)
    await ask(counter, "2026-02")

    async def one_worker() -> None:
        await work_off(counter.resources, lambda desk: credit_chunk(desk, limit=2))

    await asyncio.gather(one_worker(), one_worker())
    await one_worker()  # what the other one had locked while there was nothing else to do
    assert (await counter.balances(ZAOZHUANG))["personal_account"] == 7 * 7_250


async def test_a_month_to_come_and_a_month_without_a_rule_are_refused(counter: Counter) -> None:
    for month, code in [("2026-04", "month_in_future"), ("1999-01", "no_rule")]:
        answer = await ask(counter, month)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    path = f"retiree-credits?region_code={ZAOZHUANG}&month=2026-04"
    assert (await counter.get(path)).status_code == 404


@pytest.mark.parametrize("caller", [clerk_of(ZAOZHUANG), officer(YANTAI, Role.FINANCE)])
async def test_only_the_region_s_finance_starts_a_run(counter: Counter, caller: dict[str, str]) -> None:
    assert (await ask(counter, "2026-02", caller)).status_code == 403
