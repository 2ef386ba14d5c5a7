from __future__ import annotations

from typing import Any

import pytest

from libs.identifiers.made_up import MadeUp
from libs.webapp.callers import Role
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter, clerk_of
from tests.support.statements import assert_statements
from tests.support.tokens import citizen, officer

PERSON = MadeUp(seed=5).person("370402")
BODY: dict[str, Any] = {
    "region_code": ZAOZHUANG,
    "credential": {"type": "resident_id", "number": PERSON.id_number},
    "name": PERSON.name,
    "telephone": PERSON.telephone,
}


async def test_a_person_is_registered_with_what_the_number_carries(counter: Counter) -> None:
    created = await counter.post("persons", BODY)
    assert created.status_code == 201
    told = created.json()
    assert (told["sex"], told["birth_date"]) == (PERSON.sex, PERSON.birth_date.isoformat())
    assert (told["region_name"], told["name"], told["enrolments"]) == ("枣庄市", PERSON.name, [])
    assert created.headers["location"] == f"/v1/enrollment/persons/{told['id']}"


async def test_number_and_telephone_are_masked_for_clerks_and_in_every_answer_to_a_write(
    counter: Counter,
) -> None:
    told = await counter.done("persons", BODY, officer(ZAOZHUANG, Role.REVIEWER))
    number = PERSON.id_number
    assert told["credential"]["number"] == f"{number[:6]}********{number[-4:]}"
    assert told["telephone"] == f"{PERSON.telephone[:3]}****{PERSON.telephone[-4:]}"
    assert (await counter.get(f"persons/{told['id']}")).json()["credential"] == told["credential"]


async def test_reviewers_and_the_person_see_them_in_full(counter: Counter) -> None:
    card = await counter.person(id_number=PERSON.id_number)
    for caller in (officer(ZAOZHUANG, Role.REVIEWER), citizen(card.key)):
        told = (await counter.get(f"persons/{card.id}", caller)).json()
        assert told["credential"]["number"] == PERSON.id_number
        assert "*" not in told["telephone"]


async def test_a_person_and_all_enrolments_are_read_in_one_statement(counter: Counter) -> None:
    card = await counter.person()
    await counter.stop(await counter.enrol(card), on="2025-12-31")
    await counter.enrol(card, since="2026-01-01")
    with assert_statements(counter.resources.database.engine, 2):  # the regions, the file
        told = (await counter.get(f"persons/{card.id}")).json()
    assert [enrolment["stopped_on"] for enrolment in told["enrolments"]] == ["2025-12-31", None]


async def test_the_version_of_a_person_grows_with_their_enrolments(counter: Counter) -> None:
    card = await counter.person()
    tags = [(await counter.get(f"persons/{card.id}")).headers["etag"]]
    enrolment = await counter.enrol(card)
    tags.append((await counter.get(f"persons/{card.id}")).headers["etag"])
    await counter.stop(enrolment)
    tags.append((await counter.get(f"persons/{card.id}")).headers["etag"])
    assert tags == ['"1"', '"2"', '"3"']


async def test_nothing_personal_stands_in_the_database_in_clear_text(counter: Counter) -> None:
    card = await counter.person(id_number=PERSON.id_number)
    await counter.enrol(card)
    query = """
        SELECT p::text FROM persons p UNION ALL SELECT c::text FROM changes c UNION ALL
        SELECT e::text FROM enrolments e UNION ALL SELECT convert_from(o.body, 'UTF8') FROM outbox o
    """
    stored = [text for (text,) in await counter.rows(query)]
    assert len(stored) == 6
    name, telephone = await _clear(counter, card.id)
    assert not [text for text in stored if card.id_number in text or name in text or telephone in text]


async def test_no_answer_kept_for_a_repeat_holds_an_identity_number(counter: Counter) -> None:
    card = await counter.person()
    kept = [body.decode() for (body,) in await counter.rows("SELECT body FROM idempotency_keys")]
    assert len(kept) == 1
    assert card.id_number not in kept[0]


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (PERSON.id_number[:-1] + ("1" if PERSON.id_number[-1] != "1" else "2"), "校验位不对"),
        (PERSON.id_number[:-1], "应为18位"),
        ("37040219900231" + PERSON.id_number[14:], "不是存在的日期"),
    ],
)
async def test_a_wrong_number_is_refused_with_its_field_and_what_is_wrong(
    counter: Counter, number: str, why: str
) -> None:
    answer = await counter.post("persons", {**BODY, "credential": {"type": "resident_id", "number": number}})
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert [error["pointer"] for error in errors] == ["/credential/number"]
    assert why in errors[0]["message"]
    assert number not in answer.text


async def test_every_fault_of_a_form_is_told_at_once_in_chinese(counter: Counter) -> None:
    body = {
        "region_code": "37040",
        "credential": {"type": "resident_id", "number": "123"},
        "name": "   ",
        "telephone": "12345",
        "sex": "M",
        "birth_date": 0,
    }
    answer = await counter.post("persons", body)
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    pointers = {"/region_code", "/credential/number", "/name", "/telephone", "/sex", "/birth_date"}
    assert {error["pointer"] for error in errors} == pointers
    assert all(any("一" <= char <= "鿿" for char in error["message"]) for error in errors)


async def test_a_person_has_one_file_in_a_region_and_another_elsewhere(counter: Counter) -> None:
    first = await counter.done("persons", BODY)
    again = await counter.post("persons", BODY)
    assert again.status_code == 409
    assert first["id"] in again.json()["detail"]
    assert PERSON.id_number not in again.text
    elsewhere = await counter.done("persons", {**BODY, "region_code": YANTAI}, clerk_of(YANTAI))
    assert elsewhere["id"] != first["id"]


async def test_a_person_is_found_by_credential_without_an_idempotency_key(counter: Counter) -> None:
    card = await counter.person(id_number=PERSON.id_number)
    body = {"region_code": ZAOZHUANG, "credential": BODY["credential"]}
    found = await counter.client.post("/v1/enrollment/persons/search", json=body, headers=clerk_of(ZAOZHUANG))
    assert found.status_code == 200
    assert found.json()["id"] == card.id
    stranger = MadeUp(seed=6).person("370402").id_number
    body["credential"] = {"type": "resident_id", "number": stranger}
    missing = await counter.client.post(
        "/v1/enrollment/persons/search", json=body, headers=clerk_of(ZAOZHUANG)
    )
    assert missing.status_code == 404


async def test_a_passport_needs_sex_and_birth_date(counter: Counter) -> None:
    body = {**BODY, "credential": {"type": "passport", "number": "e00000000"}}
    refused = await counter.post("persons", body)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/sex", "/birth_date"]
    told = await counter.done("persons", {**body, "sex": "女", "birth_date": "1990-01-01"})
    assert told["credential"]["type_name"] == "护照"


async def _clear(counter: Counter, person_id: str) -> tuple[str, str]:
    told = (await counter.get(f"persons/{person_id}", officer(ZAOZHUANG, Role.REVIEWER))).json()
    return told["name"], told["telephone"]
