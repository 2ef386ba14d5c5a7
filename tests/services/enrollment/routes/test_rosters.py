from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

import pytest

from libs.contracts.enrollment import EnrolmentStarted
from libs.webapp.callers import Role
from tests.libs.rosters.files import csv_file, xlsx_file
from tests.services.enrollment.changes import changed, credential, line, same_birth_and_sex
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter, accepted, clerk_of
from tests.services.enrollment.registry import (
    SCHOOL_HEADINGS,
    SINCE,
    Registry,
    pupils,
    row_of,
    school_file,
    worker_of,
)
from tests.services.enrollment.withdrawals import data_sharing
from tests.support.service import published
from tests.support.statements import assert_statements
from tests.support.tokens import citizen, officer, system


@pytest.fixture
def registry(counter: Counter) -> Registry:
    return Registry(counter)


@pytest.mark.parametrize("make", [csv_file, xlsx_file], ids=["csv", "xlsx"])
async def test_a_school_s_roster_enrols_its_pupils(registry: Registry, make: Any) -> None:
    people = pupils(120)
    content = make([row_of(person) for person in people], headings=SCHOOL_HEADINGS)
    told = await registry.finished(content, school="枣庄安宁小学（虚构）")
    assert (told["state"], told["rows_total"], told["rows_done"], told["enrolled"]) == (
        "finished",
        120,
        120,
        120,
    )
    facts = await published(registry.resources, EnrolmentStarted)
    assert len({fact.person_key for fact in facts}) == 120
    assert {(fact.insurance_kind, fact.person_kind) for fact in facts} == {("390", "student")}
    body = {"region_code": ZAOZHUANG, "credential": {"number": people[7].id_number}}
    headers = officer(ZAOZHUANG, Role.REVIEWER)
    answer = await registry.counter.client.post("/v1/enrollment/persons/search", json=body, headers=headers)
    person = answer.json()
    assert (person["name"], person["telephone"]) == (people[7].name, people[7].telephone)
    assert [(one["started_on"], one["person_kind"]) for one in person["enrolments"]] == [(SINCE, "student")]


async def test_every_row_s_outcome_is_told_and_the_error_file_holds_those_to_put_right(
    registry: Registry,
) -> None:
    good, named_wrong, broken, twice, known, elsewhere, employed = pupils(7)
    card = await registry.counter.person(id_number=known.id_number)
    await registry.counter.enrol(card, "390", "student", since="2025-09-01")
    made_up_name = (await registry.counter.get(f"persons/{card.id}")).json()["name"]
    other = await registry.counter.person(YANTAI, elsewhere.id_number)
    await registry.counter.enrol(other, "390", "resident", since="2025-01-01")
    wrong = await registry.counter.person(id_number=named_wrong.id_number)
    assert wrong.id
    content = csv_file(
        [
            row_of(good),
            row_of(named_wrong, name="别的名字"),
            row_of(broken, number=broken.id_number[:-1] + ("0" if broken.id_number[-1] != "0" else "1")),
            row_of(twice),
            row_of(twice),
            row_of(known, name=made_up_name),
            row_of(elsewhere),
            row_of(employed, sex="女" if employed.sex == "男" else "男", telephone="123"),
        ],
        headings=SCHOOL_HEADINGS,
    )
    told = await registry.finished(content)
    rows = {row["row_no"]: row for row in await registry.rows(told["id"])}
    assert {number: [fault["code"] for fault in row["faults"]] for number, row in rows.items()} == {
        2: [],
        3: ["name_disagrees"],
        4: ["credential"],
        5: [],
        6: ["double_in_file"],
        7: [],
        8: ["already_enrolled"],
        9: ["telephone"],
    }
    assert (told["enrolled"], told["already_enrolled"], told["refused"]) == (2, 1, 5)
    assert rows[7]["outcome"] == "already_enrolled"
    assert "烟台市" in rows[8]["faults"][0]["message"]
    assert {count["code"]: count["rows"] for count in told["fault_counts"]}["already_enrolled"] == 1
    answer = await registry.counter.get(f"rosters/{told['id']}/errors")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0][-2:] == ["行号", "错误原因"]
    assert [line[-2] for line in lines[1:]] == ["3", "4", "6", "8", "9"]
    assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_a_refused_row_leaves_no_trace_of_the_person(registry: Registry) -> None:
    (person,) = pupils(1)
    other = await registry.counter.person(YANTAI, person.id_number)
    await registry.counter.enrol(other, "390", "resident")
    told = await registry.finished(school_file([person]))
    assert told["refused"] == 1
    assert await registry.counter.rows("SELECT 1 FROM persons WHERE region_code = '370400'") == []


