"""The transferring-in side: money received, relation taken up. Every fact comes twice."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts.enrollment import ContributionPeriod, TransferCredited
from libs.refusals.faults import Refusal
from tests.services.enrollment.counter import (
    CONVERSATION,
    YANTAI,
    ZAOZHUANG,
    Card,
    Counter,
    accepted,
    clerk_of,
    completed,
    issued,
    paid,
    period,
    received,
    taken_up,
)
from tests.support.service import published

SHEET = [period("2024-11", "2025-02", 4), period("2025-04", "2025-04", 1)]


@pytest.fixture
async def card(counter: Counter) -> Card:
    """Somebody newly enrolled in 烟台 who has paid there since April 2025."""
    card = await counter.person(YANTAI)
    await counter.enrol(card, since="2025-04-01")
    await counter.contribute(card, ["2025-04", "2025-05"], account="10.00")
    return card


async def credited(counter: Counter) -> list[TransferCredited]:
    return await published(counter.resources, TransferCredited)


async def record(counter: Counter, card: Card) -> dict[str, Any]:
    told: dict[str, Any] = (
        await counter.get(f"persons/{card.id}/contributions", clerk_of(card.region_code))
    ).json()
    return told


async def test_money_waits_in_transit_until_the_relation_is_taken_up(counter: Counter, card: Card) -> None:
    await counter.deliver(received(card, 30_000), times=2)
    assert await counter.balances(YANTAI) == {
        "bank_mirror": -32_000,
        "personal_account": 2_000,
        "in_transit_in": 30_000,
    }


async def test_taken_up_money_and_months_arrive_once(counter: Counter, card: Card) -> None:
    await counter.deliver(received(card, 30_000))
    await counter.deliver(taken_up(card, 30_000, SHEET), times=2)
    assert await counter.balances(YANTAI) == {
        "bank_mirror": -32_000,
        "personal_account": 32_000,
        "in_transit_in": 0,
    }
    first, second = await credited(counter)
    assert first == second
    assert (first.conversation, first.case_no, first.region_code) == (CONVERSATION, "case-of-370600", YANTAI)
    assert (first.amount_fen, first.months_recorded) == (30_000, 4)
    assert first.credited_on.isoformat() == "2026-03-10"


async def test_a_month_already_here_stays_and_is_not_counted_twice(counter: Counter, card: Card) -> None:
    await counter.deliver(taken_up(card, 0, SHEET))
    told = await record(counter, card)
    assert told["months_counted"] == 6
    by_month = {month["month"]: month for month in told["months"]}
    assert by_month["2025-04"]["source"] == "own"
    assert by_month["2025-04"]["base_yuan"] == "5000.00"
    assert by_month["2024-11"]["source"] == "transferred_in"
    assert by_month["2024-11"]["base_yuan"] is None
    assert by_month["2024-11"]["origin_agency_name"] == "枣庄市医疗保障经办机构"
    (fact,) = await credited(counter)
    assert fact.months_recorded == 4


async def test_a_month_as_resident_there_is_not_counted_beside_the_same_as_employee_here(
    counter: Counter, card: Card
) -> None:
    sheet = [period("2025-03", "2025-04", 2, kind="390")]
    await counter.deliver(taken_up(card, 0, sheet, kind="390"))
    (fact,) = await credited(counter)
    assert fact.months_recorded == 1
    kinds = {month["month"]: month["insurance_kind"] for month in (await record(counter, card))["months"]}
    assert (kinds["2025-03"], kinds["2025-04"]) == ("390", "310")


async def test_the_relation_taken_up_before_the_money_ends_the_same(counter: Counter, card: Card) -> None:
    await counter.deliver(taken_up(card, 30_000, SHEET))
    assert (await counter.balances(YANTAI))["in_transit_in"] == -30_000
    await counter.deliver(received(card, 30_000), times=2)
    assert (await counter.balances(YANTAI))["in_transit_in"] == 0
    assert (await counter.balances(YANTAI))["personal_account"] == 32_000
    assert await counter.rows("SELECT state FROM transfers") == [("credited",)]
    assert len(await credited(counter)) == 1


async def test_without_money_the_months_arrive_and_nothing_is_posted(counter: Counter) -> None:
    card = await counter.person(YANTAI)
    await counter.deliver(received(card, 0))
    await counter.deliver(taken_up(card, 0, SHEET))
    assert await counter.balances(YANTAI) == {}
    (fact,) = await credited(counter)
    assert (fact.amount_fen, fact.months_recorded) == (0, 5)


async def test_the_account_is_opened_for_money_that_arrives(counter: Counter) -> None:
    card = await counter.person(YANTAI)
    await counter.deliver(received(card, 30_000))
    await counter.deliver(taken_up(card, 30_000, []))
    told = (await counter.get(f"persons/{card.id}/account", clerk_of(YANTAI))).json()
    assert told["balance_yuan"] == "300.00"
    assert told["lines"][0]["purpose_name"] == "医保关系转入，余额记入个人账户"


async def test_another_amount_than_the_one_received_is_refused_and_nothing_changes(
    counter: Counter, card: Card
) -> None:
    await counter.deliver(received(card, 30_000))
    with pytest.raises(Refusal, match="金额不符"):
        await counter.deliver(taken_up(card, 30_001, SHEET))
    assert (await counter.balances(YANTAI))["personal_account"] == 2_000
    assert (await record(counter, card))["months_counted"] == 2


async def test_for_somebody_unknown_here_nothing_is_credited(counter: Counter) -> None:
    there = await counter.person(ZAOZHUANG)
    stranger = Card(there.id, there.key, there.id_number, YANTAI)
    await counter.deliver(received(stranger, 30_000))
    with pytest.raises(Refusal, match="没有办件"):
        await counter.deliver(taken_up(stranger, 30_000, SHEET))
    assert await counter.balances(YANTAI) == {"bank_mirror": -30_000, "in_transit_in": 30_000}


@pytest.mark.parametrize("text", ["2024-13", "twenty"])
async def test_a_sheet_with_a_month_that_is_none_changes_nothing(
    counter: Counter, card: Card, text: str
) -> None:
    await counter.deliver(received(card, 30_000))
    broken = ContributionPeriod.model_validate(
        {**period("2025-01", "2025-01", 1).model_dump(), "to_month": text}
    )
    with pytest.raises(ValueError, match="2024-03"):
        await counter.deliver(taken_up(card, 30_000, [broken]))
    assert (await counter.balances(YANTAI))["personal_account"] == 2_000


async def test_months_that_left_with_an_earlier_move_count_again_when_they_come_back(
    counter: Counter,
) -> None:
    card = await counter.insured(["2025-01", "2025-02"], account="100.00")
    for fact in (accepted(card), issued(card, 20_000), paid(card, 20_000), completed(card, 20_000)):
        await counter.deliver(fact)
    assert (await record(counter, card))["months_counted"] == 0
    back = period("2025-01", "2025-03", 3)
    await counter.deliver(received(card, 25_000, conversation="back"))
    await counter.deliver(taken_up(card, 25_000, [back], conversation="back"), times=2)
    assert (await credited(counter))[0].months_recorded == 3
    told = await record(counter, card)
    assert told["months_counted"] == 3
    assert not any(month["transferred_out"] for month in told["months"])
    assert (await counter.balances(ZAOZHUANG))["personal_account"] == 25_000
