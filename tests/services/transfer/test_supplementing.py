"""One-time notice and supplement."""

from __future__ import annotations

from typing import Any

from tests.services.transfer.world import CERTIFICATE, IDENTITY, WUHAN, YANTAI, ZAOZHUANG, World

AGENT = {
    "name": "李代办（虚构）",
    "credential_type": "passport",
    "credential_no": "E12345678",
    "telephone": "19900000001",
    "relation": "配偶",
}


async def test_one_notice_names_all_missing_things(world: World) -> None:
    """Fields (hubei-2022 受理信息必填项) and materials together, each with its rule and its place."""
    person = await world.mover(ZAOZHUANG, WUHAN)
    body = world.application(person, ZAOZHUANG, WUHAN, materials=[], agent=AGENT)
    body["applicant"]["telephone"] = None

    case = await world.apply(body)

    assert (case["status"], case["stage"]) == ("supplementing", "checking")
    assert {item["pointer"] for item in case["notice"]} == {
        "/applicant/telephone",
        "/materials/identity-proof",
    }
    assert all(item["rule"].startswith("hubei-2022 第十一项") for item in case["notice"])


async def test_an_agent_brings_two_materials_more(world: World) -> None:
    person = await world.mover(ZAOZHUANG, YANTAI)
    body = world.application(person, ZAOZHUANG, YANTAI, materials=[], agent=AGENT)

    case = await world.apply(body)

    assert [item["pointer"] for item in case["notice"]] == [
        "/materials/identity-proof",
        "/materials/participation-certificate",
        "/materials/agent-identity-proof",
        "/materials/agent-authorisation",
    ]


async def test_a_supplement_in_two_goes_is_no_second_notice(world: World) -> None:
    case_no = await lacking_both(world)

    half = await world.act(case_no, "supplement", "clerk", {"materials": [IDENTITY]})
    assert half["status"] == "supplementing"
    assert [item["pointer"] for item in half["notice"]] == ["/materials/participation-certificate"]
    whole = await world.act(case_no, "supplement", "clerk", {"materials": [CERTIFICATE]})

    assert (whole["status"], whole["notice"]) == ("submitted", [])
    assert (await world.act(case_no, "accept", "clerk"))["status"] == "accepted"
    assert await repeated_notices(world) == 0
    assert await world.steps(case_no) == ["申请", "一次性告知补正", "补正", "补正不全", "补正", "受理"]


async def test_a_supplement_keeps_what_was_given_before(world: World) -> None:
    person = await world.mover(ZAOZHUANG, WUHAN)
    body = world.application(person, ZAOZHUANG, WUHAN, materials=[])
    body["payload"]["from_agency"] = {"address": "原地址"}
    case_no = (await world.apply(body))["case_no"]

    supplement = {"materials": [IDENTITY], "from_agency": {"postcode": "277000"}}
    await world.act(case_no, "supplement", "clerk", supplement)
    await world.act(case_no, "accept", "clerk")
    await world.exchange()

    other = await world.counterpart(case_no)
    assert (await world.case(other))["stage"] == "preparing"


async def test_asking_a_second_time_needs_a_supervisor_and_a_reason_and_is_counted(world: World) -> None:
    case_no = await lacking_both(world)
    await world.act(case_no, "supplement", "clerk", {"materials": [IDENTITY, CERTIFICATE]})
    remarks = {"remarks": ["身份凭证照片不清，请重新提交。"]}

    by_clerk = await world.try_to(case_no, "request-supplement", "clerk", remarks)
    no_reason = await world.try_to(case_no, "request-supplement", "supervisor", remarks)
    for refused in (by_clerk, no_reason):
        assert (refused.status_code, refused.json()["code"]) == (403, "second_notice")
    assert await repeated_notices(world) == 0

    body = remarks | {"reason": "首次告知时未能看清照片。"}
    asked = await world.act(case_no, "request-supplement", "supervisor", body)

    assert asked["status"] == "supplementing"
    assert await repeated_notices(world) == 1
    [notice] = await world.sql("SELECT supervisor, reason FROM case_notices WHERE repeated")
    assert tuple(notice) == (f"{YANTAI}-supervisor", "首次告知时未能看清照片。")
    assert (await world.steps(case_no))[-1] == "再次告知补正"


async def test_a_first_notice_of_an_officer_needs_no_supervisor(world: World) -> None:
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]

    asked = await world.act(case_no, "request-supplement", "clerk", {"remarks": ["照片不清。"]})

    assert [item["message"] for item in asked["notice"]] == ["照片不清。"]


async def test_where_nothing_is_missing_no_notice_is_given(world: World) -> None:
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]

    answer = await world.try_to(case_no, "request-supplement", "clerk")

    assert (answer.status_code, answer.json()["code"]) == (422, "nothing_to_supplement")


async def test_an_incomplete_application_is_not_accepted(world: World) -> None:
    person = await world.mover()
    body = world.application(person, YANTAI, ZAOZHUANG, materials=[])
    case_no = (await world.apply(body))["case_no"]

    answer = await world.try_to(case_no, "accept", "clerk")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_acceptable")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/materials/identity-proof"]


async def test_a_commitment_is_no_identity_proof(world: World) -> None:
    person = await world.mover()
    commitment: dict[str, Any] = {
        "key": "identity-proof",
        "source": "commitment",
        "commitment_text": "本人承诺……",
    }

    case = await world.apply(world.application(person, YANTAI, ZAOZHUANG, materials=[commitment]))

    assert "不能以个人承诺书代替" in case["notice"][0]["message"]


async def lacking_both(world: World) -> str:
    person = await world.mover(ZAOZHUANG, YANTAI)
    case = await world.apply(world.application(person, ZAOZHUANG, YANTAI, materials=[]))
    assert len(case["notice"]) == 2
    return str(case["case_no"])


async def repeated_notices(world: World) -> int:
    [[count]] = await world.sql("SELECT count(*) FROM case_notices WHERE repeated")
    return int(count)