async def test_rules_of_single_enrolments_hold_for_every_row(registry: Registry) -> None:
    (person,) = pupils(1)
    row = row_of(person, type="护照", number="E12345678", sex="", born="")
    told = await registry.finished(csv_file([row], headings=SCHOOL_HEADINGS))
    (refused,) = await registry.rows(told["id"], "refused")
    assert [(fault["code"], fault["column"]) for fault in refused["faults"]] == [
        ("missing", "sex"),
        ("missing", "birth_date"),
    ]


async def test_everything_wrong_with_an_upload_is_told_before_anything_is_kept(registry: Registry) -> None:
    late = await registry.upload(school_file(pupils(1)), started_on="2026-04-01", employer_id=YANTAI_ID)
    assert late.status_code == 422
    assert [error["pointer"] for error in late.json()["errors"]] == [
        "/query/started_on",
        "/query/employer_id",
    ]
    headless = await registry.upload(csv_file([["x"]], headings=["联系电话", "电话"]))
    assert [error["code"] for error in headless.json()["errors"]] == [
        "heading_missing", "heading_missing", "heading_double",
    ]  # fmt: skip
    unsaid = await registry.upload(b"", kind="pupil", started_on="gestern", region_code=ZAOZHUANG)
    assert {error["pointer"] for error in unsaid.json()["errors"]} == {"/query/kind", "/query/started_on"}
    assert await registry.counter.rows("SELECT 1 FROM rosters") == []


YANTAI_ID = "01970000-0000-7000-8000-000000000000"


async def test_the_same_file_again_is_told_which_roster_it_is(registry: Registry) -> None:
    content = school_file(pupils(3))
    first = await registry.taken(content)
    again = await registry.upload(content)
    assert again.status_code == 409
    assert first in again.json()["detail"]
    await worker_of(registry.resources).work_off()
    assert (await registry.upload(content)).status_code == 409
    assert (await registry.upload(content, region_code=YANTAI)).status_code == 202


