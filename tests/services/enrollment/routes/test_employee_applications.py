"""职工参保登记: six kinds of change, many people in one form, flexible workers, special groups."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libs.contracts.enrollment import PersonDeceased
from libs.identifiers.made_up import MadeUpPerson
from libs.webapp.callers import Role
from tests.services.enrollment.applications import (
    EMPLOYEE_ITEM,
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

FORM = "employee-registration-form"


class Payroll:
    """An employer with people, and the forms it hands in."""

    def __init__(self, counter: Counter, region_code: str, credit_code: str) -> None:
        self.counter = counter
        self.region_code = region_code
        self.credit_code = credit_code
        self.agent = Applicant(counter.people.person("370402")).body()

    @classmethod
    async def of(cls, counter: Counter, region_code: str = ZAOZHUANG) -> Payroll:
        employer = await counter.employer(region_code)
        return cls(counter, region_code, employer["credit_code"])

    def form(
        self, *rows: dict[str, Any], papers: tuple[str, ...] = (FORM,), **payload: Any
    ) -> dict[str, Any]:
        told = {
            "kind": "employee_registration",
            "employer_credit_code": self.credit_code,
            "people": list(rows),
            **payload,
        }
        return application(self.region_code, EMPLOYEE_ITEM, self.agent, told, *papers)

    async def done(self, *rows: dict[str, Any], **form: Any) -> dict[str, Any]:
        case = await applied(self.counter, self.form(*rows, **form))
        assert case["status"] == "completed", case
        return case

    async def refused(self, *rows: dict[str, Any], **form: Any) -> list[dict[str, Any]]:
        case = await applied(self.counter, self.form(*rows, **form))
        assert case["status"] == "supplementing", case
        notice: list[dict[str, Any]] = case["notice"]
        return notice

    async def spells(self, person: MadeUpPerson) -> list[tuple[Any, ...]]:
        """(person kind, first day, last day, reason) of the person's employee insurance, oldest first."""
        key = self.counter.resources.protector.blind_index(f"resident_id:{person.id_number}")
        rows = await self.counter.rows(
            "SELECT person_kind, started_on::text, stopped_on::text, stop_reason FROM enrolments "
            "WHERE person_key = :key AND insurance_kind = '310' ORDER BY started_on",
            key=key,
        )
        return [tuple(row) for row in rows]


def row(person: MadeUpPerson, change: str = "add", on: str = "2026-03-01", **more: Any) -> dict[str, Any]:
    return {"person": Applicant(person).body(), "change": change, "effective_on": on, **more}


@pytest.fixture
async def payroll(counter: Counter) -> Payroll:
    return await Payroll.of(counter)


@pytest.fixture
def worker(counter: Counter) -> MadeUpPerson:
    return counter.people.person("370402")


async def test_many_people_are_added_by_one_form(counter: Counter, payroll: Payroll) -> None:
    people = [counter.people.person("370402") for _ in range(12)]
    await payroll.done(*(row(person, declared_wage_yuan="5000.00") for person in people))
    for person in people:
        assert await payroll.spells(person) == [("employee", "2026-03-01", None, None)]


async def test_one_wrong_row_and_nothing_is_done(counter: Counter, payroll: Payroll) -> None:
    people = [counter.people.person("370402") for _ in range(3)]
    await payroll.done(row(people[0]))
    notice = await payroll.refused(row(people[1]), row(people[0]), row(people[2], "interrupt"))
    assert [(item["code"], item["pointer"]) for item in notice] == [
        ("already_enrolled", "/payload/people/1/effective_on"),
        ("not_enrolled_here", "/payload/people/2/person"),
    ]
    assert await payroll.spells(people[1]) == []


async def test_interrupted_and_resumed(payroll: Payroll, worker: MadeUpPerson) -> None:
    await payroll.done(row(worker, on="2025-01-01"))
    await payroll.done(row(worker, "interrupt", "2025-12-31"))
    await payroll.done(row(worker, "resume", "2026-03-01"))
    assert await payroll.spells(worker) == [
        ("employee", "2025-01-01", "2025-12-31", "interrupted"),
        ("employee", "2026-03-01", None, None),
    ]


async def test_what_was_ended_for_good_is_not_resumed(payroll: Payroll, worker: MadeUpPerson) -> None:
    await payroll.done(row(worker, on="2025-01-01"))
    await payroll.done(row(worker, "terminate", "2025-12-31", reason="enlisted"))
    (fault,) = await payroll.refused(row(worker, "resume"))
    assert fault["code"] == "nothing_to_resume"
    assert "请按“增加”办理" in fault["message"]


