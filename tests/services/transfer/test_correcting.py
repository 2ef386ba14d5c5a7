"""Return for correction, and the correction: entered by one, issued by another."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts.transfer import InformationSheetIssued, TransferTakenUp
from tests.services.transfer.world import BALANCE_FEN, Pair, World

ROWS = [
    {"from_month": "2020-01", "to_month": "2021-12", "insurance_kind": "310"},
    {"from_month": "2022-02", "to_month": "2026-01", "insurance_kind": "310", "remark": "2022年1月中断"},
]
CORRECTION = {"reason": "2022年1月未缴费。", "periods": ROWS}
RETURN = {"reason": "缴费记录有误。", "faults": ["2022年1月重复。", "合计月数不符。"]}


async def test_a_returned_sheet_is_corrected_by_one_and_issued_by_another(world: World) -> None:
    pair = await world.with_money()
    await returned(world, pair)

    back = await world.case(pair.outgoing)
    assert (back["stage"], back["status"]) == ("correcting", "approved")
    entered = await world.act(pair.outgoing, "correct", "second-reviewer", CORRECTION)
    assert entered["stage"] == "information_sheet"
    same = await world.try_to(pair.outgoing, "issue-information-sheet", "second-reviewer")
    assert (same.status_code, same.json()["code"]) == (403, "maker_checker")
    issued = await world.act(pair.outgoing, "issue-information-sheet", "reviewer")
    assert issued["stage"] == "awaiting_completion"
    await world.exchange()

    view = await world.transfer(pair.incoming)
    assert view["case"]["stage"] == "take_up"
    assert [row["months_paid"] for row in view["periods"]] == [24, 48]
    assert view["sheet_number"].endswith("(第0002号)")
    await world.act(pair.incoming, "take-up", "reviewer")
    [taken_up] = await world.facts(TransferTakenUp)
    assert [period.from_month for period in taken_up.periods] == ["2020-01", "2022-02"]
    assert len(await world.facts(InformationSheetIssued)) == 1, "the balance goes in transit once"


async def test_before_the_payment_the_corrected_sheet_is_paid(world: World) -> None:
    pair = await world.with_sheet()
    await returned(world, pair)
    await world.act(pair.outgoing, "correct", "second-reviewer", CORRECTION)

    issued = await world.act(pair.outgoing, "issue-information-sheet", "reviewer")
    assert issued["stage"] == "payment"
    await world.pay(pair.outgoing)
    await world.exchange()

    assert (await world.receipt(pair.incoming[:6])).json()["case_no"] == pair.incoming


async def test_a_payment_that_crossed_the_return_is_not_lost(world: World) -> None:
    pair = await world.with_sheet()
    await world.pay(pair.outgoing)
    await world.act(pair.incoming, "return-for-correction", "reviewer", RETURN)
    await world.exchange()
    await world.receipt(pair.incoming[:6])

    await world.act(pair.outgoing, "correct", "second-reviewer", CORRECTION)
    await world.act(pair.outgoing, "issue-information-sheet", "reviewer")
    await world.exchange()

    view = await world.transfer(pair.incoming)
    assert (view["case"]["stage"], view["money"]["received"]) == ("take_up", "1234.56")


async def test_the_other_city_sees_every_fault_of_the_sheet_at_once(world: World) -> None:
    pair = await world.with_sheet(0)

    await returned(world, pair)

    line = (await world.timeline(pair.outgoing))[-1]
    assert (line.action_name, line.reason) == ("收到退回更正", RETURN["reason"])
    assert [item.message for item in line.notice] == RETURN["faults"]


BAD_ROWS: list[tuple[list[dict[str, Any]], list[str]]] = [
    ([{"from_month": "2021-02", "to_month": "2021-01", "insurance_kind": "310"}], ["/periods/0/to_month"]),
    (
        [
            {"from_month": "2021-01", "to_month": "2021-06", "insurance_kind": "310"},
            {"from_month": "2021-06", "to_month": "2021-05", "insurance_kind": "310"},
        ],
        ["/periods/1/to_month", "/periods/1/from_month"],
    ),
    ([{"from_month": "2021-13", "to_month": "2021-01", "insurance_kind": "310"}], ["/periods/0/from_month"]),
]


@pytest.mark.parametrize(("rows", "pointers"), BAD_ROWS)
async def test_rows_that_contradict_themselves_are_told_and_change_nothing(
    world: World, rows: list[dict[str, Any]], pointers: list[str]
) -> None:
    pair = await world.with_sheet(0)
    await returned(world, pair)
    before = await world.counts()

    answer = await world.try_to(
        pair.outgoing, "correct", "second-reviewer", {"reason": "更正。", "periods": rows}
    )

    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == pointers
    assert await world.counts() == before


async def test_the_record_keeps_what_stood_there_before(world: World) -> None:
    pair = await world.with_sheet(BALANCE_FEN)
    await returned(world, pair)
    await world.act(pair.outgoing, "correct", "second-reviewer", CORRECTION)

    [[details]] = await world.sql(
        "SELECT r.details FROM case_record r JOIN cases c ON c.id = r.case_id AND c.version = r.version"
        " WHERE c.case_no = :case_no",
        case_no=pair.outgoing,
    )
    assert details["before"]["periods"][0]["to_month"] == "2026-01"


async def returned(world: World, pair: Pair) -> None:
    await world.act(pair.incoming, "return-for-correction", "reviewer", RETURN)
    await world.exchange()
