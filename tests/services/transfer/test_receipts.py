"""Money at the bank: before its notice, wrong, twice, ambiguous, missed."""

from __future__ import annotations

import asyncio
from typing import Any

from libs.contracts.transfer import FundsReceived
from services.transfer.worker import MATCH
from tests.services.transfer.world import YANTAI, ZAOZHUANG, World


async def test_money_before_its_notice_waits_and_is_matched_then(world: World) -> None:
    pair = await world.with_sheet()
    await world.pay(pair.outgoing)

    early = await world.receipt(ZAOZHUANG)
    assert (early.json()["case_no"], early.json()["explanation"][:2]) == (None, "暂无")
    await world.exchange()

    view = await world.transfer(pair.incoming)
    assert (view["case"]["stage"], view["money"]["received"]) == ("take_up", "1234.56")
    assert len(await world.facts(FundsReceived)) == 1


async def test_money_that_names_the_sheet_is_matched_but_taken_up_only_with_its_notice(
    world: World,
) -> None:
    """Without the notice the other city would refuse the completion: the case would never close."""
    pair = await world.with_sheet()
    number = (await world.transfer(pair.incoming))["sheet_number"]

    matched = await world.receipt(ZAOZHUANG, "BANK-9", remark=f"医保转移{number}")

    assert matched.json()["case_no"] == pair.incoming
    assert (await world.case(pair.incoming))["stage"] == "awaiting_funds"
    await world.pay(pair.outgoing)
    await world.exchange()
    assert (await world.case(pair.incoming))["stage"] == "take_up"


async def test_a_wrong_amount_is_not_matched_and_stays_visible(world: World) -> None:
    pair = await world.with_sheet()
    await world.pay(pair.outgoing)
    await world.exchange()

    answer = await world.receipt(ZAOZHUANG, amount="1234.55")

    assert answer.json()["case_no"] is None
    assert "到账1234.55元，与信息表载明的1234.56元不符" in answer.json()["explanation"]
    [left] = await unmatched(world)
    assert (left["bank_reference"], left["explanation"]) == ("YT0001", answer.json()["explanation"])
    assert (await world.case(pair.incoming))["stage"] == "awaiting_funds"
    assert await world.facts(FundsReceived) == []


async def test_the_same_line_twice_is_one_receipt(world: World) -> None:
    pair = await world.with_money()

    again = await world.receipt(ZAOZHUANG)

    assert (again.status_code, again.json()["case_no"]) == (201, pair.incoming)
    assert len(await world.facts(FundsReceived)) == 1
    assert await unmatched(world) == []


async def test_the_same_line_with_another_content_is_refused(world: World) -> None:
    await world.receipt(ZAOZHUANG)

    for change in ({"amount": "1.00"}, {"remark": "别的附言"}, {"payer_name": "别人"}):
        answer = await world.receipt(ZAOZHUANG, **change)
        assert (answer.status_code, answer.json()["code"]) == (409, "receipt_differs")


async def test_nothing_and_money_of_tomorrow_are_refused(world: World) -> None:
    nothing = await world.receipt(ZAOZHUANG, amount="0.00")
    tomorrow = await world.receipt(ZAOZHUANG, received_on="2026-03-10")

    assert [fault["pointer"] for fault in nothing.json()["errors"]] == ["/amount"]
    assert [fault["pointer"] for fault in tomorrow.json()["errors"]] == ["/received_on"]
    assert await unmatched(world) == []


async def test_of_two_cases_under_one_reference_the_amount_decides(world: World) -> None:
    """Two cities' banks number alike."""
    first = await world.with_sheet()
    second = await world.accepted("420100", ZAOZHUANG)
    await world.prepared(second.outgoing, 99)
    await world.act(second.outgoing, "issue-information-sheet", "reviewer")
    await world.pay(first.outgoing, "0001")
    await world.pay(second.outgoing, "0001")
    await world.exchange()

    assert (await world.receipt(ZAOZHUANG, "0001", "0.99")).json()["case_no"] == second.incoming
    assert (await world.case(first.incoming))["stage"] == "awaiting_funds"


async def test_of_two_cases_alike_in_reference_and_amount_none_is_guessed(world: World) -> None:
    first = await world.with_sheet()
    second = await world.accepted("420100", ZAOZHUANG)
    await world.prepared(second.outgoing)
    await world.act(second.outgoing, "issue-information-sheet", "reviewer")
    await world.pay(first.outgoing, "0001")
    await world.pay(second.outgoing, "0001")
    await world.exchange()

    answer = await world.receipt(ZAOZHUANG, "0001")

    assert answer.json()["case_no"] is None
    assert "多件办件" in answer.json()["explanation"]


async def test_one_payment_of_the_bank_pays_one_case(world: World) -> None:
    first, second = await world.with_sheet(), await world.with_sheet()
    await world.pay(first.outgoing, "YT0001")

    answer = await world.try_to(
        second.outgoing, "pay", "finance", {"bank_reference": "YT0001", "paid_on": "2026-03-09"}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "bank_reference")
    assert first.outgoing in answer.json()["detail"]


async def test_a_payment_is_dated_between_application_and_today(world: World) -> None:
    pair = await world.with_sheet()

    for paid_on in ("2026-03-08", "2026-03-10"):
        answer = await world.try_to(
            pair.outgoing, "pay", "finance", {"bank_reference": "YT0001", "paid_on": paid_on}
        )
        assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/paid_on"]


async def test_a_receipt_entered_while_its_notice_arrives_finds_its_case(world: World) -> None:
    """Neither transaction sees the other: what both miss, the worker's timer matches."""
    pair = await world.with_sheet()
    await world.pay(pair.outgoing)

    await asyncio.gather(world.receipt(ZAOZHUANG), world.exchange())
    await world.run(MATCH)

    assert (await world.case(pair.incoming))["stage"] == "take_up"
    assert len(await world.facts(FundsReceived)) == 1


async def test_the_timer_matches_what_was_missed(world: World) -> None:
    pair = await world.with_sheet()
    await world.pay(pair.outgoing)
    await world.receipt(ZAOZHUANG)
    # As if the notice's transaction had not seen the receipt.
    await world.sql("UPDATE bank_receipts SET bank_reference = 'hidden' RETURNING 1")
    await world.exchange()
    await world.sql("UPDATE bank_receipts SET bank_reference = 'YT0001' RETURNING 1")

    assert await world.run(MATCH) == 1
    assert await world.run(MATCH) == 0
    assert (await world.case(pair.incoming))["stage"] == "take_up"


async def test_only_finance_enters_receipts_and_only_of_the_own_region(world: World) -> None:
    body = {
        "region_code": ZAOZHUANG,
        "bank_reference": "1",
        "amount": "1.00",
        "payer_name": "某（虚构）",
        "remark": "转移",
        "received_on": "2026-03-09",
    }
    for headers in (world.officer(ZAOZHUANG, "clerk"), world.officer(YANTAI, "finance")):
        assert (await world.post("/v1/transfers/bank-receipts", body, headers)).status_code == 403
    assert (await world.sql("SELECT count(*) FROM bank_receipts"))[0][0] == 0


async def unmatched(world: World) -> list[dict[str, Any]]:
    answer = await world.client.get(
        "/v1/transfers/bank-receipts",
        params={"region_code": ZAOZHUANG},
        headers=world.officer(ZAOZHUANG, "finance"),
    )
    assert answer.status_code == 200, answer.text
    receipts: list[dict[str, Any]] = answer.json()
    return receipts