async def test_whoever_moves_within_the_area_loses_no_day(counter: Counter) -> None:
    one, other = await Payroll.of(counter, WUHAN), await Payroll.of(counter, WUHAN)
    worker = counter.people.person("420102")
    papers = (FORM, "identity-document")
    case = await applied(
        counter, one.form(row(worker, on="2025-01-01", declared_wage_yuan="1.00"), papers=papers)
    )
    await decided(counter, case)
    move = row(worker, "move_within_pooling_area", "2026-03-01", to_credit_code=other.credit_code)
    await decided(counter, await applied(counter, one.form(move, papers=papers)))
    assert await one.spells(worker) == [
        ("employee", "2025-01-01", "2026-02-28", "moved_within"),
        ("employee", "2026-03-01", None, None),
    ]


async def decided(counter: Counter, case: dict[str, Any]) -> dict[str, Any]:
    """The way of a 承诺件: an officer accepts, and approves (low risk: one officer)."""
    assert case["status"] == "submitted", case["notice"]
    case = await acted(counter, case, "accept", officer(case["region_code"], Role.CLERK, subject="a"))
    assert case["due"] == {**case["due"], "on": "2026-03-17", "allowed": "5个工作日"}
    case = await acted(counter, case, "approve", officer(case["region_code"], Role.CLERK, subject="a"))
    assert case["status"] == "completed", case
    return case


async def test_a_kind_of_change_the_list_does_not_have_is_refused(
    payroll: Payroll, worker: MadeUpPerson
) -> None:
    other = await Payroll.of(payroll.counter)
    move = row(worker, "move_within_pooling_area", to_credit_code=other.credit_code)
    (fault,) = await payroll.refused(move)
    assert (fault["code"], fault["pointer"]) == ("change_not_offered", "/payload/people/0/change")


async def test_the_same_form_is_immediate_in_shandong_and_five_working_days_in_hubei(
    counter: Counter,
) -> None:
    """The difference is in the catalogues' data alone: no line of code knows a region."""
    outcomes = {}
    for region_code in (ZAOZHUANG, YANTAI, WUHAN):
        payroll = await Payroll.of(counter, region_code)
        person = counter.people.person("370402")
        body = payroll.form(row(person, declared_wage_yuan="5000.00"), papers=(FORM, "identity-document"))
        outcomes[region_code] = (await applied(counter, body))["status"]
    assert outcomes == {ZAOZHUANG: "completed", YANTAI: "completed", WUHAN: "submitted"}


@pytest.mark.parametrize(
    ("credential_type", "number", "papers"),
    [
        (
            "hm_travel_permit",
            "H12345678",
            {"hmt-travel-permit,hmt-residence-permit", "labour-relation-proof"},
        ),
        ("passport", "E12345678", {"foreigner-permanent-residence-permit"}),
    ],
)
async def test_special_groups_bring_their_own_documents(
    payroll: Payroll, worker: MadeUpPerson, credential_type: str, number: str, papers: set[str]
) -> None:
    wanted = row(worker)
    wanted["person"] |= {
        "credential_type": credential_type,
        "credential_no": number,
        "sex": "女",
        "birth_date": "1990-01-01",
    }
    notice = await payroll.refused(wanted)
    assert {item["pointer"].removeprefix("/materials/") for item in notice} == papers


async def test_emigration_needs_its_proof(payroll: Payroll, worker: MadeUpPerson) -> None:
    await payroll.done(row(worker, on="2025-01-01"))
    (fault,) = await payroll.refused(row(worker, "terminate", "2026-02-28", reason="emigrated"))
    assert fault["pointer"] == "/materials/passport,permanent-residence-permit"
    await payroll.done(row(worker, "terminate", "2026-02-28", reason="emigrated"), papers=(FORM, "passport"))


async def test_a_flexible_worker_enrols_at_once_everywhere(counter: Counter) -> None:
    for region_code in (ZAOZHUANG, WUHAN):
        person = counter.people.person("370402")
        payload = {"kind": "employee_registration", "people": [row(person)]}
        body = application(
            region_code, EMPLOYEE_ITEM, Applicant(person).body(), payload, "identity-document", FORM
        )
        assert (await applied(counter, body))["status"] == "completed"


async def test_a_citizen_s_form_for_an_employer_needs_its_agent(counter: Counter, payroll: Payroll) -> None:
    agent = counter.people.person("370402")
    payroll.agent = Applicant(agent).body()
    key = counter.resources.protector.blind_index(f"resident_id:{agent.id_number}")
    body = payroll.form(row(counter.people.person("370402")), papers=())
    body["channel"] = "online"
    answer = await apply(counter, body, citizen(key))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_agent")
    await counter.rows(
        "UPDATE employers SET agent_key = :key WHERE credit_code = :code RETURNING id",
        key=key,
        code=payroll.credit_code,
    )
    case = await applied(counter, body, citizen(key))
    assert case["status"] == "completed"


