"""单位参保登记: new, suspended, back again, cancelled."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts.enrollment import EmployerChanged, EmployerRegistered, EnrolmentStopped
from libs.webapp.callers import Role
from tests.services.enrollment.applications import (
    EMPLOYEE_ITEM,
    WUHAN,
    Applicant,
    acted,
    application,
    applied,
    apply,
)
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter
from tests.services.enrollment.employer_applications import (
    carried_out,
    company,
    credential,
    hired,
    new,
    registration,
)
from tests.support.service import published
from tests.support.tokens import citizen, officer, system

ZIBO = "370300"  # no edition of its own: its province's
SHARED: dict[str, Any] = {"key": "credit-code-certificate", "source": "data_sharing"}


@pytest.mark.parametrize(
    ("region_code", "status"), [(ZAOZHUANG, "completed"), (ZIBO, "completed"), (WUHAN, "submitted")]
)
async def test_the_same_registration_takes_as_long_as_the_region_s_catalogue_says(
    counter: Counter, region_code: str, status: str
) -> None:
    body = registration(counter, new(counter, company(counter)), region_code)
    case = await applied(counter, body)
    assert case["status"] == status
    if status == "submitted":
        case = await acted(counter, case, "accept", officer(region_code, Role.CLERK))
        assert (case["due"]["allowed"], case["due"]["on"]) == ("5个工作日", "2026-03-17")
        case = await acted(counter, case, "approve", officer(region_code, Role.REVIEWER, subject="b"))
    assert case["status"] == "completed"
    (fact,) = await published(counter.resources, EmployerRegistered)
    assert (fact.region_code, fact.nature, fact.insurance_kinds) == (region_code, "enterprise", ["310"])


async def test_everything_the_form_lacks_is_told_at_once(counter: Counter) -> None:
    made_up = company(counter)
    form = {"registration_kind": "new", "credit_code": made_up.credit_code, "name": made_up.name}
    case = await applied(counter, registration(counter, form, WUHAN, materials=()))
    assert case["status"] == "supplementing"
    places = ("nature", "address", "legal_representative", "bank_account", "insurance_kinds", "insured_since")
    assert {item["pointer"] for item in case["notice"]} == {
        *(f"/payload/registration/{place}" for place in (*places, "agent")),
        "/materials/credit-code-certificate,founding-approval",
        "/materials/employer-registration-form",
    }


@pytest.mark.parametrize(
    ("nature", "wanted"),
    [
        ("enterprise", set()),
        ("social_organisation", {"organisation-certificate", "employer-registration-form"}),
        (
            "government",
            {
                "employer-registration-form",
                "public-institution-certificate,credit-code-certificate",
                "founding-approval",
            },
        ),
    ],
)
async def test_in_yantai_the_materials_depend_on_what_the_employer_is(
    counter: Counter, nature: str, wanted: set[str]
) -> None:
    form = new(counter, company(counter, YANTAI), nature=nature)
    case = await applied(counter, registration(counter, form, YANTAI, materials=()))
    assert {item["pointer"].removeprefix("/materials/") for item in case["notice"]} == wanted


async def test_where_materials_depend_on_the_nature_it_must_be_told(counter: Counter) -> None:
    form = new(counter, company(counter, YANTAI), nature=None)
    case = await applied(counter, registration(counter, form, YANTAI, materials=()))
    assert [item["pointer"] for item in case["notice"]] == ["/payload/registration/nature"]


async def test_a_known_employer_is_told_with_the_evidence(counter: Counter) -> None:
    employer = await counter.employer()
    form = new(counter, company(counter), credit_code=employer["credit_code"])
    case = await applied(counter, registration(counter, form))
    (fault,) = case["notice"]
    assert fault["code"] == "employer_known"
    assert employer["id"] in fault["message"]


async def test_a_late_registration_is_remarked_and_done(counter: Counter) -> None:
    form = new(counter, company(counter), established_on="2026-01-01")
    case = await applied(counter, registration(counter, form))
    assert case["status"] == "completed"
    ((details,),) = await counter.rows("SELECT details FROM case_record WHERE action = 'complete'")
    assert "逾期38日" in details["remark"]


async def test_personal_particulars_are_encrypted(counter: Counter) -> None:
    form = new(counter, company(counter))
    await applied(counter, registration(counter, form))
    rows = await counter.rows("SELECT e::text || c::text FROM employers e, changes c")
    number = form["legal_representative"]["credential_no"]
    assert rows
    assert number not in str(rows)
    assert "市中区" not in str(rows)


async def test_data_of_the_market_regulator_register_at_once_where_the_document_says_so(
    counter: Counter,
) -> None:
    body = registration(
        counter, new(counter, company(counter)), WUHAN, channel="joint_registration", materials=()
    )
    regulator = system("enrollment.joint_registration", regions=[WUHAN])
    case = await applied(counter, body, regulator)
    assert case["status"] == "completed"
    again = await apply(counter, body, regulator)
    assert (again.status_code, again.json()["code"]) == (409, "employer_known")
    assert await counter.rows("SELECT count(*) FROM employers") == [(1,)]
    assert await counter.rows("SELECT count(*) FROM cases") == [(1,)]


async def test_without_direct_closing_in_the_document_the_same_data_wait_for_an_officer(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.caseflow.submitting.DIRECTLY", "另一种办结")
    form = new(counter, company(counter))
    body = registration(counter, form, WUHAN, channel="joint_registration", materials=())
    case = await applied(counter, body, system("enrollment.joint_registration", regions=[WUHAN]))
    assert case["status"] == "submitted"


async def test_what_a_person_adds_to_a_joint_registration_an_officer_decides(counter: Counter) -> None:
    form = new(counter, company(counter), bank_account=None)
    body = registration(counter, form, WUHAN, channel="joint_registration", materials=())
    case = await applied(counter, body, system("enrollment.joint_registration", regions=[WUHAN]))
    assert [item["pointer"] for item in case["notice"]] == ["/payload/registration/bank_account"]
    account = {"bank": "某银行", "account_name": form["name"], "account_no": "6220000000000001"}
    payload = {"kind": "employer_registration", "registration": {**form, "bank_account": account}}
    case = await acted(counter, case, "supplement", officer(WUHAN, Role.CLERK), {"payload": payload})
    assert case["status"] == "submitted"


async def test_nobody_but_a_system_with_the_scope_sends_joint_registrations(counter: Counter) -> None:
    body = registration(counter, new(counter, company(counter)), WUHAN, channel="joint_registration")
    for caller in (officer(WUHAN, Role.CLERK), system("enrollment.write", regions=[WUHAN])):
        answer = await apply(counter, body, caller)
        assert answer.status_code == 403
    elsewhere = system("enrollment.joint_registration", regions=[ZAOZHUANG])
    assert (await apply(counter, body, elsewhere)).status_code == 403
    online = registration(counter, new(counter, company(counter)), WUHAN, channel="online")
    regulator = system("enrollment.joint_registration", regions=[WUHAN])
    assert (await apply(counter, online, regulator)).status_code == 403


async def test_a_shared_certificate_is_enough_in_shandong(counter: Counter) -> None:
    body = registration(
        counter, new(counter, company(counter)), channel="joint_registration", materials=(SHARED,)
    )
    case = await applied(counter, body, system("enrollment.joint_registration", regions=[ZAOZHUANG]))
    assert case["status"] == "completed"


async def test_what_an_agent_sends_online_an_officer_checks(counter: Counter) -> None:
    made_up, agent = company(counter), Applicant(counter.people.person("370402"))
    body = registration(counter, new(counter, made_up), channel="online", materials=(SHARED,))
    body["applicant"] = agent.body()
    key = counter.resources.protector.blind_index(f"resident_id:{agent.made_up.id_number}")
    case = await applied(counter, body, citizen(key))
    assert case["status"] == "submitted"


def suspension(employer: dict[str, Any], last_day: str = "2026-02-28") -> dict[str, Any]:
    return {
        "registration_kind": "suspend",
        "credit_code": employer["credit_code"],
        "last_day": last_day,
    }


async def test_a_suspended_employer_s_employees_are_stopped_and_its_retirees_are_not(
    counter: Counter,
) -> None:
    employer = await counter.employer()
    first = await hired(counter, employer, "310", "510")
    await hired(counter, employer)
    retiree = await hired(counter, employer, person_kind="retiree")
    case = await applied(counter, registration(counter, suspension(employer)))
    assert case["status"] == "completed"
    stops = await published(counter.resources, EnrolmentStopped)
    assert len(stops) == 3
    assert {(str(stop.stopped_on), stop.reason) for stop in stops} == {("2026-02-28", "employer_suspended")}
    still = await counter.rows("SELECT person_id::text FROM enrolments WHERE stopped_on IS NULL")
    assert still == [(retiree.id,)]
    (changed,) = await published(counter.resources, EmployerChanged)
    assert (changed.state, str(changed.state_since)) == ("suspended", "2026-03-01")
    file = (await counter.get(f"persons/{first.id}")).json()
    assert [one["version"] for one in file["enrolments"]] == [2, 2]
    history = "SELECT count(*) FROM changes WHERE subject_kind = 'enrolment' AND version = 2"
    assert await counter.rows(history) == [(3,)]


async def test_a_suspension_before_what_is_paid_is_refused_and_names_them_masked(counter: Counter) -> None:
    employer = await counter.employer()
    card = await hired(counter, employer)
    await counter.contribute(card, ["2026-03"])
    later = await hired(counter, employer, since="2026-03-05")
    case = await applied(counter, registration(counter, suspension(employer)))
    codes = {item["code"]: item["message"] for item in case["notice"]}
    assert set(codes) == {"paid_after_stop", "stopped_before_start"}
    assert "1人" in codes["paid_after_stop"]
    assert later.id_number not in codes["stopped_before_start"]
    assert later.id_number[-4:] in codes["stopped_before_start"]


async def test_a_suspended_employer_comes_back_and_so_do_its_people(counter: Counter) -> None:
    made_up = company(counter)
    await applied(counter, registration(counter, new(counter, made_up)))
    ((employer_id,),) = await counter.rows("SELECT id::text FROM employers")
    employer = {"id": employer_id, "region_code": ZAOZHUANG, "credit_code": made_up.credit_code}
    card = await hired(counter, employer)
    await applied(counter, registration(counter, suspension(employer)))
    back = {"registration_kind": "new", "credit_code": made_up.credit_code, "name": made_up.name}
    case = await applied(counter, registration(counter, back))
    assert case["status"] == "completed"
    assert await counter.rows("SELECT state, version FROM employers") == [("active", 3)]
    file = (await counter.get(f"persons/{card.id}")).json()
    row = {
        "person": {**credential(card), "name": file["name"]},
        "change": "resume",
        "effective_on": "2026-03-01",
        "declared_wage_yuan": "5000.00",
    }
    payload = {
        "kind": "employee_registration",
        "employer_credit_code": made_up.credit_code,
        "people": [row],
    }
    body = application(
        ZAOZHUANG,
        EMPLOYEE_ITEM,
        Applicant(counter.people.person("370402")).body(),
        payload,
        "employee-registration-form",
    )
    case = await applied(counter, body)
    assert case["status"] == "completed", case["notice"]


async def test_an_employer_with_employees_is_not_cancelled_unless_they_are_stopped_with_it(
    counter: Counter,
) -> None:
    employer = await counter.employer()
    await hired(counter, employer)
    form = {**suspension(employer), "registration_kind": "deregister"}
    case = await applied(counter, registration(counter, form))
    (fault,) = case["notice"]
    assert (fault["code"], "1名" in fault["message"]) == ("still_active", True)
    await carried_out(counter, registration(counter, {**form, "stop_people": True}))
    assert await counter.rows("SELECT state FROM employers") == [("cancelled",)]
    again = await applied(counter, registration(counter, form))
    assert [item["code"] for item in again["notice"]] == ["employer_state"]


async def test_a_cancelled_employer_comes_back_only_past_an_officer(counter: Counter) -> None:
    employer = await counter.employer()
    await applied(counter, registration(counter, {**suspension(employer), "registration_kind": "deregister"}))
    form = new(counter, company(counter), credit_code=employer["credit_code"])
    form["bank_account"]["account_name"] = form["name"]
    case = await applied(counter, registration(counter, form))
    assert case["status"] == "submitted"
    await acted(counter, case, "accept", officer(ZAOZHUANG, Role.CLERK))
    await acted(counter, case, "approve", officer(ZAOZHUANG, Role.REVIEWER, subject="b"))
    assert await counter.rows("SELECT state FROM employers") == [("active",)]


async def owing(counter: Counter) -> dict[str, Any]:
    """An employer with two people since December, of whom one has paid for December and January."""
    employer = await counter.employer()
    card, _ = [await hired(counter, employer, since="2025-12-01") for _ in range(2)]
    await hired(counter, employer, person_kind="retiree")
    await counter.contribute(card, ["2025-12", "2026-01"])
    return employer


async def test_an_employer_that_owes_contributions_does_not_end_unseen(counter: Counter) -> None:
    one, other = await owing(counter), await counter.employer()
    cancel = {**suspension(one), "registration_kind": "deregister", "stop_people": True}
    merge = {
        "registration_kind": "merge",
        "predecessors": [one["credit_code"]],
        "effective_on": "2026-03-01",
        "successor": {"credit_code": other["credit_code"]},
    }
    for form in (cancel, merge):
        case = await applied(counter, registration(counter, form))
        assert case["status"] == "submitted"
        told = """
            SELECT concat(r.reason, r.details) FROM case_record r JOIN cases c ON c.id = r.case_id
            WHERE c.case_no = :case_no
        """
        record = str(await counter.rows(told, case_no=case["case_no"]))
        assert f"单位“{one['name']}”有欠费：2人共4个月（2025-12至2026-02）" in record
    assert await counter.rows("SELECT DISTINCT state FROM employers") == [("active",)]


async def test_an_employer_that_owes_nothing_ends_at_once(counter: Counter) -> None:
    employer = await counter.employer()
    card = await hired(counter, employer, since="2026-01-01")
    await counter.contribute(card, ["2026-01", "2026-02"])
    cancel = {**suspension(employer), "registration_kind": "deregister", "stop_people": True}
    assert (await applied(counter, registration(counter, cancel)))["status"] == "completed"
