"""医保办发〔2021〕43号: apply at either end, sheet, money, take-up, completion."""

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
from tests.services.transfer.world import BALANCE_FEN, WUHAN, YANTAI, ZAOZHUANG, Pair, World


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
    assert (await world.case(outgoing))["stage"] == "preparing"
    assert len(await world.facts(TransferOutAccepted)) == 1
    await world.prepared(outgoing)

    case = await world.act(outgoing, "issue-information-sheet", "reviewer")
    assert case["stage"] == "payment"
    await world.pay(outgoing)
    await world.exchange()

    view = await world.transfer(incoming)
    assert view["case"]["stage"] == "awaiting_funds"
    assert view["money"]["on_sheet"] == "1234.56"
    receipt = await world.receipt(ZAOZHUANG)
    assert receipt.status_code == 201, receipt.text
    assert receipt.json()["case_no"] == incoming

    assert (await world.act(incoming, "take-up", "reviewer"))["stage"] == "crediting"
    await world.credited(incoming)
    await world.exchange()

    await expect_completed(world, Pair(person, incoming, outgoing))
    for fact in (InformationSheetIssued, FundsPaid, FundsReceived, TransferTakenUp, TransferOutCompleted):
        assert [told.amount_fen for told in await world.facts(fact)] == [BALANCE_FEN]


async def test_across_provinces_fifteen_working_days_and_a_message_from_the_template(world: World) -> None:
    pair = await world.with_sheet(0, origin=ZAOZHUANG, destination=WUHAN)
    assert (await world.case(pair.incoming))["due"]["allowed"] == "15个工作日"
    assert (await world.case(pair.outgoing))["stage"] == "awaiting_completion"
    assert (await world.case(pair.incoming))["stage"] == "take_up"

    await world.act(pair.incoming, "take-up", "reviewer")
    await world.credited(pair.incoming, 0)
    await world.exchange()

    await expect_completed(world, pair)
    told = await world.facts(TransferMessageSent)
    assert [fact.kind for fact in told] == ["completed"]
    assert "转移接续已完成" in told[0].text
    assert pair.person.name not in told[0].text


async def test_an_application_at_the_transferring_out_end_opens_the_other(world: World) -> None:
    person = await world.mover(YANTAI, ZAOZHUANG)
    case = await world.apply(world.application(person, YANTAI, ZAOZHUANG, at=YANTAI))
    outgoing = case["case_no"]
    assert case["item_key"] == "yantai-transfer-out"

    assert (await world.act(outgoing, "accept", "clerk"))["stage"] == "preparing"
    await world.exchange()

    incoming = await world.counterpart(outgoing)
    assert (await world.case(incoming))["stage"] == "awaiting_sheet"
    assert await world.messages(incoming) == ["transfer_application"]
    await world.prepared(outgoing)
    await world.act(outgoing, "issue-information-sheet", "reviewer")
    await world.pay(outgoing)
    await world.exchange()
    await world.receipt(ZAOZHUANG)
    await world.act(incoming, "take-up", "reviewer")
    await world.credited(incoming)
    await world.exchange()

    await expect_completed(world, Pair(person, incoming, outgoing))


async def expect_completed(world: World, pair: Pair) -> None:
    assert (await world.case(pair.incoming))["status"] == "completed"
    assert (await world.case(pair.outgoing))["status"] == "completed"
    assert (await world.messages(pair.outgoing))[-1] == "completion"