async def test_two_uploads_of_one_file_at_once_are_one_roster(registry: Registry) -> None:
    content = school_file(pupils(30))
    answers = await asyncio.gather(*(registry.upload(content) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]


async def test_a_repeat_of_the_upload_gets_the_same_answer(registry: Registry) -> None:
    content = school_file(pupils(3))
    first = await registry.upload(content, key="school-1")
    again = await registry.upload(content, key="school-1")
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await registry.upload(school_file(pupils(4)), key="school-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_the_file_s_name_is_told_back_without_its_folder(registry: Registry) -> None:
    for number, (sent, kept) in enumerate(
        {"C:\\表\\一 班.xlsx": "一 班.xlsx", "../a\n.csv": "a.csv", "": "未命名"}.items()
    ):
        answer = await registry.upload(school_file(pupils(1, seed=number)), file_name=sent)
        assert answer.json()["file_name"] == kept


async def test_progress_waits_for_something_newer(registry: Registry) -> None:
    roster_id = await registry.taken(school_file(pupils(60)))
    seen = await registry.seen(roster_id)
    assert (seen["state"], seen["rows_total"], seen["rows_done"]) == ("ready", 60, 0)
    query = f"rosters/{roster_id}?after_version={seen['version']}"
    watch = asyncio.create_task(registry.counter.get(f"{query}&wait_s=20"))
    await worker_of(registry.resources).work_off()
    newer = (await watch).json()
    assert newer["version"] > seen["version"]
    unchanged = await registry.counter.get(f"rosters/{roster_id}?after_version=999&wait_s=1")
    assert unchanged.headers["ETag"] == f'"{unchanged.json()["version"]}"'
    assert unchanged.json()["state"] == "finished"
    for bad in ("after_version=x", "wait_s=26", "after_version=-1"):
        assert (await registry.counter.get(f"rosters/{roster_id}?{bad}")).status_code == 422


async def test_the_error_file_comes_when_all_rows_are_done(registry: Registry) -> None:
    roster_id = await registry.taken(school_file(pupils(1)))
    assert (await registry.counter.get(f"rosters/{roster_id}/errors")).status_code == 409


async def test_rosters_are_listed_newest_first(registry: Registry) -> None:
    ids = [await registry.taken(school_file(pupils(1, seed=seed))) for seed in range(3)]
    first = (await registry.counter.get(f"rosters?region_code={ZAOZHUANG}&limit=2")).json()
    second = await registry.counter.get(
        f"rosters?region_code={ZAOZHUANG}&limit=2&cursor={first['next_cursor']}"
    )
    assert [one["id"] for one in first["items"] + second.json()["items"]] == ids[::-1]
    for cursor in ("x", "WyIyMDI2IiwieCJd"):
        bad = await registry.counter.get(f"rosters?region_code={ZAOZHUANG}&cursor={cursor}")
        assert bad.status_code == 422


async def test_an_employer_s_roster_enrols_with_the_wage_declared(registry: Registry) -> None:
    employer = await registry.counter.employer()
    made_up = registry.counter.people
    adult, child = made_up.person("370402"), made_up.person("370402", born=(2014, 2015))
    headings = ["姓名", "证件号码", "申报工资", "变更类别"]
    rows = [[one.name, one.id_number, "4500.50", "增加"] for one in (adult, child)]
    rows.append([adult.name, made_up.person("370402").id_number, "4500", "终止"])
    content = xlsx_file(rows, headings=headings)
    without = await registry.upload(content, kind="employee")
    assert [error["code"] for error in without.json()["errors"]] == ["no_employer"]
    told = await registry.finished(content, kind="employee", employer_id=employer["id"])
    assert (told["enrolled"], told["refused"]) == (1, 2)
    faults = [
        [fault["code"] for fault in row["faults"]] for row in await registry.rows(told["id"], "refused")
    ]
    assert faults == [["too_young"], ["choice"]]
    query = "SELECT insurance_kind, person_kind, employer_id::text, declared_wage_fen FROM enrolments"
    assert await registry.counter.rows(query) == [("310", "employee", employer["id"], 450050)]


async def test_a_relation_on_its_way_out_stands_against_a_new_one(registry: Registry) -> None:
    card = await registry.counter.insured(["2025-01"])
    await registry.counter.deliver(accepted(card))
    employer = await registry.counter.employer()
    name = (await registry.counter.get(f"persons/{card.id}")).json()["name"]
    content = csv_file(
        [[name, card.id_number, "4500", "增加"]], headings=["姓名", "证件号码", "申报工资", "变更类别"]
    )
    told = await registry.finished(content, kind="employee", employer_id=employer["id"])
    (row,) = await registry.rows(told["id"])
    assert [fault["code"] for fault in row["faults"]] == ["transfer_under_way"]
    assert row["person_id"] == card.id


async def test_what_a_roster_tells_of_a_known_person_is_kept_and_noted(registry: Registry) -> None:
    (person,) = pupils(1)
    card = await registry.counter.person(id_number=person.id_number)
    name = (await registry.counter.get(f"persons/{card.id}")).json()["name"]
    content = csv_file([[name, person.id_number, "低保"]], headings=["姓名", "证件号码", "财政补助对象"])
    told = await registry.finished(content)
    assert told["enrolled"] == 1
    assert await registry.counter.rows("SELECT subsidy_kind, version FROM persons") == [
        ("minimum_living_allowance", 2)
    ]
    query = "SELECT before, after FROM changes WHERE subject_kind = 'person' AND version = 2"
    assert await registry.counter.rows(query) == [
        ({"subsidy_kind": None}, {"subsidy_kind": "minimum_living_allowance"})
    ]


CALLERS = {
    "clerk": (officer(ZAOZHUANG, Role.CLERK), 202, 200, 200),
    "reviewer": (officer(ZAOZHUANG, Role.REVIEWER), 202, 200, 200),
    "writing system": (system("enrollment.write", "enrollment.read", regions=[ZAOZHUANG]), 202, 200, 200),
    "reading system": (system("enrollment.read", regions=[ZAOZHUANG]), 403, 200, 403),
    "auditor": (officer(ZAOZHUANG, Role.AUDITOR), 403, 200, 403),
    "foreign clerk": (clerk_of(YANTAI), 403, 404, 404),
    "citizen": (citizen("0" * 64), 403, 403, 403),
}


@pytest.mark.parametrize("who", CALLERS)
async def test_who_may_upload_look_and_download(registry: Registry, who: str) -> None:
    caller, upload, look, download = CALLERS[who]
    roster_id = (await registry.finished(school_file(pupils(1))))["id"]
    answer = await registry.upload(school_file(pupils(1, seed=2)), caller=caller)
    assert answer.status_code == upload
    for path in (f"rosters/{roster_id}", f"rosters/{roster_id}/rows"):
        assert (await registry.counter.get(path, caller)).status_code == look
    assert (await registry.counter.get(f"rosters/{roster_id}/errors", caller)).status_code == download


async def test_nothing_personal_stands_in_clear_text(registry: Registry) -> None:
    (person, other) = pupils(2)
    content = csv_file([row_of(person), row_of(other, number="1.2E+17")], headings=SCHOOL_HEADINGS)
    await registry.finished(content, file_name=f"{person.name}.csv")
    tables = ("rosters", "roster_files", "roster_rows", "persons", "enrolments", "changes", "outbox")
    for table in tables:
        rows = await registry.counter.rows(f"SELECT {table}::text FROM {table}")
        everything = "".join(row[0] for row in rows)
        for secret in (person.name, person.id_number, person.telephone, other.name):
            assert secret not in everything, table
            assert secret.encode().hex() not in everything, table


async def test_a_chunk_takes_a_dozen_statements_whatever_its_size(registry: Registry) -> None:
    await registry.taken(school_file(pupils(40)))
    with assert_statements(registry.resources.database.engine, at_most=23) as sent:
        await worker_of(registry.resources, chunk_rows=1000).work_off()
    # Two to take it, two to open it, one to see that none is left; with their regions set.
    assert len([statement for statement in sent if "set_config" not in statement]) <= 18


async def test_another_region_s_login_sees_no_roster(registry: Registry) -> None:
    await registry.finished(school_file(pupils(2)))
    for table in ("rosters", "roster_files", "roster_rows"):
        assert await registry.counter.rows(f"SELECT 1 FROM {table}", regions=(YANTAI,)) == []
        assert await registry.counter.rows(f"SELECT 1 FROM {table}", regions=(ZAOZHUANG,))


async def test_an_earlier_number_and_the_dead_are_refused_row_by_row(registry: Registry) -> None:
    renumbered, dead = pupils(2)
    counter = registry.counter
    card = await counter.person(id_number=renumbered.id_number)
    new = same_birth_and_sex(counter, renumbered.id_number)
    await changed(counter, card, line("credential", credential(new)), kind="resident_change")
    gone = await counter.person(id_number=dead.id_number)
    told = {"credential_type": "resident_id", "credential_no": dead.id_number}
    notice = {"credential": told, "deceased_on": "2026-02-20", "source": "公安", "reference": "GA-1"}
    await counter.done("death-notices", {"notices": [notice]}, data_sharing())
    names = [(await counter.get(f"persons/{one.id}")).json()["name"] for one in (card, gone)]
    people = zip((renumbered, dead), names, strict=True)
    content = csv_file([row_of(one, name=name) for one, name in people], headings=SCHOOL_HEADINGS)
    rows = await registry.rows((await registry.finished(content))["id"])
    assert [[fault["code"] for fault in row["faults"]] for row in rows] == [["merged"], ["deceased"]]
    assert "已变更" in rows[0]["faults"][0]["message"]
    assert await counter.rows("SELECT count(*) FROM persons") == [(2,)]
