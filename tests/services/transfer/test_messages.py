"""The road between the cities is bad: answers lost, the road cut, messages nobody can use."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import uuid_utils.compat as uuid7

from libs.casework.actors import SYSTEM
from libs.contracts.transfer import TransferOutAccepted
from libs.exchange.bodies import BODIES, write_body
from libs.exchange.envelope import Kind, draft
from libs.exchange.seals import sealed
from services.transfer.service import forms
from services.transfer.service.desk import Desk
from tests.services.transfer.world import WUHAN, YANTAI, ZAOZHUANG, World


async def test_a_lost_receipt_changes_nothing_but_the_time(world: World) -> None:
    world.road.answers_to_lose = 2
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    await world.act(case_no, "accept", "clerk")

    for _ in range(4):
        await world.exchange()
        world.clock.advance(dt.timedelta(hours=2))

    assert (await world.sql("SELECT count(*) FROM cases"))[0][0] == 2
    assert len(await world.facts(TransferOutAccepted)) == 1
    assert await world.messages(await world.counterpart(case_no)) == ["transfer_application"]


async def test_what_was_said_while_the_road_was_cut_arrives_in_order(world: World) -> None:
    pair = await world.accepted()
    world.road.is_cut = True
    await world.prepared(pair.outgoing)
    await world.act(pair.outgoing, "issue-information-sheet", "reviewer")
    await world.pay(pair.outgoing)
    await world.exchange()
    assert (await world.case(pair.incoming))["stage"] == "awaiting_sheet"

    world.road.is_cut = False
    world.clock.advance(dt.timedelta(days=1))
    await world.exchange()

    kinds = await world.messages(pair.incoming)
    assert kinds == ["transfer_application", "information_sheet", "fund_notice"]
    assert (await world.case(pair.incoming))["stage"] == "awaiting_funds"


async def test_a_message_that_never_arrived_is_visible_in_the_case(world: World) -> None:
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    await world.act(case_no, "accept", "clerk")
    world.road.is_cut = True

    await world.exchange()
    world.clock.advance(dt.timedelta(days=31))
    await world.exchange()

    assert "《转移接续申请》无法送达" in await world.steps(case_no)
    assert (await world.case(case_no))["stage"] == "awaiting_sheet"
    withdrawn = await world.act(case_no, "withdraw", "clerk", {"reason": "对方无法送达。"})
    assert withdrawn["status"] == "withdrawn"


async def test_a_sheet_about_somebody_else_is_refused_and_both_cities_see_why(world: World) -> None:
    pair = await world.accepted()
    await world.prepared(pair.outgoing)
    other = world.people.person("370602")
    await world.sql(
        "UPDATE cases SET application = :application WHERE case_no = :case_no RETURNING 1",
        case_no=pair.outgoing,
        application=await application_of_another(world, pair.outgoing, other.id_number),
    )
    await world.act(pair.outgoing, "issue-information-sheet", "reviewer")

    await world.exchange()

    assert (await world.case(pair.incoming))["stage"] == "awaiting_sheet"
    line = (await world.timeline(pair.outgoing))[-1]
    assert line.action_name == "《信息表》被对方拒收"
    assert line.reason is not None
    assert "证件号码与本件申请人不符" in line.reason
    answer = await world.try_to(
        pair.outgoing, "pay", "finance", {"bank_reference": "YT1", "paid_on": "2026-03-09"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "exchange")
    await world.act(pair.outgoing, "withdraw", "clerk", {"reason": "人员有误。"})


async def test_an_application_nobody_here_can_take_is_refused_with_every_reason(world: World) -> None:
    changes = {"person": {"credential_type": "driving_licence"}, "insurance": "other"}
    body = merged(await form_of(world), {**changes, "insurance_remark": "农垦医保"})

    answer = await send(world, body)

    assert answer.status_code == 422, answer.text
    refusal = answer.json()
    assert refusal["final"] is True
    assert {fault["field"] for fault in refusal["faults"]} == {
        "body.insurance",
        "body.person.credential_type",
    }
    assert (await world.sql("SELECT count(*) FROM cases"))[0][0] == 1


async def test_an_application_with_a_wrong_identity_number_is_refused(world: World) -> None:
    body = merged(await form_of(world), {"person": {"credential_no": "370602199001010010"}})

    refusal = (await send(world, body)).json()

    assert [fault["field"] for fault in refusal["faults"]] == ["body.person.credential_no"]


async def test_foreigners_with_a_permanent_residence_card_move_too(world: World) -> None:
    """The longest name of a credential type fits the form."""
    number = "911156199001010017"
    body = world.application(world.people.person("370602"), ZAOZHUANG, WUHAN)
    body["applicant"] |= {"credential_type": "foreign_permanent_residence", "credential_no": number}
    answer = await world.post("/v1/applications", body, world.officer(WUHAN, "clerk"))
    assert answer.status_code == 201, answer.text
    key = world.resources.protector.blind_index(f"foreign_permanent_residence:{number}")
    await world.sql(
        "INSERT INTO standings VALUES ('x', :region, :key, '310', 'employee', '2026-03-01') RETURNING 1",
        region=WUHAN,
        key=key,
    )

    accepted = await world.act(answer.json()["case_no"], "accept", "clerk")

    assert accepted["stage"] == "awaiting_sheet"


async def form_of(world: World) -> dict[str, Any]:
    """A 转移接续申请 as 烟台 would send it to 枣庄."""
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG, at=YANTAI)))["case_no"]
    async with world.resources.database.transaction(("*",)) as session:
        desk = Desk(world.office, session, SYSTEM, world.clock.now())
        case, move = await desk.open(case_no)
        return dict(write_body(await forms.application(desk, case, move)))


async def send(world: World, body: dict[str, Any]) -> Any:
    signer = world.office.signers[YANTAI]
    message = draft(
        id=uuid7.uuid7(),
        kind=Kind.TRANSFER_APPLICATION,
        kind_version=max(BODIES[Kind.TRANSFER_APPLICATION]),
        conversation=str(uuid7.uuid7()),
        sequence=1,
        from_region=YANTAI,
        to_region=ZAOZHUANG,
        created_at=world.clock.now(),
        expires_at=world.clock.now() + dt.timedelta(days=30),
        body=body,
    )
    raw = sealed(message, signer).raw()
    return await world.client.post("/exchange/v1/messages", content=raw)


async def application_of_another(world: World, case_no: str, number: str) -> str:
    """The case's application, encrypted as it is kept, about another person."""
    async with world.resources.database.transaction(("*",)) as session:
        case = await world.office.casebook.load(session, case_no)
    applicant = {**case.application["applicant"], "credential_no": number}
    text = json.dumps({**case.application, "applicant": applicant}, ensure_ascii=False)
    return world.resources.protector.encrypt(text, f"{case.region_code}/case.application")


def merged(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {
        **body,
        **{
            name: merged(body[name], value) if isinstance(value, dict) else value
            for name, value in changes.items()
        },
    }
