"""The way of a case: at once where the system can decide, else by people, each their own step."""

from __future__ import annotations

import pytest

from libs.contracts.enrollment import EnrollmentCaseMoved, EnrollmentMessageSent
from libs.webapp.callers import Role
from tests.libs.caseflow.conftest import (
    APPLICANT,
    WUHAN,
    ZAOZHUANG,
    Office,
    clerk,
    registration,
    withdrawal,
)
from tests.support.service import published
from tests.support.tokens import citizen, officer, system

REVIEWER = officer(WUHAN, Role.REVIEWER, subject="reviewer")
FINANCE = officer(WUHAN, Role.FINANCE, subject="finance")
CHIEF = officer(WUHAN, Role.CHIEF, subject="chief")


async def test_what_the_system_can_check_is_decided_within_the_request(office: Office) -> None:
    case = await office.applied(registration())
    assert case["status"] == "completed"
    assert office.diary.lines == ["reached review", "carried out"]
    facts = await published(office.resources, EnrollmentCaseMoved)
    assert [fact.action for fact in facts] == ["submit", "accept", "approve", "complete"]
    assert {fact.actor_kind for fact in facts[1:]} == {"system"}


async def test_what_only_a_person_can_judge_falls_to_an_officer_the_same_day(office: Office) -> None:
    case = await office.applied(registration(doubtful="须人工核对"))
    assert (case["status"], case["due"]["on"], case["due"]["allowed"]) == (
        "submitted",
        "2026-03-10",
        "即时办结",
    )
    case = await office.acted(case, "accept", clerk())
    answer = await office.act(case, "approve", officer(ZAOZHUANG, Role.REVIEWER, subject="clerk"))
    assert answer.json()["code"] == "maker_checker", "nobody approves what they entered"
    answer = await office.act(case, "approve", clerk(subject="another"))
    assert answer.json()["code"] == "role", "a second clerk is no reviewer"
    case = await office.acted(case, "approve", officer(ZAOZHUANG, Role.REVIEWER, subject="another"))
    assert case["status"] == "completed"


async def test_everything_wrong_is_told_at_once(office: Office) -> None:
    case = await office.applied(registration(ZAOZHUANG, "something-else", wrong="不符合规定"))
    assert [item["code"] for item in case["notice"]] == ["missing_material", "missing_material", "wrong"]
    assert office.diary.lines == []


async def test_a_second_notice_needs_a_supervisor_and_a_reason(office: Office) -> None:
    case = await office.applied(registration(wrong="不符合规定"))
    payload = {"kind": "registration", "doubtful": "须人工核对"}
    case = await office.acted(case, "supplement", clerk(), payload=payload)
    assert case["status"] == "submitted"
    answer = await office.act(case, "request-supplement", clerk(), remarks=["照片不清"])
    assert answer.json()["code"] == "second_notice"
    supervisor = officer(ZAOZHUANG, Role.SUPERVISOR)
    case = await office.acted(
        case, "request-supplement", supervisor, remarks=["照片不清"], reason="新材料有误"
    )
    assert [item["message"] for item in case["notice"]] == ["照片不清"]


async def test_a_supplement_does_not_change_the_business(office: Office) -> None:
    case = await office.applied(registration(wrong="不符合规定"))
    answer = await office.act(case, "supplement", clerk(), payload={"kind": "withdrawal"})
    assert answer.json()["code"] == "other_business"


async def test_an_incomplete_supplement_keeps_the_first_notice_open(office: Office) -> None:
    case = await office.applied(registration(wrong="不符合规定"))
    case = await office.acted(case, "supplement", clerk(), telephone="19900000001")
    assert (case["status"], [item["code"] for item in case["notice"]]) == ("supplementing", ["wrong"])


async def test_payment_takes_four_different_people(office: Office) -> None:
    case = await office.applied(withdrawal())
    assert case["status"] == "submitted"
    case = await office.acted(case, "accept", clerk(WUHAN))
    assert (case["due"]["on"], case["due"]["allowed"]) == ("2026-03-31", "15个工作日")
    answer = await office.act(case, "finance-check", FINANCE)
    assert answer.json()["code"] == "stage", "not before the review"
    case = await office.acted(case, "approve", REVIEWER)
    both = officer(WUHAN, Role.REVIEWER, Role.FINANCE, subject="reviewer")
    assert (await office.act(case, "finance-check", both)).json()["code"] == "maker_checker"
    case = await office.acted(case, "finance-check", FINANCE)
    assert (await office.act(case, "chief-approve", FINANCE)).json()["code"] == "role"
    case = await office.acted(case, "chief-approve", CHIEF)
    assert (case["status"], case["stage_name"]) == ("approved", "拨付")
    assert office.diary.lines == [
        "reached review",
        "reached finance_check",
        "reached chief_approval",
        "reached payment",
    ]
    assert (await office.act(case, "withdraw", clerk(WUHAN), reason="不办了")).json()["code"] == "in_payment"


