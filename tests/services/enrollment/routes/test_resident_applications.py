"""城乡居民参保登记, from the application to the enrolment."""

from __future__ import annotations

from typing import Any

from libs.contracts.enrollment import EnrolmentStarted
from libs.webapp.callers import Role
from tests.services.enrollment.applications import (
    RESIDENT_ITEM,
    WUHAN,
    Applicant,
    act,
    acted,
    application,
    applied,
    apply,
)
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter
from tests.support.service import published
from tests.support.tokens import citizen, officer

PAYLOAD = {
    "kind": "resident_registration",
    "household_address": "枣庄市市中区一号",
    "applicant_status": "unemployed_adult",
    "started_on": "2026-03-01",
}


def somebody(counter: Counter) -> Applicant:
    return Applicant(counter.people.person("370402"))


def form(applicant: Applicant, region_code: str = ZAOZHUANG, **payload: Any) -> dict[str, Any]:
    papers = ("identity-document", "resident-registration-form")
    return application(region_code, RESIDENT_ITEM, applicant.body(), {**PAYLOAD, **payload}, *papers)


async def test_a_complete_application_is_decided_at_once(counter: Counter) -> None:
    case = await applied(counter, form(somebody(counter)))
    assert (case["status"], case["stage"]) == ("completed", "ended")
    (fact,) = await published(counter.resources, EnrolmentStarted)
    assert (fact.insurance_kind, fact.person_kind, str(fact.started_on)) == ("390", "resident", "2026-03-01")


async def test_everything_missing_is_noticed_at_once(counter: Counter) -> None:
    applicant = somebody(counter)
    body = form(applicant, WUHAN, household_address=None, applicant_status=None)
    body["materials"] = []
    case = await applied(counter, body)
    assert case["status"] == "supplementing"
    assert {item["pointer"] for item in case["notice"]} == {
        "/payload/household_address",
        "/payload/applicant_status",
        "/materials/identity-document",
        "/materials/resident-registration-form",
    }


async def test_what_is_supplemented_completes_the_case(counter: Counter) -> None:
    body = form(somebody(counter), WUHAN, household_address=None)
    case = await applied(counter, body)
    payload = {**PAYLOAD, "household_address": "武汉市江岸区一号"}
    case = await acted(counter, case, "supplement", officer(WUHAN, Role.CLERK), {"payload": payload})
    assert case["status"] == "completed"


async def test_whoever_is_enrolled_elsewhere_is_told_with_the_evidence(counter: Counter) -> None:
    card = await counter.person(YANTAI)
    await counter.enrol(card, since="2025-01-01")
    name = counter.people.person("370402").name
    body = form(somebody(counter))
    body["applicant"] |= {"credential_no": card.id_number, "name": name}
    case = await applied(counter, body)
    assert case["status"] == "supplementing"
    (fault,) = case["notice"]
    assert fault["code"] == "already_enrolled"
    assert "自2025-01-01起在烟台市参加职工基本医疗保险" in fault["message"]


async def test_a_citizen_applies_for_themselves_by_sign_in_alone(counter: Counter) -> None:
    applicant = somebody(counter)
    body = form(applicant)
    body |= {"channel": "mini_program", "materials": []}
    key = counter.resources.protector.blind_index(f"resident_id:{applicant.made_up.id_number}")
    case = await applied(counter, body, citizen(key))
    assert case["status"] == "completed"


async def test_a_citizen_s_family_is_an_officer_s_business(counter: Counter) -> None:
    applicant, child = somebody(counter), somebody(counter)
    body = form(applicant, person=child.body(), relation="父亲")
    body |= {
        "channel": "mini_program",
        "materials": [{"key": "identity-document", "content_digest": "0" * 64}],
    }
    key = counter.resources.protector.blind_index(f"resident_id:{applicant.made_up.id_number}")
    case = await applied(counter, body, citizen(key))
    assert (case["status"], case["due"]["allowed"]) == ("submitted", "即时办结")
    case = await acted(counter, case, "accept", officer(ZAOZHUANG, Role.CLERK, subject="a"))
    case = await acted(counter, case, "approve", officer(ZAOZHUANG, Role.REVIEWER, subject="b"))
    assert case["status"] == "completed"
    (fact,) = await published(counter.resources, EnrolmentStarted)
    assert fact.person_key == counter.resources.protector.blind_index(
        f"resident_id:{child.made_up.id_number}"
    )


async def test_nobody_applies_in_another_s_name(counter: Counter) -> None:
    answer = await apply(counter, form(somebody(counter)), citizen("0" * 64))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_own")


async def test_whoever_names_a_stranger_does_not_learn_where_they_are_insured(counter: Counter) -> None:
    card = await counter.person(YANTAI)
    await counter.enrol(card, since="2025-01-01")
    applicant = somebody(counter)
    stranger = {**somebody(counter).body(), "credential_no": card.id_number}
    body = form(applicant, person=stranger, relation="父亲")
    body |= {"channel": "mini_program", "materials": [{"key": "identity-document", "source": "data_sharing"}]}
    key = counter.resources.protector.blind_index(f"resident_id:{applicant.made_up.id_number}")
    case = await applied(counter, body, citizen(key))
    assert (case["status"], case["notice"]) == ("submitted", [])
    answer = await act(counter, case, "accept", officer(ZAOZHUANG, Role.CLERK))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_acceptable")
    assert "烟台市" in answer.text, "the officer sees it"
