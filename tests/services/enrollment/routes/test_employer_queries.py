"""参保单位参保信息查询: lists, one employer, its people by the page, and the printed document."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import event, make_url, text

from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from services.enrollment.repository.employers import page_of_enrolments
from tests.services.enrollment.applications import Applicant, application, applied, apply
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter, clerk_of
from tests.services.enrollment.employer_applications import QUERY_ITEM, company, hired, new, registration
from tests.support.statements import assert_statements
from tests.support.tokens import citizen, officer, system

STRANGER = "0" * 64
MANY = 3_000


async def with_agent(counter: Counter) -> tuple[dict[str, Any], dict[str, str]]:
    """An employer as its answer shows it, and its agent signed in."""
    form = new(counter, company(counter))
    await applied(counter, registration(counter, form))
    ((employer_id,),) = await counter.rows("SELECT id::text FROM employers WHERE agent_key IS NOT NULL")
    number = form["agent"]["credential"]["credential_no"]
    agent = counter.resources.protector.blind_index(f"resident_id:{number}")
    told = (await counter.get(f"employers/{employer_id}", officer(ZAOZHUANG, Role.REVIEWER))).json()
    return told, citizen(agent)


async def test_employers_are_found_by_part_of_the_name_by_code_and_by_state(counter: Counter) -> None:
    names = ["枣庄甲一有限公司", "枣庄乙一有限公司", "枣庄100%有限公司"]
    made = {}
    for name in names:
        body = {"region_code": ZAOZHUANG, "credit_code": company(counter).credit_code, "name": name}
        made[name] = await counter.done("employers", body)
    await counter.employer(YANTAI)

    async def found(query: str) -> list[str]:
        answer = await counter.get(f"employers?region_code={ZAOZHUANG}&{query}")
        assert answer.status_code == 200, answer.text
        return [item["name"] for item in answer.json()["items"]]

    assert set(await found("")) == set(names)
    assert await found("name=甲一") == [names[0]]
    assert await found("name=0%25") == [names[2]]
    assert await found(f"credit_code={made[names[1]]['credit_code']}") == [names[1]]
    assert await found("state=suspended") == []


async def test_a_list_goes_on_where_the_page_ended(counter: Counter) -> None:
    made = {(await counter.employer())["id"] for _ in range(5)}
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = (await counter.get(f"employers?region_code={ZAOZHUANG}&limit=2{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert (set(seen), len(seen), page["next_cursor"]) == (made, 5, None)


@pytest.mark.parametrize("path", ["employers?region_code=370400&cursor=x", "employers/{id}/people?cursor=x"])
async def test_a_cursor_that_is_none_is_told(counter: Counter, path: str) -> None:
    employer = await counter.employer()
    assert (await counter.get(path.format(id=employer["id"]))).status_code == 422
    odd = path.replace("cursor=x", "cursor=WyJhIiwgImIiXQ==").format(id=employer["id"])
    assert (await counter.get(odd)).status_code == 422


async def test_numbers_are_masked_but_for_reviewers_and_the_agent(counter: Counter) -> None:
    employer, agent = await with_agent(counter)
    card = await hired(counter, employer)
    clear = employer["particulars"]["legal_representative"]["credential_no"]
    for caller, in_full in (
        (officer(ZAOZHUANG, Role.REVIEWER), True),
        (agent, True),
        (clerk_of(ZAOZHUANG), False),
        (system("enrollment.read", regions=[ZAOZHUANG]), False),
    ):
        told = (await counter.get(f"employers/{employer['id']}", caller)).json()
        assert (told["particulars"]["legal_representative"]["credential_no"] == clear) is in_full
        number = told["particulars"]["agent"]["credential"]["credential_no"]
        assert ("*" not in number) is in_full
        assert ("*" not in told["particulars"]["bank_account"]["account_no"]) is in_full
        (item,) = (await counter.get(f"employers/{employer['id']}/people", caller)).json()["items"]
        assert (item["credential"]["number"] == card.id_number) is in_full


@pytest.mark.parametrize("path", ["", "/people"])
async def test_whoever_has_no_business_with_the_employer_learns_not_even_that_it_exists(
    counter: Counter, path: str
) -> None:
    employer, agent = await with_agent(counter)
    other, _ = await counter.employer(), await hired(counter, employer)
    at = f"employers/{employer['id']}{path}"
    for caller, status in (
        (agent, 200),
        (citizen(STRANGER), 404),
        (clerk_of(YANTAI), 404),
        (system("enrollment.read", regions=[YANTAI]), 404),
        (system("transfer.read"), 403),
        (officer(ZAOZHUANG), 403),
        *((officer(ZAOZHUANG, role), 200) for role in Role),
    ):
        assert (await counter.get(at, caller)).status_code == status
    assert (await counter.get(f"employers/{other['id']}{path}", agent)).status_code == 404


async def test_lists_are_the_region_s_officers(counter: Counter) -> None:
    at = f"employers?region_code={ZAOZHUANG}"
    for caller, status in (
        (clerk_of(ZAOZHUANG), 200),
        (system("enrollment.read", regions=[ZAOZHUANG]), 200),
        (clerk_of(YANTAI), 403),
        (citizen(STRANGER), 403),
        (officer(ZAOZHUANG), 403),
    ):
        assert (await counter.get(at, caller)).status_code == status


async def test_people_who_left_are_shown_where_asked_for(counter: Counter) -> None:
    employer = await counter.employer()
    card = await hired(counter, employer, "310", "510")
    form = {"registration_kind": "suspend", "credit_code": employer["credit_code"], "last_day": "2026-02-28"}
    await applied(counter, registration(counter, form))
    assert (await counter.get(f"employers/{employer['id']}/people")).json()["items"] == []
    items = (await counter.get(f"employers/{employer['id']}/people?state=all")).json()["items"]
    assert {(item["person_id"], item["stop_reason_name"]) for item in items} == {(card.id, "单位暂停参保")}
    assert {item["insurance_kind"] for item in items} == {"310", "510"}


async def crowd(counter: Counter, employer: dict[str, Any], people: int) -> None:
    """So many people enrolled with the employer, whose protected fields do not open."""
    card = await counter.person()
    source = {"source": card.id, "people": people, "employer": employer["id"]}
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        for statement in (
            """
            INSERT INTO persons (id, region_code, version, person_key, credential_type, credential, name,
                sex, birth_date, created_at)
            SELECT gen_random_uuid(), region_code, 1, lpad(g::text, 64, '0'), credential_type, credential,
                name, sex, birth_date, created_at
            FROM persons, generate_series(1, :people) g WHERE id = CAST(:source AS uuid)
            """,
            """
            INSERT INTO enrolments (id, region_code, version, person_id, person_key, insurance_kind,
                counts_as, person_kind, employer_id, started_on, created_at)
            SELECT gen_random_uuid(), region_code, 1, id, person_key, '310', 'basic', 'employee',
                CAST(:employer AS uuid), '2025-01-01', created_at
            FROM persons WHERE id <> CAST(:source AS uuid)
            """,
        ):
            names = {key: value for key, value in source.items() if f":{key}" in statement}
            await session.execute(text(statement), names)


def rows_read(plan: dict[str, Any]) -> float:
    """Rows the leaves of a plan have read, those thrown away included."""
    below = plan.get("Plans", [])
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return sum(map(rows_read, below)) if below else own * plan["Actual Loops"]


@pytest.mark.parametrize("state", ["active", "all"])
async def test_a_late_page_reads_no_more_rows_than_the_first(
    counter: Counter, postgres: EmbeddedPostgres, state: str
) -> None:
    employer = await counter.employer()
    await crowd(counter, employer, MANY)
    sent: list[tuple[str, tuple[Any, ...]]] = []

    def note(_: object, __: object, statement: str, parameters: tuple[Any, ...], *___: object) -> None:
        sent.append((statement, parameters))

    event.listen(counter.resources.database.engine.sync_engine, "before_cursor_execute", note)
    ordered = await counter.rows("SELECT person_id, id FROM enrolments ORDER BY person_id, id")
    for person, enrolment in (ordered[0], ordered[MANY // 2], ordered[-100]):
        async with counter.resources.database.transaction((ZAOZHUANG,)) as session:
            after, active = (person, enrolment), state == "active"
            page = await page_of_enrolments(session, UUID(employer["id"]), after, 51, active=active)
            assert len(page) == 51
    owned = await asyncpg.connect(postgres.url(make_url(counter.resources.database.url).database or ""))
    await owned.execute("ANALYZE enrolments")  # as autovacuum does soon after; the service may not
    pages = [one for one in sent if "FROM enrolments" in one[0] and "LIMIT" in one[0]]
    plans = [
        json.loads(await owned.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *parameters))
        for statement, parameters in pages
    ]
    await owned.close()
    assert [rows_read(plan[0]["Plan"]) for plan in plans] == [51, 51, 51], plans


async def test_only_the_page_s_people_are_read_in_few_statements(counter: Counter) -> None:
    employer = await counter.employer()
    # The protected fields open only for their own row: nobody beyond the page is opened.
    cards = [await hired(counter, employer, "310", "510") for _ in range(3)]
    await counter.rows(
        "UPDATE persons SET name = 'broken' WHERE id = CAST(:id AS uuid) RETURNING 1",
        id=max(card.id for card in cards),
    )
    path = f"employers/{employer['id']}/people?limit=4"
    with assert_statements(counter.resources.database.engine, 4):  # regions, employer, page, people
        page = (await counter.get(path)).json()
    assert [item["person_id"] for item in page["items"]] == sorted(card.id for card in cards for _ in "ab")[
        :4
    ]


async def query(
    counter: Counter, employer: dict[str, Any], caller: dict[str, str] | None = None
) -> dict[str, Any]:
    payload = {"kind": "employer_query", "credit_code": employer["credit_code"], "with_people": True}
    applicant = Applicant(counter.people.person("370402")).body()
    body = application(ZAOZHUANG, QUERY_ITEM, applicant, payload, "employer-proof")
    return await applied(counter, body, caller)


async def test_the_document_says_what_is_on_record(counter: Counter) -> None:
    employer, _ = await with_agent(counter)
    card = await hired(counter, employer, "310", "510")
    case = await query(counter, employer)
    assert case["status"] == "completed"
    path = f"/v1/applications/{case['case_no']}/documents"
    (document,) = (await counter.client.get(path, headers=clerk_of(ZAOZHUANG))).json()
    assert document["number"] == "3704002026000001"
    content = document["content"]
    assert (content["单位名称"], content["参保状态"]) == (employer["name"], "正常参保")
    assert [(line["险种"], line["人数"]) for line in content["在保人次"]] == [
        ("职工基本医疗保险", 1),
        ("生育保险", 1),
    ]
    assert [row["序号"] for row in content["在保人员"]] == [1, 2]
    assert card.id_number not in str(content)
    assert (await query(counter, employer))["status"] == "completed"
    numbers = await counter.rows("SELECT number FROM case_documents ORDER BY number")
    assert numbers == [("3704002026000001",), ("3704002026000002",)]


async def test_nobody_but_the_agent_asks_for_an_employer_online(counter: Counter) -> None:
    employer, _ = await with_agent(counter)
    applicant = Applicant(counter.people.person("370402")).body()
    payload = {"kind": "employer_query", "credit_code": employer["credit_code"]}
    body = application(ZAOZHUANG, QUERY_ITEM, applicant, payload, channel="online")
    own = counter.resources.protector.blind_index(f"resident_id:{applicant['credential_no']}")
    answer = await apply(counter, body, citizen(own))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_agent")
    unknown = {**body, "payload": {**payload, "credit_code": company(counter).credit_code}}
    unknown |= {"channel": "window", "materials": [{"key": "employer-proof"}]}
    case = await applied(counter, unknown)
    assert [item["code"] for item in case["notice"]] == ["no_employer"]


async def test_who_is_too_many_to_print_is_told(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    employer = await counter.employer()
    await hired(counter, employer, "310", "510")
    monkeypatch.setattr("services.enrollment.service.businesses.employer_queries.MOST_LISTED", 1)
    case = await query(counter, employer)
    assert [item["code"] for item in case["notice"]] == ["too_many_to_print"]
