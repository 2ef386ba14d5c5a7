"""医保办发〔2021〕43号: apply at either end, sheet within 10, take-up within 5 working days."""

from __future__ import annotations

from libs.contracts.transfer import (
    FundsPaid,
    FundsReceived,
    InformationSheetIssued,
    TransferMessageSent,
    TransferOutAccepted,
    TransferOutCompleted,
    TransferTakenUp,
)
from tests.services.transfer.conftest import WUHAN, YANTAI, ZAOZHUANG, World


async def test_a_relation_with_money_moves_within_the_province(world: World) -> None:
    person = await world.mover(YANTAI, ZAOZHUANG)
    case = await world.apply(world.application(person, YANTAI, ZAOZHUANG))
    assert case["status"] == "submitted"
    incoming = case["case_no"]

    case = await world.act(incoming, "accept", "clerk")
    assert case["due"]["allowed"] == "9个工作日"
    assert case["due"]["on"] == "2026-03-20"
    await world.exchange()

    outgoing = await world.counterpart(incoming)
    assert (await world.transfer(outgoing))["case"]["stage"] == "preparing"
    assert len(await world.facts(TransferOutAccepted)) == 1
    await world.prepared(outgoing, 123_456)

    case = await world.act(outgoing, "issue-information-sheet", "reviewer")
    assert case["stage"] == "payment"
    await world.act(outgoing, "pay", "finance", {"bank_reference": "YT0001", "paid_on": "2026-03-09"})
    await world.exchange()

    view = await world.transfer(incoming)
    assert view["case"]["stage"] == "awaiting_funds"
    assert view["money"]["on_sheet"] == "1234.56"
    receipt = await world.post(
        "/v1/transfers/bank-receipts",
        {
            "region_code": ZAOZHUANG,
            "bank_reference": "YT0001",
            "amount": "1234.56",
            "payer_name": "烟台市医疗保险基金（虚构）",
            "remark": "医保转移",
            "received_on": "2026-03-10",
        },
        world.officer(ZAOZHUANG, "finance"),
    )
    assert receipt.status_code == 201, receipt.text
    assert receipt.json()["case_no"] == incoming

    assert (await world.act(incoming, "take-up", "reviewer"))["stage"] == "crediting"
    await world.credited(incoming, 123_456)
    await world.exchange()

    assert (await world.transfer(incoming))["case"]["status"] == "completed"
    assert (await world.transfer(outgoing))["case"]["status"] == "completed"
    assert [fact.amount_fen for fact in await world.facts(InformationSheetIssued)] == [123_456]
    assert [fact.amount_fen for fact in await world.facts(FundsPaid)] == [123_456]
    assert [fact.amount_fen for fact in await world.facts(FundsReceived)] == [123_456]
    assert [fact.amount_fen for fact in await world.facts(TransferTakenUp)] == [123_456]
    assert [fact.amount_fen for fact in await world.facts(TransferOutCompleted)] == [123_456]


async def test_across_provinces_fifteen_working_days_and_a_message_from_the_template(world: World) -> None:
    person = await world.mover(ZAOZHUANG, WUHAN)
    body = world.application(person, ZAOZHUANG, WUHAN, item_key="002036003002")
    case = await world.apply(body)
    incoming = case["case_no"]
    case = await world.act(incoming, "accept", "clerk")
    assert case["due"]["allowed"] == "15个工作日"
    await world.exchange()
    outgoing = await world.counterpart(incoming)
    await world.prepared(outgoing, 0)

    assert (await world.act(outgoing, "issue-information-sheet", "reviewer"))[
        "stage"
    ] == "awaiting_completion"
    await world.exchange()
    assert (await world.transfer(incoming))["case"]["stage"] == "take_up"
    await world.act(incoming, "take-up", "reviewer")
    await world.credited(incoming, 0)
    await world.exchange()

    assert (await world.transfer(outgoing))["case"]["status"] == "completed"
    told = await world.facts(TransferMessageSent)
    assert [fact.kind for fact in told] == ["completed"]
    assert "转移接续已完成" in told[0].text
    assert person.name not in told[0].text
