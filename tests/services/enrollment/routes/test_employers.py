from __future__ import annotations

from libs.identifiers.made_up import MadeUp
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter, clerk_of

EMPLOYER = MadeUp(seed=7).employer("370402", "枣庄")
BODY = {"region_code": ZAOZHUANG, "credit_code": EMPLOYER.credit_code, "name": EMPLOYER.name}


async def test_an_employer_is_registered_and_read(counter: Counter) -> None:
    created = await counter.post("employers", BODY)
    assert created.status_code == 201
    assert created.headers["etag"] == '"1"'
    read = await counter.client.get(created.headers["location"], headers=clerk_of(ZAOZHUANG))
    assert read.json() == created.json()
    assert read.json()["name"] == EMPLOYER.name
    assert read.json()["active_enrolments"] == 0


async def test_an_employer_counts_the_people_it_has_enrolled(counter: Counter) -> None:
    employer = await counter.employer()
    for _ in range(2):
        card = await counter.person()
        body = {
            "person_id": card.id,
            "insurance_kind": "310",
            "person_kind": "employee",
            "employer_id": employer["id"],
            "started_on": "2026-01-01",
        }
        enrolment = await counter.done("enrolments", body)
    await counter.stop(enrolment)
    assert (await counter.get(f"employers/{employer['id']}")).json()["active_enrolments"] == 1


async def test_a_credit_code_is_registered_once_in_a_region_and_the_earlier_one_is_named(
    counter: Counter,
) -> None:
    first = await counter.done("employers", BODY)
    again = await counter.post("employers", {**BODY, "name": "另一个名字"})
    assert again.status_code == 409
    assert first["id"] in again.json()["detail"]
    elsewhere = await counter.post("employers", {**BODY, "region_code": YANTAI}, clerk_of(YANTAI))
    assert elsewhere.status_code == 201


async def test_a_wrong_credit_code_a_region_that_is_none_and_a_name_with_nul_are_all_told(
    counter: Counter,
) -> None:
    wrong = EMPLOYER.credit_code[:-1] + ("0" if EMPLOYER.credit_code[-1] != "0" else "1")
    body = {"region_code": "990000", "credit_code": wrong, "name": "安\x00宁", "employees": 3}
    answer = await counter.post("employers", body)
    assert answer.status_code == 422
    faults = {error["pointer"]: error["message"] for error in answer.json()["errors"]}
    assert faults.keys() == {"/region_code", "/credit_code", "/name", "/employees"}
    assert "统一社会信用代码有误" in faults["/credit_code"]
    assert "控制字符" in faults["/name"]


async def test_a_code_typed_with_spaces_and_in_full_width_is_put_right(counter: Counter) -> None:
    code = EMPLOYER.credit_code
    typed = f" {code[:9]} {code[9:-1]}{chr(ord(code[-1]) + 0xFEE0)}"
    assert (await counter.done("employers", {**BODY, "credit_code": typed}))["credit_code"] == code