async def test_higher_risk_is_never_decided_by_the_system_even_where_it_is_immediate(office: Office) -> None:
    """Shandong states no risk level; rules.yaml does, and the business has payment."""
    case = await office.applied(withdrawal(ZAOZHUANG))
    assert (case["status"], case["due"]["allowed"]) == ("submitted", "即时办结")
    assert office.diary.lines == []


@pytest.mark.parametrize("action", ["reject", "withdraw"])
async def test_what_was_prepared_is_undone_when_the_case_ends_without(office: Office, action: str) -> None:
    case = await office.acted(await office.applied(withdrawal()), "accept", clerk(WUHAN))
    body = {"reasons": ["材料不实"]} if action == "reject" else {"reason": "不办了"}
    case = await office.acted(case, action, REVIEWER, **body)
    assert case["status"] in ("rejected", "withdrawn")
    assert office.diary.lines == ["reached review", "ended without"]


@pytest.mark.parametrize("action", ["refuse", "withdraw"])
async def test_what_was_prepared_is_undone_also_when_the_case_went_back_to_supplementing(
    office: Office, action: str
) -> None:
    case = await office.acted(await office.applied(withdrawal()), "accept", clerk(WUHAN))
    case = await office.acted(case, "request-supplement", clerk(WUHAN), remarks=["签字不清"])
    body = {"reasons": ["逾期未补"]} if action == "refuse" else {"reason": "不办了"}
    await office.acted(case, action, clerk(WUHAN), **body)
    assert office.diary.lines == ["reached review", "ended without"]


async def test_a_refusal_names_all_reasons_and_tells_the_applicant(office: Office) -> None:
    case = await office.applied(withdrawal(wrong="账户没有余额"))
    case = await office.acted(case, "refuse", clerk(WUHAN), reasons=["不是本人"])
    assert [item["message"] for item in case["notice"]] == ["账户没有余额", "不是本人"]
    (message,) = await published(office.resources, EnrollmentMessageSent)
    assert "未完成。原因为：账户没有余额；不是本人" in message.text
    assert APPLICANT.name not in message.text


async def test_nobody_is_refused_without_a_reason(office: Office) -> None:
    case = await office.applied(withdrawal())
    assert (await office.act(case, "refuse", clerk(WUHAN))).json()["code"] == "no_reason"


async def test_citizens_see_and_apply_for_themselves_only(office: Office) -> None:
    own = citizen(office.resources.protector.blind_index(f"resident_id:{APPLICANT.id_number}"))
    body = registration() | {"channel": "mini_program", "materials": []}
    case = await office.applied(body, own)
    assert case["applicant_name"] == APPLICANT.name
    path = f"/v1/applications/{case['case_no']}"
    assert (await office.client.get(path, headers=own)).status_code == 200
    assert (await office.client.get(path, headers=citizen("0" * 64))).status_code == 404
    assert (await office.apply(registration(), citizen("0" * 64))).json()["code"] == "not_own"


async def test_a_paper_a_citizen_sends_in_is_looked_at_by_an_officer(office: Office) -> None:
    own = citizen(office.resources.protector.blind_index(f"resident_id:{APPLICANT.id_number}"))
    case = await office.applied(registration() | {"channel": "app"}, own)
    assert case["status"] == "submitted"


async def test_other_regions_cases_do_not_exist(office: Office) -> None:
    case = await office.applied(withdrawal())
    for action in ("accept", "refuse", "withdraw"):
        body = {"reason": "无"} if action == "withdraw" else {}
        assert (await office.act(case, action, clerk(ZAOZHUANG), **body)).status_code == 404
    answer = await office.apply(withdrawal(), clerk(ZAOZHUANG))
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_region")


async def test_systems_apply_only_where_the_business_is_open_to_them(office: Office) -> None:
    regulator = system("enrollment.joint_registration")
    joint = registration() | {"channel": "joint_registration"}
    assert (await office.applied(joint, regulator))["status"] == "completed"
    assert (await office.apply(withdrawal(), regulator)).json()["code"] == "scope"
    assert (await office.apply(joint, system("enrollment.read"))).json()["code"] == "scope"


async def test_an_item_that_is_another_business_is_refused_without_a_case(office: Office) -> None:
    body = registration() | {"item_key": "002036001001"}
    answer = await office.apply(body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/item_key")
    assert await published(office.resources, EnrollmentCaseMoved) == []


async def test_whoever_saw_an_older_version_is_told(office: Office) -> None:
    case = await office.applied(withdrawal())
    stale = clerk(WUHAN) | {"If-Match": '"1"'}
    assert (await office.act(case, "accept", stale)).status_code == 412
