"""受理, 不予受理, 审核不通过, 撤回."""

from __future__ import annotations

import datetime as dt

import pytest

from libs.contracts.transfer import (
    InformationSheetIssued,
    TransferMessageSent,
    TransferOutAccepted,
    TransferOutCancelled,
)
from tests.services.transfer.world import WUHAN, YANTAI, ZAOZHUANG, World

JANUARY = dt.date(2026, 1, 31)
MARCH = dt.date(2026, 3, 1)


async def test_refusal_carries_all_reasons_the_systems_and_the_officers(world: World) -> None:
    """A retiree of the same pooling area who is short of a material: nothing is left out."""
    person = world.people.person("370402")
    await world.enrolled(person, ZAOZHUANG, MARCH, as_="retiree")
    body = world.application(person, ZAOZHUANG, ZAOZHUANG, materials=[])
    case_no = (await world.apply(body))["case_no"]

    case = await world.act(case_no, "refuse", "clerk", {"reasons": ["申请人要求不再办理。"]})

    assert case["status"] == "refused"
    assert [item["code"] for item in case["notice"]] == [
        "missing_material",
        "same_pooling_area",
        "retiree",
        "officer_reason",
    ]
    assert all(item["rule"] for item in case["notice"][:3])


async def test_acceptance_is_refused_while_the_person_is_not_enrolled_here(world: World) -> None:
    person = world.people.person("370602")
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]

    answer = await world.try_to(case_no, "accept", "clerk")
    await world.enrolled(person, ZAOZHUANG, MARCH)

    assert [fault["code"] for fault in answer.json()["errors"]] == ["not_enrolled_at_destination"]
    assert (await world.act(case_no, "accept", "clerk"))["status"] == "accepted"


async def test_residents_do_not_move_to_residents_within_the_year(world: World) -> None:
    person = world.people.person("370602")
    await world.enrolled(person, ZAOZHUANG, MARCH, kind="390", as_="resident")
    body = world.application(person, YANTAI, ZAOZHUANG)
    body["payload"]["insurance_kind"] = "390"
    case_no = (await world.apply(body))["case_no"]

    answer = await world.try_to(case_no, "accept", "clerk")

    assert [fault["code"] for fault in answer.json()["errors"]] == ["resident_to_resident"]


async def test_a_resident_who_became_an_employee_moves(world: World) -> None:
    person = world.people.person("370602")
    await world.enrolled(person, ZAOZHUANG, MARCH)
    body = world.application(person, YANTAI, ZAOZHUANG)
    body["payload"]["insurance_kind"] = "390"
    case_no = (await world.apply(body))["case_no"]

    assert (await world.act(case_no, "accept", "clerk"))["status"] == "accepted"


async def test_who_is_still_active_at_the_origin_is_sent_back_with_the_reason(world: World) -> None:
    """Only the origin can see it: it returns the request by itself, and our side ends with its reasons."""
    person = world.people.person("420102")
    await world.enrolled(person, WUHAN, dt.date(2020, 1, 1))
    await world.enrolled(person, ZAOZHUANG, MARCH)
    case_no = (await world.apply(world.application(person, WUHAN, ZAOZHUANG)))["case_no"]
    await world.act(case_no, "accept", "clerk")

    await world.exchange()

    case = await world.case(case_no)
    assert case["status"] == "rejected"
    assert "尚未停保" in case["notice"][0]["message"]
    assert (await world.case(await world.counterpart(case_no)))["status"] == "refused"
    assert await world.facts(TransferOutAccepted) == []


async def test_who_started_again_at_the_origin_is_active_there(world: World) -> None:
    person = await world.mover(YANTAI, ZAOZHUANG)
    await world.enrolled(person, YANTAI, dt.date(2026, 2, 1))
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    await world.act(case_no, "accept", "clerk")

    await world.exchange()

    assert (await world.case(case_no))["status"] == "rejected"


async def test_enrollments_refusal_ends_both_sides_with_all_its_reasons(world: World) -> None:
    pair = await world.accepted()

    await world.record_refused(pair.outgoing, "个人账户冻结。", "尚有欠费。")
    await world.exchange()

    outgoing, incoming = await world.case(pair.outgoing), await world.case(pair.incoming)
    assert [item["message"] for item in outgoing["notice"]] == ["个人账户冻结。", "尚有欠费。"]
    assert (outgoing["status"], incoming["status"]) == ("rejected", "withdrawn")
    assert (await world.timeline(pair.incoming))[-1].reason == "个人账户冻结；尚有欠费。"


