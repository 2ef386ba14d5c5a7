"""单位参保信息变更登记: before and after, what is key, whose evidence, and 注销 where the item has it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from libs.contracts.enrollment import EmployerChanged
from libs.webapp.callers import Role
from tests.services.enrollment.applications import WUHAN, Applicant, act, acted, application, applied, apply
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter
from tests.services.enrollment.employer_applications import (
    CHANGE_ITEM,
    PAPERS,
    company,
    hired,
    new,
    registration,
)
from tests.support.service import published
from tests.support.tokens import citizen, officer

FORM, EVIDENCE = "employer-change-form", "key-information-evidence"


async def registered(counter: Counter, region_code: str = ZAOZHUANG, **more: Any) -> dict[str, Any]:
    """The form an employer was registered with, now done."""
    form = new(counter, company(counter, region_code), **more)
    papers = (*PAPERS, "founding-approval", "organisation-certificate", "public-institution-certificate")
    case = await applied(counter, registration(counter, form, region_code, materials=papers))
    if case["status"] == "submitted":
        await acted(counter, case, "accept", officer(region_code, Role.CLERK))
        case = await acted(counter, case, "approve", officer(region_code, Role.REVIEWER, subject="b"))
    assert case["status"] == "completed"
    return form


def change(
    counter: Counter,
    employer: dict[str, Any],
    changes: dict[str, Any],
    region_code: str = ZAOZHUANG,
    materials: tuple[str, ...] = (FORM,),
    **more: Any,
) -> dict[str, Any]:
    payload = {
        "kind": "employer_change",
        "credit_code": employer["credit_code"],
        "changes": changes,
        **more,
    }
    applicant = Applicant(counter.people.person("370402")).body()
    return application(region_code, CHANGE_ITEM, applicant, payload, *materials)


async def test_before_and_after_are_kept_and_personal_data_only_encrypted(counter: Counter) -> None:
    employer = await registered(counter)
    account = {**employer["bank_account"], "account_no": "6220000000000002"}
    body = change(counter, employer, {"name": "新名称公司", "bank_account": account})
    case = await applied(counter, body)
    assert case["status"] == "completed", case["notice"]
    query = "SELECT before, after FROM changes WHERE subject_kind = 'employer' AND version = 2"
    ((before, after),) = await counter.rows(query)
    assert (before["name"], after["name"]) == (employer["name"], "新名称公司")
    ((row,),) = await counter.rows("SELECT region_code || '/employer.particulars/' || id FROM employers")
    opened = [
        json.loads(counter.resources.protector.decrypt(side["particulars"], row))["bank_account"][
            "account_no"
        ]
        for side in (before, after)
    ]
    assert opened == ["6220000000000001", "6220000000000002"]
    (fact,) = await published(counter.resources, EmployerChanged)
    assert fact.fields == ["name", "bank_account"]


async def test_what_hubei_s_form_leaves_out_stands_in_the_record(counter: Counter) -> None:
    employer = await registered(counter, WUHAN)
    case = await applied(counter, change(counter, employer, {"address": "江岸区二号"}, WUHAN))
    assert case["status"] == "completed", case["notice"]


async def test_what_neither_form_nor_record_says_is_asked_for(counter: Counter) -> None:
    employer = await counter.employer(WUHAN)
    case = await applied(counter, change(counter, employer, {"address": "江岸区二号"}, WUHAN))
    places = ("nature", "bank_account", "legal_representative", "legal_representative/telephone", "agent")
    assert {item["pointer"] for item in case["notice"]} == {f"/payload/changes/{place}" for place in places}


def other_boss(counter: Counter) -> dict[str, Any]:
    return {"legal_representative": Applicant(counter.people.person("370402")).body()}


async def test_key_information_needs_evidence_where_the_document_demands_it(counter: Counter) -> None:
    employer = await registered(counter)
    case = await applied(counter, change(counter, employer, other_boss(counter)))
    assert [item["pointer"] for item in case["notice"]] == [f"/materials/{EVIDENCE}"]


async def test_where_evidence_is_optional_an_officer_may_ask_for_it(counter: Counter) -> None:
    employer = await registered(counter, WUHAN)
    case = await applied(counter, change(counter, employer, other_boss(counter), WUHAN))
    assert case["status"] == "submitted"
    remarks = {"remarks": ["请提交变更法定代表人的股东会决议"]}
    case = await acted(counter, case, "request-supplement", officer(WUHAN, Role.CLERK), remarks)
    assert [item["code"] for item in case["notice"]] == ["officer_remark"]


async def test_key_information_is_decided_by_another_person(counter: Counter) -> None:
    employer = await registered(counter)
    body = change(counter, employer, other_boss(counter), materials=(FORM, EVIDENCE))
    first = officer(ZAOZHUANG, Role.CLERK, Role.REVIEWER, subject="a")
    case = await applied(counter, body, first)
    assert case["status"] == "submitted"
    await acted(counter, case, "accept", first)
    assert (await act(counter, case, "approve", first)).status_code == 403
    case = await acted(counter, case, "approve", officer(ZAOZHUANG, Role.REVIEWER, subject="b"))
    assert case["status"] == "completed"


async def test_another_telephone_of_the_same_person_is_no_key_information(counter: Counter) -> None:
    employer = await registered(counter)
    boss = {**employer["legal_representative"], "telephone": "19900001111"}
    case = await applied(counter, change(counter, employer, {"legal_representative": boss}))
    assert case["status"] == "completed", case["notice"]


@pytest.mark.parametrize(
    ("region_code", "status"), [(ZAOZHUANG, "completed"), (WUHAN, "submitted"), ("370300", "submitted")]
)
async def test_what_is_key_the_region_s_catalogue_says(
    counter: Counter, region_code: str, status: str
) -> None:
    employer = await registered(counter, region_code)
    code = company(counter).credit_code
    case = await applied(counter, change(counter, employer, {"credit_code": code}, region_code))
    assert case["status"] == status, case["notice"]


async def test_a_code_of_another_employer_is_refused_with_the_evidence(counter: Counter) -> None:
    employer, other = await registered(counter), await counter.employer()
    case = await applied(counter, change(counter, employer, {"credit_code": other["credit_code"]}))
    (fault,) = case["notice"]
    assert fault["code"] == "employer_known"
    assert other["id"] in fault["message"]


async def test_of_two_employers_that_take_one_code_at_once_one_gets_it(counter: Counter) -> None:
    employers = [await registered(counter) for _ in range(2)]
    code = company(counter).credit_code
    bodies = [change(counter, employer, {"credit_code": code}) for employer in employers]
    answers = await asyncio.gather(*(apply(counter, body) for body in bodies))
    # The second is refused where it met the first at the write, or was told of it where it came after.
    outcomes = [answer.json().get("status", answer.status_code) for answer in answers]
    assert outcomes.count("completed") == 1, outcomes
    assert set(outcomes) <= {"completed", "supplementing", 409}, outcomes
    assert await counter.rows("SELECT count(*) FROM employers WHERE credit_code = :code", code=code) == [(1,)]


async def test_a_change_that_changes_nothing_is_told(counter: Counter) -> None:
    employer = await registered(counter)
    body = change(counter, employer, {"name": employer["name"], "address": employer["address"]})
    assert [item["code"] for item in (await applied(counter, body))["notice"]] == ["nothing_changed"]


async def test_in_yantai_the_record_says_which_materials_are_needed(counter: Counter) -> None:
    employer = await registered(counter, YANTAI, nature="social_organisation")
    case = await applied(counter, change(counter, employer, {"address": "芝罘区二号"}, YANTAI))
    assert [item["pointer"] for item in case["notice"]] == ["/materials/change-authority-document"]


async def test_yantai_s_item_also_cancels_and_zaozhuang_s_does_not(counter: Counter) -> None:
    end = {"deregistration": {"last_day": "2026-02-28"}}
    employer = await registered(counter, YANTAI)
    case = await applied(counter, change(counter, employer, {}, YANTAI, **end))
    assert case["status"] == "completed", case["notice"]
    assert await counter.rows("SELECT state FROM employers") == [("cancelled",)]
    here = await registered(counter)
    case = await applied(counter, change(counter, here, {}, **end))
    assert [item["code"] for item in case["notice"]] == ["no_deregistration_here"]


async def test_cancelling_by_the_change_item_minds_the_employees_too(counter: Counter) -> None:
    employer = await registered(counter, YANTAI)
    ((employer_id,),) = await counter.rows("SELECT id::text FROM employers")
    await hired(counter, {"id": employer_id, "region_code": YANTAI})
    end = {"last_day": "2026-02-28"}
    case = await applied(counter, change(counter, employer, {}, YANTAI, deregistration=end))
    assert [item["pointer"] for item in case["notice"]] == ["/payload/deregistration/stop_people"]


async def test_only_its_agent_changes_an_employer_online_and_hands_over_only_past_an_officer(
    counter: Counter,
) -> None:
    employer = await registered(counter)
    number = employer["agent"]["credential"]["credential_no"]
    agent = counter.resources.protector.blind_index(f"resident_id:{number}")
    body = change(counter, employer, {"address": "市中区二号"})
    body |= {"channel": "online", "materials": []}
    body["applicant"]["credential_no"] = number
    case = await applied(counter, body, citizen(agent))
    assert case["status"] == "completed", case["notice"]
    stranger = change(counter, employer, {"address": "市中区三号"})
    own = f"resident_id:{stranger['applicant']['credential_no']}"
    answer = await apply(counter, stranger, citizen(counter.resources.protector.blind_index(own)))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_agent")
    successor = counter.people.person("370402")
    body["payload"]["changes"] = {"agent": {"name": successor.name, "mobile": successor.telephone}}
    case = await applied(counter, body, citizen(agent))
    assert case["status"] == "submitted"
