"""After preparing: issue, pay, complete, cancel. Every fact comes twice."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from libs.contracts.enrollment import TransferRecordPrepared
from libs.contracts.transfer import TransferFact
from libs.refusals.faults import Refusal
from tests.services.enrollment.counter import (
    ZAOZHUANG,
    Card,
    Counter,
    accepted,
    cancelled,
    completed,
    issued,
    paid,
)
from tests.support.service import published

MONTHS = ["2025-01", "2025-02", "2025-04"]
PAID_IN = {"bank_mirror": -30_000, "personal_account": 30_000}


async def leaving(counter: Counter, *facts: TransferFact) -> None:
    """Each fact twice, as a crash between effect and position would have it."""
    for fact in facts:
        await counter.deliver(fact, times=2)


async def transfer(counter: Counter) -> dict[str, Any]:
    ((state, attempt, amount),) = await counter.rows("SELECT state, attempt, amount_fen FROM transfers")
    return {"state": state, "attempt": attempt, "amount_fen": amount}


async def states(counter: Counter) -> list[str]:
    query = "SELECT after ->> 'state' FROM changes WHERE subject_kind = 'transfer' ORDER BY id"
    return [state for (state,) in await counter.rows(query)]


@pytest.fixture
async def card(counter: Counter) -> Card:
    """Somebody with 300 yuan and three months, whose relation is prepared for leaving."""
    card = await counter.insured(MONTHS)
    await counter.deliver(accepted(card))
    return card


async def test_the_sheet_takes_the_balance_into_transit(counter: Counter, card: Card) -> None:
    await leaving(counter, issued(card, 30_000))
    assert await counter.balances(ZAOZHUANG) == {
        "bank_mirror": -30_000,
        "personal_account": 0,
        "in_transit_out": 30_000,
    }
    told = (await counter.get(f"persons/{card.id}/account")).json()
    assert (told["balance_yuan"], told["held_yuan"]) == ("0.00", "0.00")
    assert told["lines"][-1]["amount_yuan"] == "-300.00"
    assert told["lines"][-1]["purpose_name"] == "医保关系转出，余额转入在途"


async def test_payment_reaches_the_bank_mirror_and_waits_in_clearing(counter: Counter, card: Card) -> None:
    await leaving(counter, issued(card, 30_000), paid(card, 30_000))
    assert await counter.balances(ZAOZHUANG) == {
        "bank_mirror": 0,
        "personal_account": 0,
        "in_transit_out": 30_000,
        "remittance_clearing": -30_000,
    }


async def test_completion_settles_everything_and_the_relation_has_left(counter: Counter, card: Card) -> None:
    await leaving(counter, issued(card, 30_000), paid(card, 30_000), completed(card, 30_000))
    assert not any((await counter.balances(ZAOZHUANG)).values())
    person = (await counter.get(f"persons/{card.id}")).json()
    assert person["enrolments"][0]["transferred_out_on"] == "2026-03-10"
    record = (await counter.get(f"persons/{card.id}/contributions")).json()
    assert (record["months_counted"], record["periods"]) == (0, [])
    assert all(month["transferred_out"] for month in record["months"])
    assert await states(counter) == ["prepared", "issued", "paid", "completed"]


async def test_until_completion_the_months_still_show_here(counter: Counter, card: Card) -> None:
    await leaving(counter, issued(card, 30_000), paid(card, 30_000))
    record = (await counter.get(f"persons/{card.id}/contributions")).json()
    assert record["months_counted"] == 3


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_whatever_the_order_the_end_is_the_same(
    counter: Counter, card: Card, order: tuple[int, ...]
) -> None:
    facts = [issued(card, 30_000), paid(card, 30_000), completed(card, 30_000)]
    await leaving(counter, *(facts[place] for place in order))
    assert not any((await counter.balances(ZAOZHUANG)).values())
    assert (await transfer(counter))["state"] == "completed"


async def test_without_money_the_same_steps_post_nothing(counter: Counter) -> None:
    card = await counter.insured(MONTHS, account="0.00")
    await leaving(counter, accepted(card), issued(card, 0), paid(card, 0), completed(card, 0))
    assert await counter.balances(ZAOZHUANG) == {}
    assert (await transfer(counter))["state"] == "completed"


async def test_cancelled_after_preparing_the_hold_ends(counter: Counter, card: Card) -> None:
    await leaving(counter, cancelled(card))
    assert await counter.rows("SELECT state FROM ledger_holds") == [("released",)]
    assert await counter.balances(ZAOZHUANG) == PAID_IN
    assert (await transfer(counter))["state"] == "cancelled"
    assert (await counter.get(f"persons/{card.id}/contributions")).json()["months_counted"] == 3


async def test_cancelled_after_issuing_the_balance_comes_back(counter: Counter, card: Card) -> None:
    await leaving(counter, issued(card, 30_000), cancelled(card))
    assert await counter.balances(ZAOZHUANG) == {**PAID_IN, "in_transit_out": 0}
    told = (await counter.get(f"persons/{card.id}/account")).json()
    assert (told["available_yuan"], told["lines"][-1]["amount_yuan"]) == ("300.00", "300.00")
    assert told["lines"][-1]["purpose"] == "transfer_reversed"


async def test_cancelled_without_money_the_months_come_back(counter: Counter) -> None:
    card = await counter.insured(MONTHS, account="0.00")
    await leaving(counter, accepted(card), issued(card, 0), cancelled(card))
    await counter.deliver(accepted(card))
    assert len((await published(counter.resources, TransferRecordPrepared))[-1].periods) == 2


async def test_once_paid_a_cancellation_is_refused_and_changes_nothing(counter: Counter, card: Card) -> None:
    await leaving(counter, issued(card, 30_000), paid(card, 30_000))
    before = await counter.balances(ZAOZHUANG)
    with pytest.raises(Refusal, match="资金已划出"):
        await counter.deliver(cancelled(card))
    assert await counter.balances(ZAOZHUANG) == before
    assert (await transfer(counter))["state"] == "paid"


async def test_after_a_cancellation_the_sheet_is_refused(counter: Counter, card: Card) -> None:
    await leaving(counter, cancelled(card))
    with pytest.raises(Refusal, match="已撤销"):
        await counter.deliver(issued(card, 30_000))
    assert await counter.balances(ZAOZHUANG) == PAID_IN


async def test_a_cancelled_move_can_be_prepared_anew_and_go_through(counter: Counter, card: Card) -> None:
    await leaving(counter, issued(card, 30_000), cancelled(card), accepted(card))
    assert await transfer(counter) == {"state": "prepared", "attempt": 2, "amount_fen": 30_000}
    await leaving(counter, issued(card, 30_000), paid(card, 30_000), completed(card, 30_000))
    assert not any((await counter.balances(ZAOZHUANG)).values())


async def test_the_cancellation_of_what_was_never_prepared_is_nothing(counter: Counter) -> None:
    card = await counter.person()
    await leaving(counter, cancelled(card))
    assert await counter.rows("SELECT count(*) FROM transfers") == [(0,)]


@pytest.mark.parametrize("step", [issued, paid, completed])
async def test_a_step_of_what_was_never_prepared_is_refused(counter: Counter, step: Any) -> None:
    card = await counter.insured(MONTHS)
    with pytest.raises(Refusal, match="没有办件"):
        await counter.deliver(step(card, 30_000))
    assert await counter.balances(ZAOZHUANG) == PAID_IN


@pytest.mark.parametrize("step", [issued, paid, completed])
async def test_another_amount_than_the_one_set_aside_is_refused(
    counter: Counter, card: Card, step: Any
) -> None:
    with pytest.raises(Refusal, match="金额不符"):
        await counter.deliver(step(card, 29_999))
    assert await counter.balances(ZAOZHUANG) == PAID_IN


async def test_who_has_left_may_enrol_contribute_and_leave_again_with_the_new_months(
    counter: Counter, card: Card
) -> None:
    await leaving(counter, issued(card, 30_000), paid(card, 30_000), completed(card, 30_000))
    again = await counter.enrol(card, since="2026-03-01")
    await counter.contribute(card, ["2026-03"], account="50.00")
    await counter.stop(again, on="2026-03-10")
    await counter.deliver(accepted(card, conversation="second"))
    fact = (await published(counter.resources, TransferRecordPrepared))[-1]
    assert [(p.from_month, p.to_month) for p in fact.periods] == [("2026-03", "2026-03")]
    assert fact.balance_fen == 5_000
