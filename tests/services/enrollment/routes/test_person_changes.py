"""职工、居民参保信息变更登记, from the application to the record."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libs.contracts.enrollment import EnrolmentStopped, PersonChanged, PersonKeyChanged
from libs.identifiers.credentials import CredentialType
from libs.webapp.callers import Role
from tests.services.enrollment.applications import WUHAN, act, acted, applied, apply
from tests.services.enrollment.changes import (
    changed,
    credential,
    form,
    key_of,
    line,
    name_of,
    same_birth_and_sex,
)
from tests.services.enrollment.counter import (
    YANTAI,
    ZAOZHUANG,
    Card,
    Counter,
    accepted,
    cancelled,
    clerk_of,
    period,
    received,
    taken_up,
)
from tests.support.service import published
from tests.support.tokens import citizen, officer

REVIEWER = officer(ZAOZHUANG, Role.REVIEWER, subject="b")
TELEPHONE = line("telephone", "19900001234")


async def read(counter: Counter, card: Card) -> dict[str, Any]:
    answer: dict[str, Any] = (
        await counter.get(f"persons/{card.id}", officer(card.region_code, Role.REVIEWER))
    ).json()
    return answer


async def test_what_is_not_key_information_changes_at_once(counter: Counter) -> None:
    card = await counter.person()
    case = await applied(counter, await form(counter, card, TELEPHONE))
    assert case["status"] == "completed"
    assert (await read(counter, card))["telephone"] == "19900001234"
    (fact,) = await published(counter.resources, PersonChanged)
    assert (fact.items, fact.person_version) == (["telephone"], 2)


async def test_key_information_is_reviewed_by_a_second_person(counter: Counter) -> None:
    card = await counter.person()
    case = await applied(counter, await form(counter, card, line("name", "王改名")))
    assert case["status"] == "submitted"
    assert await name_of(counter, card) != "王改名"
    entered = officer(ZAOZHUANG, Role.CLERK, Role.REVIEWER)
    case = await acted(counter, case, "accept", entered)
    assert (await act(counter, case, "approve", entered)).json()["code"] == "maker_checker"
    case = await acted(counter, case, "approve", REVIEWER)
    assert case["status"] == "completed"
    assert await name_of(counter, card) == "王改名"


async def test_key_information_needs_its_evidence(counter: Counter) -> None:
    card = await counter.person()
    papers = ("identity-proof", "employee-change-form")
    case = await applied(counter, await form(counter, card, line("name", "王改名"), papers=papers))
    assert [item["pointer"] for item in case["notice"]] == ["/materials/key-information-evidence"]


async def test_hubei_s_required_fields_are_filled_from_form_and_record(counter: Counter) -> None:
    card = await counter.person(WUHAN)
    case = await applied(counter, await form(counter, card, TELEPHONE))
    assert case["status"] == "completed", case


async def test_everything_wrong_is_told_at_once(counter: Counter) -> None:
    card = await counter.person()
    changes = [
        line("telephone", "19900001234", before="19911111111"),
        line("telephone", "19900001235"),
        line("sex", "男" if int(card.id_number[16]) % 2 == 0 else "女"),
        line("birth-date", "2030-01-01"),
        line("declared-wage", "5000.00"),
    ]
    case = await applied(counter, await form(counter, card, *changes, row={"version": 7}))
    # Whoever has seen another version is told that before anything is compared.
    assert [item["code"] for item in case["notice"]] == ["stale_version"]
    case = await applied(counter, await form(counter, card, *changes))
    at = "/payload/people/0/changes"
    assert {(item["code"], item["pointer"]) for item in case["notice"]} == {
        ("before_disagrees", f"{at}/0/before"),
        ("item_twice", f"{at}/1/item"),
        ("credential_disagrees", f"{at}/2/after"),
        ("credential_disagrees", f"{at}/3/after"),
        ("born_in_future", f"{at}/3/after"),
        ("not_enrolled", f"{at}/4/after"),
    }


async def test_no_fault_tells_what_the_record_says(counter: Counter) -> None:
    card = await counter.person()
    told = (await read(counter, card))["telephone"]
    case = await applied(
        counter, await form(counter, card, line("telephone", "19900001234", before="19911111111"))
    )
    assert told not in str(case["notice"])


async def test_of_two_changes_at_once_one_wins_and_the_other_is_told(counter: Counter) -> None:
    card = await counter.person()
    before = (await read(counter, card))["telephone"]
    forms = [
        await form(counter, card, line("telephone", f"1990000000{number}", before=before))
        for number in (1, 2)
    ]
    answers = await asyncio.gather(*(applied(counter, body) for body in forms))
    assert sorted(case["status"] for case in answers) == ["completed", "supplementing"]
    (lost,) = [case for case in answers if case["status"] == "supplementing"]
    assert lost["notice"][0]["code"] == "before_disagrees"
    assert (await read(counter, card))["version"] == 2


async def test_a_record_changed_between_application_and_approval_is_told(counter: Counter) -> None:
    card = await counter.person()
    body = await form(counter, card, line("name", "王改名"), row={"version": 1})
    case = await applied(counter, body)
    case = await acted(counter, case, "accept", officer(ZAOZHUANG, Role.CLERK, subject="a"))
    await changed(counter, card, TELEPHONE)
    answer = await act(counter, case, "approve", REVIEWER)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "stale_version")


async def test_a_new_credential_carries_the_key_wherever_it_stands(counter: Counter) -> None:
    card = await counter.insured(["2025-01"])
    await counter.deliver(accepted(card))
    await counter.deliver(cancelled(card))
    new = same_birth_and_sex(counter, card.id_number)
    await changed(counter, card, line("credential", credential(new)))
    new_key = key_of(counter, new)
    assert await counter.rows("SELECT person_key FROM persons") == [(new_key,)]
    assert await counter.rows("SELECT person_key FROM enrolments") == [(new_key,)]
    assert await counter.rows("SELECT person_key FROM transfers") == [(new_key,)]
    (fact,) = await published(counter.resources, PersonKeyChanged)
    assert (fact.previous_person_key, fact.person_key) == (card.key, new_key)
    assert await counter.rows("SELECT version FROM persons") == [(fact.person_version,)]
    for number in (card.id_number, new):
        search = {"region_code": ZAOZHUANG, "credential": {"number": number}}
        found = await counter.client.post(
            "/v1/enrollment/persons/search", json=search, headers=officer(ZAOZHUANG, Role.REVIEWER)
        )
        assert (found.json()["id"], found.json()["credential"]["number"]) == (card.id, new)


async def test_the_citizen_of_the_earlier_credential_sees_the_record_no_more(counter: Counter) -> None:
    """The number may have been somebody else's all the time: that is why it was changed."""
    card = await counter.person()
    new = same_birth_and_sex(counter, card.id_number)
    await changed(counter, card, line("credential", credential(new)))
    assert (await counter.get(f"persons/{card.id}", citizen(card.key))).status_code == 404
    assert (await counter.get(f"persons/{card.id}", citizen(key_of(counter, new)))).status_code == 200


