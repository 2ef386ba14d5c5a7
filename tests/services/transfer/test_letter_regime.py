"""shandong-2020 item 11: 联系函, 信息表, 参保凭证; the transferring-in agency accepts."""

from __future__ import annotations

from typing import Any

from tests.services.transfer.world import CERTIFICATE, DONGYING, FORM, IDENTITY, ZIBO, World


async def test_a_move_by_letters_from_the_letter_to_the_completion(world: World) -> None:
    person = await world.mover(ZIBO, DONGYING)
    case = await world.apply(world.application(person, ZIBO, DONGYING))
    incoming = case["case_no"]
    assert case["edition_id"] == "shandong-2020"

    case = await world.act(incoming, "accept", "clerk")
    assert (case["stage"], case["due"]["allowed"]) == ("contact_letter", "15个工作日")
    assert await world.messages(incoming) == []

    await world.act(incoming, "issue-contact-letter", "clerk")
    await world.exchange()
    outgoing = await world.counterpart(incoming)
    assert (await world.case(outgoing))["stage"] == "preparing"

    await world.prepared(outgoing)
    await world.act(outgoing, "issue-information-sheet", "reviewer")
    await world.pay(outgoing)
    await world.exchange()
    await world.receipt(DONGYING)
    await world.act(incoming, "take-up", "reviewer")
    await world.credited(incoming)
    await world.exchange()

    assert (await world.case(incoming))["status"] == "completed"
    assert (await world.case(outgoing))["status"] == "completed"
    kinds = [kind for kind in await world.messages(outgoing) if kind]
    assert kinds == ["contact_letter", "information_sheet", "fund_notice", "completion"]


async def test_letter_and_sheet_are_numbered_documents_with_the_amount_in_words(world: World) -> None:
    pair = await by_letter(world)
    await world.prepared(pair["outgoing"])
    await world.act(pair["outgoing"], "issue-information-sheet", "reviewer")

    [letter] = await world.documents(pair["incoming"])
    [sheet] = await world.documents(pair["outgoing"])

    assert (letter["kind"], letter["number"]) == ("contact_letter", "(山东省)(东营市)(2026)(第0001号)")
    assert (sheet["kind"], sheet["number"]) == ("information_sheet", "(山东省)(淄博市)(2026)(第0001号)")
    assert sheet["content"]["account_amount_in_words"] == "壹仟贰佰叁拾肆元伍角陆分"


async def test_without_the_participation_certificate_the_applicant_is_told(world: World) -> None:
    person = await world.mover(ZIBO, DONGYING)

    case = await world.apply(world.application(person, ZIBO, DONGYING, materials=[IDENTITY, FORM]))

    assert case["status"] == "supplementing"
    [missing] = case["notice"]
    assert "参保凭证" in missing["message"]
    assert missing["rule"].startswith("shandong-2020 第11项")


async def test_at_the_transferring_out_end_nothing_can_be_applied_for(world: World) -> None:
    person = await world.mover(ZIBO, DONGYING)
    materials = [IDENTITY, CERTIFICATE, FORM]

    body = world.application(person, ZIBO, DONGYING, at=ZIBO, materials=materials)
    answer = await world.post("/v1/applications", body, world.officer(ZIBO, "clerk"))

    assert answer.status_code == 422
    assert [fault["code"] for fault in answer.json()["errors"]] == ["side"]
    assert "转入地" in answer.json()["errors"][0]["message"]


async def test_a_supplement_before_the_letter_goes_out_stops_the_clock(world: World) -> None:
    person = await world.mover(ZIBO, DONGYING)
    incoming = (await world.apply(world.application(person, ZIBO, DONGYING)))["case_no"]
    accepted = await world.act(incoming, "accept", "clerk")
    assert accepted["due"]["on"] == "2026-03-30"

    world.go_to(2026, 3, 11)
    asked = await world.act(incoming, "request-supplement", "clerk", {"remarks": ["参保凭证印章不清。"]})
    assert asked["due"]["on"] is None
    assert asked["due"]["paused_since"] == "2026-03-11"
    world.go_to(2026, 3, 18)
    await world.act(incoming, "supplement", "clerk", {"materials": [CERTIFICATE]})
    again = await world.act(incoming, "accept", "clerk")

    assert (again["stage"], again["due"]["on"]) == ("contact_letter", "2026-04-07")


async def test_once_the_letter_is_out_nothing_can_be_asked_of_the_applicant(world: World) -> None:
    pair = await by_letter(world)

    answer = await world.try_to(pair["incoming"], "request-supplement", "clerk", {"remarks": ["再交一份。"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "transfer_stage")


async def by_letter(world: World) -> dict[str, Any]:
    person = await world.mover(ZIBO, DONGYING)
    incoming = (await world.apply(world.application(person, ZIBO, DONGYING)))["case_no"]
    await world.act(incoming, "accept", "clerk")
    await world.act(incoming, "issue-contact-letter", "clerk")
    await world.exchange()
    return {"incoming": incoming, "outgoing": await world.counterpart(incoming)}
