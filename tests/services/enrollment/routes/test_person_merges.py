"""两条档案合并: one request, two people, one transaction."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from libs.contracts.enrollment import PersonsMerged
from libs.ledger.verification import verify
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from tests.services.enrollment.applications import applied
from tests.services.enrollment.changes import changed, credential, form, key_of, line, same_birth_and_sex
from tests.services.enrollment.counter import (
    YANTAI,
    ZAOZHUANG,
    Card,
    Counter,
    accepted,
    cancelled,
    clerk_of,
    contributions,
    period,
    received,
    taken_up,
)
from tests.services.enrollment.withdrawals import data_sharing
from tests.support.service import published
from tests.support.tokens import officer

CLERK = officer(ZAOZHUANG, Role.CLERK, Role.REVIEWER, subject="clerk")
REVIEWER = officer(ZAOZHUANG, Role.REVIEWER, subject="reviewer")


def asking(keep: Card, merge: Card) -> dict[str, Any]:
    evidence = [{"name": "户口簿复印件", "content_digest": "0" * 64}]
    return {"keep_id": keep.id, "merge_id": merge.id, "evidence": evidence, "reason": "换证后重复建档"}


async def pending(counter: Counter, keep: Card, merge: Card) -> dict[str, Any]:
    return await counter.done("person-merges", asking(keep, merge), CLERK)


async def decide(
    counter: Counter, request: dict[str, Any], caller: dict[str, str] | None = None
) -> httpx.Response:
    return await counter.post(f"person-merges/{request['id']}/approve", {}, caller or REVIEWER)


async def merged(counter: Counter, keep: Card, merge: Card) -> dict[str, Any]:
    answer = await decide(counter, await pending(counter, keep, merge))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def twice_recorded(counter: Counter) -> tuple[Card, Card]:
    """Somebody with two records: 2025-01 to 03 on one, 2025-03 to 05 on the other, both stopped."""
    keep = await counter.insured(["2025-01", "2025-02", "2025-03"], account="100.10")
    merge = await counter.person(id_number=same_birth_and_sex(counter, keep.id_number))
    enrolment = await counter.enrol(merge)
    await counter.contribute(merge, ["2025-03", "2025-04", "2025-05"], account="50.05")
    await counter.stop(enrolment)
    return keep, merge


async def test_enrolments_months_and_money_go_over(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    told = await merged(counter, keep, merge)
    assert told["state"] == "approved"
    assert (told["effects"]["months_moved"], told["effects"]["account_yuan"]) == (2, {"310": "150.15"})
    (double,) = told["double_months"]
    assert (double["month"], double["stays"]["account_yuan"]) == ("2025-03", "100.10")
    assert double["counts_no_more"]["account_yuan"] == "50.05"
    file = (await counter.get(f"persons/{keep.id}")).json()
    assert len(file["enrolments"]) == 2
    record = (await counter.get(f"persons/{keep.id}/contributions")).json()
    assert record["months_counted"] == 5
    account = (await counter.get(f"persons/{keep.id}/account")).json()
    assert account["balance_yuan"] == "450.45"
    accounts = await counter.rows(
        "SELECT owner, state FROM ledger_accounts WHERE kind = 'personal_account' ORDER BY opened_at"
    )
    assert accounts == [(keep.id, "open"), (merge.id, "closed")]
    postings = "SELECT count(*) FROM ledger_transactions WHERE purpose = 'persons_merged'"
    assert await counter.rows(postings) == [(1,)]
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        assert await verify(session) == []


async def test_it_is_told_to_the_others_and_kept_in_the_history(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    request = await merged(counter, keep, merge)
    (fact,) = await published(counter.resources, PersonsMerged)
    assert (fact.kept_id, fact.merged_id, fact.merged_person_key) == (keep.id, merge.id, merge.key)
    page = (await counter.get(f"persons/{keep.id}/history", REVIEWER)).json()
    latest = {item["item"]: item["after"] for item in page["items"][0]["items"]}
    assert latest["merged"] == merge.id
    assert latest["effects"]["double_months"][0]["month"] == "2025-03"
    assert page["items"][0]["reason"].endswith(request["id"])
    assert {entry["person_id"] for entry in page["items"]} == {keep.id, merge.id}


async def test_every_look_up_of_the_merged_record_answers_with_the_kept_one(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    await merged(counter, keep, merge)
    assert (await counter.get(f"persons/{merge.id}")).json()["id"] == keep.id
    assert (await counter.get(f"persons/{merge.id}/account")).json()["balance_yuan"] == "450.45"
    search = {"region_code": ZAOZHUANG, "credential": {"number": merge.id_number}}
    found = await counter.client.post(
        "/v1/enrollment/persons/search", json=search, headers=clerk_of(ZAOZHUANG)
    )
    assert found.json()["id"] == keep.id
    again = await counter.post(
        "persons",
        {"region_code": ZAOZHUANG, "credential": {"number": merge.id_number}, "name": "王某"},
    )
    assert (again.status_code, keep.id in again.json()["errors"][0]["message"]) == (409, True)


async def test_nothing_is_written_to_the_merged_record(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    case = await applied(counter, await form(counter, merge, line("telephone", "19900001234")) | {})
    assert case["status"] == "completed"
    told = await form(counter, merge, line("telephone", "19900001235"))
    await merged(counter, keep, merge)
    new = {
        "person_id": merge.id,
        "insurance_kind": "310",
        "person_kind": "flexible_worker",
        "started_on": "2026-03-01",
    }
    for answer in (
        await counter.post("enrolments", new),
        await counter.post("contributions", contributions(merge, ["2025-06"])),
        await counter.post("person-merges", asking(merge, keep), CLERK),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "record_merged")
        assert keep.id in answer.json()["detail"]
    case = await applied(counter, told)
    assert [item["code"] for item in case["notice"]] == ["earlier_credential"]


async def test_whoever_asked_does_not_decide(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    request = await pending(counter, keep, merge)
    answer = await decide(counter, request, CLERK)
    assert (answer.status_code, answer.json()["code"]) == (403, "maker_checker")
    assert (await decide(counter, request, clerk_of(ZAOZHUANG))).status_code == 403
    assert (await counter.post("person-merges", asking(keep, merge), REVIEWER)).status_code == 403


async def test_a_rejected_request_changes_nothing_and_may_be_made_again(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    request = await pending(counter, keep, merge)
    assert (await counter.post("person-merges", asking(keep, merge), CLERK)).status_code == 409
    path = f"person-merges/{request['id']}"
    rejected = await counter.done(f"{path}/reject", {"reason": "佐证不足"}, REVIEWER)
    assert (rejected["state"], rejected["decision_reason"]) == ("rejected", "佐证不足")
    assert (await decide(counter, request)).json()["code"] == "merge_decided"
    assert (await counter.get(f"persons/{merge.id}")).json()["id"] == merge.id
    assert (await pending(counter, keep, merge))["state"] == "pending"


async def test_every_reason_against_it_is_told_at_once(counter: Counter) -> None:
    keep = await counter.insured(["2025-01"])
    merge = await counter.person(id_number=same_birth_and_sex(counter, keep.id_number))
    await counter.enrol(merge, since="2026-03-01")
    await counter.enrol(keep, kind="390", person_kind="resident", since="2026-03-01")
    await counter.deliver(accepted(keep))
    answer = await counter.post("person-merges", asking(keep, merge), CLERK)
    assert answer.status_code == 409
    assert [(error["code"], error["pointer"]) for error in answer.json()["errors"]] == [
        ("both_active", "/merge_id"),
        ("transfer_under_way", "/keep_id"),
        ("account_on_hold", "/keep_id"),
    ]


async def test_what_came_up_since_the_request_stands_against_the_approval(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    request = await pending(counter, keep, merge)
    await counter.deliver(accepted(merge))
    assert (await counter.get(f"person-merges/{request['id']}")).json()["obstacles"]
    answer = await decide(counter, request)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_mergeable")
    assert (await counter.get(f"persons/{merge.id}")).json()["id"] == merge.id
    await counter.deliver(cancelled(merge))
    assert (await decide(counter, request)).status_code == 200


def died(card: Card, on: str) -> dict[str, Any]:
    told = {"credential_type": "resident_id", "credential_no": card.id_number}
    return {"credential": told, "deceased_on": on, "source": "公安", "reference": "GA-1"}


async def test_nobody_dead_goes_on_insured_under_the_other_record(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    await counter.enrol(keep, since="2026-03-01")
    await counter.done("death-notices", {"notices": [died(merge, "2026-02-20")]}, data_sharing())
    answer = await counter.post("person-merges", asking(keep, merge), CLERK)
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["code"], fault["pointer"]) == (409, "deceased_and_insured", "/keep_id")


async def test_a_death_goes_over_and_may_be_revoked(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    (told,) = await counter.done("death-notices", {"notices": [died(merge, "2026-02-20")]}, data_sharing())
    await merged(counter, keep, merge)
    (again,) = await counter.done("death-notices", {"notices": [died(keep, "2026-02-20")]}, data_sharing())
    (notice,) = told["notices"]
    assert (again["outcome"], [one["id"] for one in again["notices"]]) == ("known", [notice["id"]])
    path = f"death-notices/{notice['id']}/revoke"
    await counter.done(path, {"reason": "同名误报"}, CLERK)
    await counter.done(f"{path}/confirm", {}, REVIEWER)
    assert await counter.rows("SELECT deceased_on FROM persons WHERE merged_into IS NULL") == [(None,)]


async def test_records_of_two_regions_are_not_merged(counter: Counter) -> None:
    keep = await counter.person()
    there = await counter.person(YANTAI, id_number=keep.id_number)
    both = officer(ZAOZHUANG, Role.CLERK)
    assert (await counter.post("person-merges", asking(keep, there), both)).status_code == 404
    assert (await counter.post("person-merges", asking(keep, keep), both)).status_code == 422


async def test_facts_for_the_merged_key_reach_the_kept_record(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    await merged(counter, keep, merge)
    await counter.deliver(received(merge, 1_000), times=2)
    await counter.deliver(taken_up(merge, 1_000, [period("2024-05", "2024-06", 2)]), times=2)
    account = (await counter.get(f"persons/{keep.id}/account")).json()
    assert account["balance_yuan"] == "460.45"
    assert (await counter.get(f"persons/{keep.id}/contributions")).json()["months_counted"] == 7


async def test_the_kept_record_may_take_the_merged_one_s_credential(counter: Counter) -> None:
    """两条档案 come of a changed credential: often the newer record bears the right one."""
    keep, merge = await twice_recorded(counter)
    await merged(counter, keep, merge)
    await changed(counter, keep, line("credential", credential(merge.id_number)))
    keys = dict(await counter.rows("SELECT id::text, person_key FROM persons"))
    assert keys == {keep.id: merge.key, merge.id: keep.key}
    for number in (keep.id_number, merge.id_number):
        search = {"region_code": ZAOZHUANG, "credential": {"number": number}}
        found = await counter.client.post(
            "/v1/enrollment/persons/search", json=search, headers=clerk_of(ZAOZHUANG)
        )
        assert found.json()["id"] == keep.id


async def test_merged_records_lead_to_the_last_one_in_one_step(counter: Counter) -> None:
    first, second = await twice_recorded(counter)
    third = await counter.person(id_number=same_birth_and_sex(counter, second.id_number))
    await changed(counter, first, line("credential", credential(passport_like(counter, first))))
    card = Card(first.id, key_of(counter, passport_like(counter, first)), "", ZAOZHUANG)
    await merged(counter, second, card)
    await merged(counter, third, second)
    assert (await counter.get(f"persons/{first.id}")).json()["id"] == third.id
    aliases = await counter.rows("SELECT DISTINCT person_id::text FROM person_aliases")
    assert aliases == [(third.id,)]


def passport_like(counter: Counter, card: Card) -> str:
    """Yet another number of the same person."""
    number = card.id_number
    for _ in range(5):
        number = same_birth_and_sex(counter, number)
    return number


@pytest.mark.parametrize("meanwhile", ["contribution", "enrolment"])
async def test_what_is_recorded_at_the_same_moment_is_neither_lost_nor_doubled(
    counter: Counter, meanwhile: str
) -> None:
    """Before the merge it goes over, after it it is refused: never stranded on the merged record."""
    keep, merge = await twice_recorded(counter)
    request = await pending(counter, keep, merge)
    writes = {
        "contribution": ("contributions", contributions(merge, ["2025-06", "2025-07"], "10.00")),
        "enrolment": (
            "enrolments",
            {
                "person_id": merge.id,
                "insurance_kind": "390",
                "person_kind": "resident",
                "started_on": "2026-03-01",
            },
        ),
    }
    path, body = writes[meanwhile]
    decision, written = await asyncio.gather(decide(counter, request), counter.post(path, body))
    assert decision.status_code == 200
    assert written.status_code in (201, 409)
    was_first = written.status_code == 201
    stranded = """
        SELECT count(*) FROM (SELECT person_id FROM enrolments UNION ALL
            SELECT person_id FROM contribution_months WHERE month <> '2025-03') AS own
        WHERE person_id = :merged
    """
    assert await counter.rows(stranded, merged=merge.id) == [(0,)]
    account = (await counter.get(f"persons/{keep.id}/account")).json()
    extra = 20 if was_first and meanwhile == "contribution" else 0
    assert account["balance_yuan"] == f"{450 + extra}.45"
    enrolled = (await counter.get(f"persons/{keep.id}")).json()["enrolments"]
    assert len(enrolled) == 2 + (was_first and meanwhile == "enrolment")
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        assert await verify(session) == []


async def test_two_decisions_at_once_merge_once(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    request = await pending(counter, keep, merge)
    answers = await asyncio.gather(
        decide(counter, request), decide(counter, request, officer(ZAOZHUANG, Role.REVIEWER, subject="x"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert (await counter.get(f"persons/{keep.id}/account")).json()["balance_yuan"] == "450.45"


async def test_two_records_that_are_to_end_in_one_another_end_in_one(counter: Counter) -> None:
    one, other = await twice_recorded(counter)
    requests = [await pending(counter, one, other), await pending(counter, other, one)]
    answers = await asyncio.gather(*(decide(counter, request) for request in requests))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await counter.rows("SELECT count(*) FROM persons WHERE merged_into IS NULL") == [(1,)]


async def test_requests_are_listed_for_their_region(counter: Counter) -> None:
    keep, merge = await twice_recorded(counter)
    request = await pending(counter, keep, merge)
    assert request["double_months"]
    assert request["differences"] == ["姓名", "联系电话"]
    page = (await counter.get(f"person-merges?region_code={ZAOZHUANG}&state=pending")).json()
    assert [item["id"] for item in page["items"]] == [request["id"]]
    assert (await counter.get(f"person-merges/{request['id']}", clerk_of(YANTAI))).status_code == 404
    assert await counter.rows("SELECT count(*) FROM person_merges", regions=(YANTAI,)) == [(0,)]