async def test_a_credential_that_carries_another_birth_date_takes_it_along(counter: Counter) -> None:
    card, other = await counter.person(), counter.people.person("370402")
    case = await applied(counter, await form(counter, card, line("credential", credential(other.id_number))))
    assert {item["code"] for item in case["notice"]} <= {"credential_disagrees"}
    assert case["notice"]
    passport = line("credential", credential("E12345678", CredentialType.PASSPORT))
    await changed(counter, card, passport)
    told = await read(counter, card)
    assert (told["credential"]["number"], told["version"]) == ("E12345678", 2)


async def test_a_credential_of_another_record_here_is_for_a_merge(counter: Counter) -> None:
    card = await counter.person()
    other = await counter.person(id_number=same_birth_and_sex(counter, card.id_number))
    case = await applied(counter, await form(counter, card, line("credential", credential(other.id_number))))
    (fault,) = case["notice"]
    assert fault["code"] == "two_records_of_one_person"
    assert other.id in fault["message"]


async def test_the_same_credential_elsewhere_is_the_same_person_unless_enrolled_twice(
    counter: Counter,
) -> None:
    card = await counter.person()
    new = same_birth_and_sex(counter, card.id_number)
    elsewhere = await counter.person(YANTAI, id_number=new)
    enrolment = await counter.enrol(elsewhere, since="2025-01-01")
    await counter.enrol(card)
    change = line("credential", credential(new))
    case = await applied(counter, await form(counter, card, change))
    (fault,) = case["notice"]
    assert (fault["code"], "烟台市" in fault["message"]) == ("already_enrolled", True)
    await counter.stop(enrolment)
    assert (await changed(counter, card, change))["status"] == "completed"


async def test_while_a_transfer_is_under_way_the_credential_stays(counter: Counter) -> None:
    card = await counter.insured(["2025-01"])
    await counter.deliver(accepted(card))
    new = same_birth_and_sex(counter, card.id_number)
    case = await applied(counter, await form(counter, card, line("credential", credential(new))))
    assert [item["code"] for item in case["notice"]] == ["transfer_under_way"]


async def test_facts_that_come_late_for_the_earlier_key_find_the_person(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card, since="2026-03-01")
    new = same_birth_and_sex(counter, card.id_number)
    await changed(counter, card, line("credential", credential(new)))
    await counter.deliver(received(card, 10_000), times=2)
    assert await counter.rows("SELECT person_key FROM transfers") == [(key_of(counter, new),)]
    await counter.deliver(taken_up(card, 10_000, [period("2024-01", "2024-03", 3)]), times=2)
    account = (await counter.get(f"persons/{card.id}/account")).json()
    assert account["balance_yuan"] == "100.00"


async def test_a_citizen_changes_own_data_at_once_and_nobody_else_s(counter: Counter) -> None:
    card, other = await counter.person(), await counter.person()
    body = await form(counter, card, TELEPHONE, papers=()) | {"channel": "mini_program"}
    assert (await applied(counter, body, citizen(card.key)))["status"] == "completed"
    body["payload"]["people"] = (await form(counter, other, TELEPHONE))["payload"]["people"]
    answer = await apply(counter, body, citizen(card.key))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_own")


