"""Messages that cross: withdrawal and payment, return and sheet, two applications for one move."""

from __future__ import annotations

import datetime as dt

from libs.contracts.transfer import FundsReceived, TransferOutAccepted, TransferOutCancelled
from tests.services.transfer.world import BALANCE_FEN, YANTAI, ZAOZHUANG, World


async def test_a_payment_that_crossed_the_withdrawal_revives_the_case(world: World) -> None:
    """Sheet and notice are on the way when the applicant withdraws: the money is accounted for."""
    pair = await world.accepted()
    await world.prepared(pair.outgoing)
    await world.act(pair.outgoing, "issue-information-sheet", "reviewer")
    await world.pay(pair.outgoing)
    await world.act(pair.incoming, "withdraw", "clerk", {"reason": "不再转移。"})

    await world.exchange()

    view = await world.transfer(pair.incoming)
    assert (view["case"]["status"], view["case"]["stage"]) == ("accepted", "awaiting_funds")
    assert view["money"]["on_sheet"] == "1234.56"
    assert (await world.case(pair.outgoing))["stage"] == "awaiting_completion"
    assert await world.facts(TransferOutCancelled) == []
    assert "恢复办理" in await world.steps(pair.incoming)

    assert (await world.receipt(ZAOZHUANG)).json()["case_no"] == pair.incoming
    await world.act(pair.incoming, "take-up", "reviewer")
    await world.credited(pair.incoming)
    await world.exchange()
    assert (await world.case(pair.outgoing))["status"] == "completed"
    assert [fact.amount_fen for fact in await world.facts(FundsReceived)] == [BALANCE_FEN]


async def test_a_payment_that_crossed_a_rejection_revives_the_case(world: World) -> None:
    pair = await world.with_sheet()
    await world.pay(pair.outgoing)
    await world.act(pair.incoming, "reject", "reviewer", {"reasons": ["人员有误。"]})

    await world.exchange()

    assert (await world.case(pair.incoming))["stage"] == "awaiting_funds"
    assert (await world.case(pair.outgoing))["stage"] == "awaiting_completion"
    assert (await world.receipt(ZAOZHUANG)).json()["case_no"] == pair.incoming


async def test_a_revived_case_stands_beside_a_new_application(world: World) -> None:
    pair = await world.accepted()
    await world.prepared(pair.outgoing)
    await world.act(pair.outgoing, "issue-information-sheet", "reviewer")
    await world.pay(pair.outgoing)
    await world.act(pair.incoming, "withdraw", "clerk", {"reason": "不再转移。"})
    again = await world.apply(world.application(pair.person, YANTAI, ZAOZHUANG))

    await world.exchange()

    assert (await world.case(pair.incoming))["stage"] == "awaiting_funds"
    assert (await world.case(again["case_no"]))["status"] == "submitted"


async def test_money_for_a_request_that_was_refused_is_accounted_for(world: World) -> None:
    """Applied at the origin; sheet and money go out before the destination has even seen the request."""
    person = world.people.person("370602")
    await world.enrolled(person, YANTAI, dt.date(2020, 1, 1))
    await world.stopped(person, YANTAI, dt.date(2026, 1, 31))
    outgoing = (await world.apply(world.application(person, YANTAI, ZAOZHUANG, at=YANTAI)))["case_no"]
    await world.act(outgoing, "accept", "clerk")
    await world.prepared(outgoing)
    await world.act(outgoing, "issue-information-sheet", "reviewer")
    await world.pay(outgoing)

    await world.exchange()

    incoming = await world.counterpart(outgoing)
    assert (await world.case(incoming))["stage"] == "awaiting_funds"
    assert (await world.receipt(ZAOZHUANG)).json()["case_no"] == incoming
    assert "对方退回申请，资金已划转" in await world.steps(outgoing)
    assert (await world.case(outgoing))["stage"] == "awaiting_completion"


async def test_a_refused_request_takes_back_a_sheet_that_was_on_its_way(world: World) -> None:
    """The return answers the request, not the sheet: there is nothing to correct, the move ends."""
    person = world.people.person("370602")
    await world.enrolled(person, YANTAI, dt.date(2020, 1, 1))
    await world.stopped(person, YANTAI, dt.date(2026, 1, 31))
    outgoing = (await world.apply(world.application(person, YANTAI, ZAOZHUANG, at=YANTAI)))["case_no"]
    await world.act(outgoing, "accept", "clerk")
    await world.prepared(outgoing)
    await world.act(outgoing, "issue-information-sheet", "reviewer")

    await world.exchange()

    case = await world.case(outgoing)
    assert case["status"] == "rejected"
    assert "尚未参加基本医疗保险" in case["notice"][0]["message"]
    assert len(await world.facts(TransferOutCancelled)) == 1


async def test_when_both_ends_apply_at_once_the_first_conversation_goes_on(world: World) -> None:
    person = await world.mover()
    first = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    second = (await world.apply(world.application(person, YANTAI, ZAOZHUANG, at=YANTAI)))["case_no"]
    await world.act(second, "accept", "clerk")
    await world.act(first, "accept", "clerk")

    await world.exchange()

    assert (await world.case(first))["stage"] == "awaiting_sheet"
    assert (await world.case(await world.counterpart(first)))["stage"] == "preparing"
    assert (await world.case(second))["status"] == "withdrawn"
    assert (await world.steps(second))[-1] == "并入对方的申请"
    assert [fact.reason[:3] for fact in await world.facts(TransferOutCancelled)] == ["枣庄市"]
    assert len(await world.facts(TransferOutAccepted)) == 2
    assert (await open_moves(world)) == 2


async def test_when_both_ends_apply_and_the_other_was_first_ours_gives_way(world: World) -> None:
    person = await world.mover()
    outgoing = (await world.apply(world.application(person, YANTAI, ZAOZHUANG, at=YANTAI)))["case_no"]
    incoming = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    await world.act(incoming, "accept", "clerk")
    await world.act(outgoing, "accept", "clerk")

    await world.exchange()

    assert (await world.case(outgoing))["stage"] == "preparing"
    assert (await world.case(await world.counterpart(outgoing)))["stage"] == "awaiting_sheet"
    assert (await world.case(incoming))["status"] in ("withdrawn", "rejected")
    assert (await open_moves(world)) == 2


async def test_an_application_not_accepted_yet_gives_way_to_an_accepted_one(world: World) -> None:
    person = await world.mover()
    waiting = (await world.apply(world.application(person, YANTAI, ZAOZHUANG, at=YANTAI)))["case_no"]
    accepted = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    await world.act(accepted, "accept", "clerk")

    await world.exchange()

    assert (await world.case(waiting))["status"] == "withdrawn"
    assert (await world.case(accepted))["stage"] == "awaiting_sheet"
    assert await world.facts(TransferOutCancelled) == []


async def test_another_move_of_the_same_person_does_not_give_way(world: World) -> None:
    """Open here with another city: the request goes back."""
    person = await world.mover()
    await world.enrolled(person, "420100", dt.date(2026, 3, 1))
    here = (await world.apply(world.application(person, YANTAI, "420100", at=YANTAI)))["case_no"]
    elsewhere = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    await world.act(elsewhere, "accept", "clerk")

    await world.exchange()

    assert (await world.case(here))["status"] == "submitted"
    case = await world.case(elsewhere)
    assert case["status"] == "rejected"
    assert "正在办理" in case["notice"][0]["message"]


async def open_moves(world: World) -> int:
    [[count]] = await world.sql("SELECT count(*) FROM moves WHERE is_open")
    return int(count)