async def test_two_employers_at_once_cannot_both_win(counter: Counter) -> None:
    """Both applications are complete and see nobody enrolled; the database lets one through."""
    payrolls = [await Payroll.of(counter, region) for region in (ZAOZHUANG, YANTAI, ZAOZHUANG, YANTAI)]
    for _ in range(5):
        person = counter.people.person("370402")
        answers = await asyncio.gather(*(apply(counter, payroll.form(row(person))) for payroll in payrolls))
        outcomes = [a.json().get("status") if a.status_code == 201 else a.status_code for a in answers]
        assert outcomes.count("completed") == 1, outcomes
        for answer, outcome in zip(answers, outcomes, strict=True):
            if outcome != "completed":
                assert "already_enrolled" in answer.text, answer.text
        assert len(await payrolls[0].spells(person)) == 1


async def test_an_officer_finds_what_changed_between_acceptance_and_approval(counter: Counter) -> None:
    payroll = await Payroll.of(counter, WUHAN)
    person = counter.people.person("420102")
    body = payroll.form(row(person, declared_wage_yuan="1.00"), papers=(FORM, "identity-document"))
    case = await applied(counter, body)
    clerk = officer(WUHAN, Role.CLERK)
    case = await acted(counter, case, "accept", clerk)
    elsewhere = await Payroll.of(counter)
    await elsewhere.done(row(person))
    answer = await act(counter, case, "approve", clerk)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_approvable")
    assert "枣庄市" in answer.text


async def paid(payroll: Payroll, person: MadeUpPerson, first_year: int) -> None:
    """Employed since January of this year, and every month paid to February 2026."""
    await payroll.done(row(person, on=f"{first_year}-01-01"))
    counter = payroll.counter
    credential = {"type": "resident_id", "number": person.id_number}
    search = await counter.post("persons/search", {"region_code": ZAOZHUANG, "credential": credential})
    months = [f"{year}-{month:02d}" for year in range(first_year, 2026) for month in range(1, 13)]
    told = [{"month": month, "base_yuan": "3000.00"} for month in [*months, "2026-01", "2026-02"]]
    body = {"person_id": search.json()["id"], "insurance_kind": "310", "months": told}
    await counter.done("contributions", body)


async def test_retirement_is_checked_against_the_region_s_dated_rule(
    counter: Counter, payroll: Payroll
) -> None:
    papers = (FORM, "retirement-approval")
    short, long = (counter.people.person("370402", born=(1966, 1968)) for _ in range(2))
    await paid(payroll, short, 2010)
    await paid(payroll, long, 1995)
    (fault,) = await payroll.refused(row(short, "retire"), papers=papers)
    assert (fault["code"], fault["rule"]) == ("contribution_years", "370000-retirement@2010")
    assert "累计缴费16年2个月" in fault["message"]
    assert "请继续缴费或按规定一次性补足" in fault["message"]
    await payroll.done(row(long, "retire"), papers=papers)
    assert await payroll.spells(long) == [
        ("employee", "1995-01-01", "2026-02-28", "retired"),
        ("retiree", "2026-03-01", None, None),
    ]


async def test_whoever_died_is_insured_nowhere_any_more(payroll: Payroll, worker: MadeUpPerson) -> None:
    await payroll.done(row(worker, on="2025-01-01"), insurance_kinds=["310", "510"])
    await payroll.done(row(worker, "terminate", "2026-03-05", reason="deceased"))
    assert await payroll.spells(worker) == [("employee", "2025-01-01", "2026-03-05", "deceased")]
    active = await payroll.counter.rows("SELECT 1 FROM enrolments WHERE stopped_on IS NULL")
    assert active == [], "of the other kind too"
    (fact,) = await published(payroll.counter.resources, PersonDeceased)
    assert (fact.source, str(fact.deceased_on)) == ("employer", "2026-03-05")
    (fault,) = await payroll.refused(row(worker, on="2026-03-06"))
    assert fault["code"] == "deceased"


async def test_a_death_is_reported_whatever_was_paid_for_the_time_after(
    payroll: Payroll, worker: MadeUpPerson
) -> None:
    await paid(payroll, worker, 2025)
    await payroll.done(row(worker, "terminate", "2025-11-20", reason="deceased"))
    assert await payroll.spells(worker) == [("employee", "2025-01-01", "2025-11-20", "deceased")]
    ((later,),) = await payroll.counter.rows("SELECT paid_after FROM death_notices")
    assert later == {"310": ["2025-12", "2026-01", "2026-02"]}


async def test_a_retirement_before_there_were_rules_is_refused_with_everything_else(
    counter: Counter, payroll: Payroll
) -> None:
    person = counter.people.person("370402", born=(1930, 1931))
    await payroll.done(row(person, on="1992-01-01"), insurance_kinds=["310", "510"])
    rows = row(person, "retire", "1993-01-01"), row(counter.people.person("370402"), "retire")
    notice = await payroll.refused(
        *rows, papers=(FORM, "retirement-approval"), insurance_kinds=["310", "510"]
    )
    told = [(fault["code"], fault["pointer"]) for fault in notice]
    assert ("no_rule", "/payload/people/0/effective_on") in told
    assert ("not_enrolled_here", "/payload/people/1/person") in told