async def test_the_employer_s_agent_changes_its_own_people_only(counter: Counter) -> None:
    employer, agent = await counter.employer(), await counter.person()
    card, stranger = await counter.person(), await counter.person()
    body = {
        "person_id": card.id,
        "insurance_kind": "310",
        "person_kind": "employee",
        "employer_id": employer["id"],
        "started_on": "2025-01-01",
    }
    await counter.done("enrolments", body)
    wage = line("declared-wage", "6500.00")
    told = await form(counter, card, wage, papers=(), employer_credit_code=employer["credit_code"])
    told |= {"channel": "online", "applicant": (await form(counter, agent, wage))["applicant"]}
    answer = await apply(counter, told, citizen(agent.key))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_agent")
    async with counter.resources.database.transaction(("*",)) as session:
        from sqlalchemy import text

        await session.execute(text("UPDATE employers SET agent_key = :key"), {"key": agent.key})
    assert (await applied(counter, told, citizen(agent.key)))["status"] == "completed"
    assert await counter.rows("SELECT declared_wage_fen FROM enrolments") == [(650_000,)]
    told["payload"]["people"] = (await form(counter, stranger, wage))["payload"]["people"]
    case = await applied(counter, told, citizen(agent.key))
    assert [item["code"] for item in case["notice"]] == ["not_employee"]


async def test_hubei_s_residents_are_suspended_and_terminated_by_the_same_form(counter: Counter) -> None:
    for business, row, reason in (
        ("suspend", {"last_day": "2026-02-28"}, "interrupted"),
        ("terminate", {"last_day": "2026-02-28", "reason": "gave_up"}, "gave_up"),
    ):
        card = await counter.person(WUHAN)
        await counter.enrol(card, kind="390", person_kind="resident")
        body = await form(counter, card, kind="resident_change", row=row, business=business)
        assert (await applied(counter, body))["status"] == "completed"
        assert (await published(counter.resources, EnrolmentStopped))[-1].reason == reason


async def test_where_the_edition_knows_no_suspension_it_is_told(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card, kind="390", person_kind="resident")
    row = {"last_day": "2026-02-28"}
    case = await applied(
        counter, await form(counter, card, kind="resident_change", row=row, business="suspend")
    )
    assert [item["code"] for item in case["notice"]] == ["business_not_offered"]


@pytest.mark.parametrize("region", [YANTAI, ZAOZHUANG, WUHAN])
async def test_what_is_key_information_is_the_catalogue_s_or_its_province_s(
    counter: Counter, region: str
) -> None:
    """烟台's item for residents states none: its province's list does."""
    card = await counter.person(region)
    case = await applied(counter, await form(counter, card, line("name", "王改名"), kind="resident_change"))
    assert case["status"] == "submitted"
    address = line("address", "户籍地址一号")
    case = await applied(counter, await form(counter, card, address, kind="resident_change"))
    assert case["status"] == "completed"


async def test_before_and_after_are_kept_sealed_and_opened_for_whom_they_concern(counter: Counter) -> None:
    card = await counter.person()
    before = await read(counter, card)
    case = await changed(counter, card, TELEPHONE, line("name", "王改名"))
    stored = str(await counter.rows("SELECT before, after FROM changes"))
    assert not [text for text in ("王改名", "19900001234", before["name"]) if text in stored]
    path = f"persons/{card.id}/history"
    for reader in (REVIEWER, officer(ZAOZHUANG, Role.AUDITOR), citizen(card.key)):
        page = (await counter.get(path, reader)).json()
        items = {item["item"]: (item["before"], item["after"]) for item in page["items"][0]["items"]}
        assert page["items"][0]["reason"] == case["case_no"]
        assert items == {
            "telephone": (before["telephone"], "19900001234"),
            "name": (before["name"], "王改名"),
        }
    page = (await counter.get(path)).json()
    assert (page["opened"], page["items"][0]["items"][0]["after"]) == (False, None)
    assert (await counter.get(path, citizen("0" * 64))).status_code == 404
    assert (await counter.get(path, clerk_of(YANTAI))).status_code == 404


async def test_the_region_s_records_are_listed_page_by_page_for_auditors(counter: Counter) -> None:
    ids = [(await counter.person()).id for _ in range(3)]
    await counter.person(YANTAI)
    auditor = officer(ZAOZHUANG, Role.AUDITOR)
    path = f"persons?region_code={ZAOZHUANG}&page_size=2"
    page = (await counter.get(path, auditor)).json()
    rest = (await counter.get(f"{path}&cursor={page['next_cursor']}", auditor)).json()
    assert [item["id"] for item in page["items"] + rest["items"]] == ids
    assert rest["next_cursor"] is None
    assert "*" in page["items"][0]["credential_masked"]
    assert (await counter.get(path)).status_code == 403
    assert (await counter.get(path, officer(YANTAI, Role.AUDITOR))).status_code == 403
