"""Whom a credential names, when it was changed and when several things happen at once."""

from __future__ import annotations

import asyncio
from typing import Any

from libs.webapp.callers import Role
from tests.services.enrollment.applications import RESIDENT_ITEM, act, acted, application, applied
from tests.services.enrollment.changes import (
    body_of,
    changed,
    credential,
    form,
    key_of,
    line,
    name_of,
    same_birth_and_sex,
)
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Card, Counter, accepted, clerk_of
from tests.support.tokens import officer

PEOPLE = "SELECT count(*) FROM persons"


def enrolling(number: str, name: str) -> dict[str, Any]:
    applicant = {**body_of(number, name), "telephone": "19900000001"}
    payload = {
        "kind": "resident_registration",
        "household_address": "枣庄市市中区一号",
        "applicant_status": "unemployed_adult",
        "started_on": "2026-03-01",
    }
    papers = ("identity-document", "resident-registration-form")
    return application(ZAOZHUANG, RESIDENT_ITEM, applicant, payload, *papers)


async def renumbered(counter: Counter) -> tuple[Card, str]:
    """Somebody whose credential was changed, and the new number."""
    card = await counter.person()
    new = same_birth_and_sex(counter, card.id_number)
    await changed(counter, card, line("credential", credential(new)))
    return card, new


async def test_who_applies_with_the_earlier_credential_under_the_same_name_is_the_same(
    counter: Counter,
) -> None:
    card, new = await renumbered(counter)
    case = await applied(counter, enrolling(card.id_number, await name_of(counter, card)))
    assert case["status"] == "completed"
    assert await counter.rows(PEOPLE) == [(1,)]
    assert await counter.rows("SELECT person_key FROM enrolments") == [(key_of(counter, new),)]


async def test_who_bears_a_number_once_recorded_wrongly_gets_an_own_record(counter: Counter) -> None:
    card, _ = await renumbered(counter)
    case = await applied(counter, enrolling(card.id_number, "王另人"))
    assert case["status"] == "completed"
    assert await counter.rows(PEOPLE) == [(2,)]
    search = {"region_code": ZAOZHUANG, "credential": {"number": card.id_number}}
    found = await counter.client.post(
        "/v1/enrollment/persons/search", json=search, headers=officer(ZAOZHUANG, Role.REVIEWER)
    )
    assert found.json()["name"] == "王另人"


async def accepted_change(counter: Counter, card: Card, new: str) -> dict[str, Any]:
    case = await applied(counter, await form(counter, card, line("credential", credential(new))))
    return await acted(counter, case, "accept", clerk_of(card.region_code))


async def test_a_credential_changed_and_an_enrolment_elsewhere_at_once_leave_one_active(
    counter: Counter,
) -> None:
    card = await counter.person()
    await counter.enrol(card)
    new = same_birth_and_sex(counter, card.id_number)
    elsewhere = await counter.person(YANTAI, id_number=new)
    case = await accepted_change(counter, card, new)
    body = {
        "person_id": elsewhere.id,
        "insurance_kind": "390",
        "person_kind": "resident",
        "started_on": "2026-03-01",
    }
    reviewer = officer(ZAOZHUANG, Role.REVIEWER, subject="b")
    answers = await asyncio.gather(
        act(counter, case, "approve", reviewer), counter.post("enrolments", body, clerk_of(YANTAI))
    )
    assert sorted(answer.is_success for answer in answers) == [False, True]
    assert 409 in {answer.status_code for answer in answers}
    active = "SELECT count(*) FROM enrolments WHERE person_key = :key AND stopped_on IS NULL"
    assert await counter.rows(active, key=key_of(counter, new)) == [(1,)]


async def test_a_credential_changed_and_a_transfer_begun_at_once_are_never_both_done(
    counter: Counter,
) -> None:
    """Whichever is first, the transfer stands under the key the record bears."""
    card = await counter.insured(["2025-01"])
    new = same_birth_and_sex(counter, card.id_number)
    case = await accepted_change(counter, card, new)
    reviewer = officer(ZAOZHUANG, Role.REVIEWER, subject="b")
    answer, _ = await asyncio.gather(act(counter, case, "approve", reviewer), counter.deliver(accepted(card)))
    keys = await counter.rows(
        "SELECT p.person_key = t.person_key, t.state FROM persons p, transfers t WHERE p.id = :id",
        id=card.id,
    )
    assert keys == [(True, "prepared")]
    assert answer.status_code in (200, 409)


async def test_two_credentials_changed_into_one_another_s_are_told(counter: Counter) -> None:
    one = await counter.person()
    other = await counter.person(id_number=same_birth_and_sex(counter, one.id_number))
    third = same_birth_and_sex(counter, other.id_number)
    cases = [await accepted_change(counter, card, third) for card in (one, other)]
    reviewer = officer(ZAOZHUANG, Role.REVIEWER, subject="b")
    answers = await asyncio.gather(*(act(counter, case, "approve", reviewer) for case in cases))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (lost,) = [answer.json() for answer in answers if answer.status_code == 409]
    assert lost["errors"][0]["code"] in ("two_records_of_one_person", "changed_meanwhile")
