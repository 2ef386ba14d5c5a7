"""参保人员参保信息查询: decided at once, the record is its document."""

from __future__ import annotations

from typing import Any

from libs.webapp.callers import Role
from tests.services.enrollment.applications import WUHAN, application, applied, apply
from tests.services.enrollment.changes import body_of, name_of
from tests.services.enrollment.counter import ZAOZHUANG, Card, Counter
from tests.support.tokens import citizen, officer

PERSON_QUERY = "002036002002"


async def query(counter: Counter, card: Card, **payload: Any) -> dict[str, Any]:
    applicant = body_of(card.id_number, await name_of(counter, card)) | {"telephone": "19900000001"}
    told = {"kind": "person_query", **payload}
    return application(card.region_code, PERSON_QUERY, applicant, told, "identity-proof")


async def documents(counter: Counter, case: dict[str, Any], caller: dict[str, str]) -> list[dict[str, Any]]:
    answer = await counter.client.get(f"/v1/applications/{case['case_no']}/documents", headers=caller)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return list(told["items"] if isinstance(told, dict) else told)


async def test_the_record_is_handed_out_at_once(counter: Counter) -> None:
    card = await counter.insured(["2025-01", "2025-02"], account="100.10")
    case = await applied(counter, await query(counter, card))
    assert case["status"] == "completed"
    (document,) = await documents(counter, case, officer(ZAOZHUANG, Role.CLERK))
    content = document["content"]
    assert document["number"] == "370400-2026-000001"
    assert content["person"]["credential_no"] == card.id_number
    assert content["account"] == {"balance_yuan": "200.20", "held_yuan": "0.00"}
    assert [(one["started_on"], one["stopped_on"]) for one in content["enrolments"]] == [
        ("2024-01-01", "2026-02-28")
    ]
    (period,) = content["contribution_periods"]
    assert (period["from_month"], period["months_paid"]) == ("2025-01", 2)


async def test_the_record_is_encrypted_at_rest(counter: Counter) -> None:
    card = await counter.person(WUHAN)
    await applied(counter, await query(counter, card))
    stored = str(await counter.rows("SELECT content FROM case_documents"))
    assert stored != "[]"
    assert card.id_number not in stored


async def test_a_citizen_reads_the_own_record_only(counter: Counter) -> None:
    card, other = await counter.person(), await counter.person()
    body = await query(counter, card) | {"channel": "mini_program", "materials": []}
    case = await applied(counter, body, citizen(card.key))
    assert case["status"] == "completed"
    (document,) = await documents(counter, case, citizen(card.key))
    assert document["content"]["person"]["credential_no"] == card.id_number
    body["payload"]["person"] = body_of(other.id_number, await name_of(counter, other))
    answer = await apply(counter, body, citizen(card.key))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_own")


async def test_whoever_is_not_known_or_named_otherwise_is_told(counter: Counter) -> None:
    card, stranger = await counter.person(), counter.people.person("370402")
    for person, code in (
        (body_of(stranger.id_number, stranger.name), "no_person"),
        (body_of(card.id_number, "张别名"), "name_disagrees"),
    ):
        case = await applied(counter, await query(counter, card, person=person))
        assert [(item["code"], case["status"]) for item in case["notice"]] == [(code, "supplementing")]
