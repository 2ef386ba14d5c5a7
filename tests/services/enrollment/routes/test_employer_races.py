"""Employers changed at the same moment by several: one after the other, whatever the order."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from tests.services.enrollment.applications import EMPLOYEE_ITEM, Applicant, application, apply
from tests.services.enrollment.counter import ZAOZHUANG, Counter
from tests.services.enrollment.employer_applications import company, hired, new, paid_for, registration
from tests.services.enrollment.routes.test_employer_registrations import suspension
from tests.services.enrollment.routes.test_employer_successions import merger

ACTIVE_WITH = """
    SELECT e.state, count(*) FROM enrolments n JOIN employers e ON e.id = n.employer_id
    WHERE n.stopped_on IS NULL GROUP BY e.state
"""


def addition(counter: Counter, credit_code: str) -> dict[str, Any]:
    """职工参保登记 of somebody new."""
    row = {
        "person": Applicant(counter.people.person("370402")).body(),
        "change": "add",
        "effective_on": "2026-02-01",
        "declared_wage_yuan": "5000.00",
    }
    payload = {"kind": "employee_registration", "employer_credit_code": credit_code, "people": [row]}
    agent = Applicant(counter.people.person("370402")).body()
    return application(ZAOZHUANG, EMPLOYEE_ITEM, agent, payload, "employee-registration-form")


def ends(answers: list[httpx.Response]) -> list[str]:
    """How each application ended: its status, or the code of the refusal."""
    told = [answer.json() for answer in answers]
    return sorted(
        body.get("status") if answer.is_success else body["code"]
        for answer, body in zip(answers, told, strict=True)
    )


async def test_of_two_mergers_of_one_employer_one_is_done(counter: Counter) -> None:
    old, one, two = [await counter.employer() for _ in range(3)]
    for _ in range(5):
        await paid_for(counter, old)
    forms = [merger([old], {"credit_code": target["credit_code"]}) for target in (one, two)]
    answers = await asyncio.gather(*(apply(counter, registration(counter, form)) for form in forms))
    assert ends(list(answers)) == ["changed_meanwhile", "completed"]
    assert await counter.rows(ACTIVE_WITH) == [("active", 5)]
    assert await counter.rows("SELECT count(*) FROM employer_successions") == [(1,)]


async def test_employers_that_would_take_over_one_another_do_not_wait_in_a_circle(counter: Counter) -> None:
    one, two = await counter.employer(), await counter.employer()
    for employer in (one, two):
        await paid_for(counter, employer)
    forms = [
        merger([one], {"credit_code": two["credit_code"]}),
        merger([two], {"credit_code": one["credit_code"]}),
    ]
    answers = await asyncio.gather(*(apply(counter, registration(counter, form)) for form in forms))
    assert ends(list(answers)) == ["changed_meanwhile", "completed"]
    assert await counter.rows(ACTIVE_WITH) == [("active", 2)]


async def test_nobody_is_left_with_an_employer_suspended_at_the_same_moment(counter: Counter) -> None:
    employer = await counter.employer()
    await hired(counter, employer)
    bodies = [addition(counter, employer["credit_code"]) for _ in range(6)]
    bodies.insert(3, registration(counter, suspension(employer)))
    answers = await asyncio.gather(*(apply(counter, body) for body in bodies))
    assert await counter.rows("SELECT state FROM employers") == [("suspended",)]
    assert await counter.rows(ACTIVE_WITH) == [], ends(list(answers))
    assert all(answer.status_code < 500 for answer in answers)


async def test_nobody_is_lost_who_joins_while_the_employer_merges(counter: Counter) -> None:
    old, target = await counter.employer(), await counter.employer()
    bodies = [addition(counter, old["credit_code"]) for _ in range(6)]
    bodies.insert(3, registration(counter, merger([old], {"credit_code": target["credit_code"]})))
    answers = await asyncio.gather(*(apply(counter, body) for body in bodies))
    assert all(answer.status_code < 500 for answer in answers)
    assert await counter.rows("SELECT count(*) FROM employers WHERE state = 'cancelled'") == [(1,)]
    cancelled = [row for row in await counter.rows(ACTIVE_WITH) if row[0] == "cancelled"]
    assert cancelled == [], ends(list(answers))


async def test_one_employer_registered_twice_at_once_is_one(counter: Counter) -> None:
    made_up = company(counter)
    bodies = [registration(counter, new(counter, made_up)) for _ in range(4)]
    answers = await asyncio.gather(*(apply(counter, body) for body in bodies))
    told = ends(list(answers))
    assert told.count("completed") == 1
    assert set(told) <= {"completed", "employer_known", "changed_meanwhile", "supplementing"}
    assert await counter.rows("SELECT count(*) FROM employers") == [(1,)]