async def test_without_a_paid_month_there_is_no_sheet(world: World) -> None:
    pair = await world.accepted()

    await world.prepared(pair.outgoing, 0, [])
    await world.exchange()

    assert (await world.case(pair.outgoing))["notice"][0]["code"] == "no_months"
    assert len(await world.facts(TransferOutCancelled)) == 1


@pytest.mark.parametrize(
    "stage", ["checking", "awaiting_sheet", "preparing", "information_sheet", "sheet_sent"]
)
async def test_the_applicant_withdraws_before_any_money_moved(world: World, stage: str) -> None:
    """At every stage before the payment: both sides end, enrollment lets the balance go."""
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    other = None
    if stage != "checking":
        await world.act(case_no, "accept", "clerk")
    if stage in ("preparing", "information_sheet", "sheet_sent"):
        await world.exchange()
        other = await world.counterpart(case_no)
    if stage in ("information_sheet", "sheet_sent"):
        assert other is not None
        await world.prepared(other)
    if stage == "sheet_sent":
        assert other is not None
        await world.act(other, "issue-information-sheet", "reviewer")
        await world.exchange()

    answer = await world.post(
        f"/v1/applications/{case_no}/actions/withdraw", {"reason": "不再转移。"}, world.citizen(person)
    )
    await world.exchange()

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "withdrawn"
    if other is not None:
        assert (await world.case(other))["status"] == "withdrawn"
        assert len(await world.facts(TransferOutCancelled)) == 1


async def test_the_transferring_out_side_withdraws_before_it_paid(world: World) -> None:
    pair = await world.with_sheet()

    await world.act(pair.outgoing, "withdraw", "supervisor", {"reason": "参保人撤回申请。"})
    await world.exchange()

    assert (await world.case(pair.incoming))["status"] == "withdrawn"
    assert [fact.reason for fact in await world.facts(TransferOutCancelled)] == ["参保人撤回申请。"]


@pytest.mark.parametrize("side", ["incoming", "outgoing"])
@pytest.mark.parametrize(
    ("action", "role", "body"),
    [("withdraw", "clerk", {"reason": "不再转移。"}), ("reject", "reviewer", {"reasons": ["有误。"]})],
)
async def test_withdrawal_after_payment_is_refused(
    world: World, side: str, action: str, role: str, body: dict[str, str]
) -> None:
    pair = await world.with_money()

    answer = await world.try_to(getattr(pair, side), action, role, body)

    assert (answer.status_code, answer.json()["code"]) == (409, "money_moved")
    assert "资金已划转" in answer.json()["detail"]


async def test_while_enrollment_credits_nothing_is_withdrawn(world: World) -> None:
    pair = await world.with_sheet(0)
    await world.act(pair.incoming, "take-up", "reviewer")

    for case_no in (pair.incoming, pair.outgoing):
        answer = await world.try_to(case_no, "withdraw", "clerk", {"reason": "不再转移。"})
        assert (answer.status_code, answer.json()["code"]) == (409, "transfer_stage")


async def test_rejection_after_the_sheet_ends_both_sides(world: World) -> None:
    pair = await world.with_sheet()

    rejected = await world.act(pair.incoming, "reject", "reviewer", {"reasons": ["人员有误。", "险种有误。"]})
    await world.exchange()

    assert [item["message"] for item in rejected["notice"]] == ["人员有误。", "险种有误。"]
    assert (await world.case(pair.outgoing))["status"] == "withdrawn"
    assert len(await world.facts(TransferOutCancelled)) == 1


async def test_the_applicant_is_told_why_it_came_to_nothing(world: World) -> None:
    """By the item's own template (hubei-2022 L2977)."""
    person = await world.mover(ZAOZHUANG, WUHAN)
    case_no = (await world.apply(world.application(person, ZAOZHUANG, WUHAN)))["case_no"]

    await world.act(case_no, "refuse", "clerk", {"reasons": ["材料系伪造。"]})

    [told] = await world.facts(TransferMessageSent)
    assert "未完成" in told.text
    assert "原因为：材料系伪造。如有疑问" in told.text


async def test_a_case_that_ended_takes_no_more_action(world: World) -> None:
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    await world.act(case_no, "withdraw", "clerk", {"reason": "不再转移。"})

    for action in ("accept", "supplement", "refuse"):
        body = {"reasons": ["再次不予受理。"]} if action == "refuse" else {}
        answer = await world.try_to(case_no, action, "clerk", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "case_status")
    assert await world.facts(InformationSheetIssued) == []
