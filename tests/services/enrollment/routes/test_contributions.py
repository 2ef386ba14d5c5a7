from __future__ import annotations

import asyncio
from typing import Any

from tests.services.enrollment.counter import ZAOZHUANG, Counter, accepted, clerk_of, contributions
from tests.support.tokens import once

MONTHS = ["2025-01", "2025-02", "2025-04"]


async def test_months_are_recorded_and_their_part_credited(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card)
    told = await counter.contribute(card, MONTHS, account="123.45")
    assert told["recorded_months"] == MONTHS
    assert (told["credited_yuan"], told["balance_yuan"]) == ("370.35", "370.35")
    assert await counter.balances(ZAOZHUANG) == {"bank_mirror": -37035, "personal_account": 37035}


async def test_the_account_shows_balance_and_statement_in_pages(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card)
    await counter.contribute(card, MONTHS, account="100.00")
    first = (await counter.get(f"persons/{card.id}/account?limit=2")).json()
    assert (first["balance_yuan"], first["held_yuan"], first["version"]) == ("300.00", "0.00", 3)
    assert [line["balance_after_yuan"] for line in first["lines"]] == ["100.00", "200.00"]
    assert first["lines"][0]["purpose_name"] == "缴费划入个人账户"
    cursor = first["next_cursor"]
    second = (await counter.get(f"persons/{card.id}/account?limit=2&cursor={cursor}")).json()
    assert [line["balance_after_yuan"] for line in second["lines"]] == ["300.00"]
    assert second["next_cursor"] is None
    assert (await counter.get(f"persons/{card.id}/account?cursor=bm9uc2Vuc2U=")).status_code == 422


async def test_a_person_without_an_account_has_nothing(counter: Counter) -> None:
    card = await counter.person()
    told = (await counter.get(f"persons/{card.id}/account")).json()
    assert (told["balance_yuan"], told["lines"], told["next_cursor"]) == ("0.00", [], None)


async def test_the_record_shows_every_month_and_its_periods(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card)
    await counter.contribute(card, ["2025-04", "2025-01", "2025-02"])
    told = (await counter.get(f"persons/{card.id}/contributions")).json()
    assert [month["month"] for month in told["months"]] == MONTHS
    assert told["months"][0]["base_yuan"] == "5000.00"
    assert told["months_counted"] == 3
    spans = [(period["from_month"], period["to_month"]) for period in told["periods"]]
    assert spans == [("2025-01", "2025-02"), ("2025-04", "2025-04")]
    assert told["periods"][0]["agency_name"] == "枣庄市医疗保障经办机构"


async def test_months_sent_again_change_nothing(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card)
    await counter.contribute(card, MONTHS)
    told = await counter.contribute(card, [*MONTHS, "2025-05"])
    assert told["recorded_months"] == ["2025-05"]
    assert told["repeated_months"] == MONTHS
    assert (told["credited_yuan"], told["balance_yuan"]) == ("100.00", "400.00")


async def test_months_sent_at_once_are_credited_once(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card)
    answers = await asyncio.gather(
        *(counter.post("contributions", contributions(card, MONTHS)) for _ in range(6))
    )
    assert {answer.status_code for answer in answers} == {201}
    recorded = [answer.json()["recorded_months"] for answer in answers]
    assert sorted(recorded) == [[]] * 5 + [MONTHS]
    assert await counter.balances(ZAOZHUANG) == {"bank_mirror": -30000, "personal_account": 30000}


async def test_people_pay_side_by_side_into_one_fund(counter: Counter) -> None:
    cards = [await counter.person() for _ in range(6)]
    for card in cards:
        await counter.enrol(card)
    answers = await asyncio.gather(
        *(counter.post("contributions", contributions(card, MONTHS)) for card in cards)
    )
    assert {answer.status_code for answer in answers} == {201}
    assert await counter.balances(ZAOZHUANG) == {"bank_mirror": -180000, "personal_account": 180000}


async def test_a_month_with_other_amounts_is_a_conflict_and_nothing_is_recorded(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card)
    await counter.contribute(card, MONTHS)
    answer = await counter.post("contributions", contributions(card, ["2025-03", *MONTHS], account="1.00"))
    assert answer.status_code == 409
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert pointers == ["/months/1/month", "/months/2/month", "/months/3/month"]
    assert await counter.balances(ZAOZHUANG) == {"bank_mirror": -30000, "personal_account": 30000}


async def test_a_month_counts_once_as_employee_or_resident(counter: Counter) -> None:
    card = await counter.person()
    await counter.stop(await counter.enrol(card), on="2025-03-10")
    await counter.contribute(card, ["2025-03"])
    await counter.enrol(card, kind="390", person_kind="resident", since="2025-03-11")
    body = _of_residents(card.id, ["2025-03", "2025-04"])
    answer = await counter.post("contributions", body)
    assert answer.status_code == 409
    assert "已按职工基本医疗保险计月" in answer.json()["errors"][0]["message"]
    assert (await counter.post("contributions", _of_residents(card.id, ["2025-04"]))).status_code == 201


async def test_every_fault_of_every_month_is_told_at_once(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card, since="2025-01-15")
    body = contributions(card, ["2024-12", "2026-03", "2026-04"], account="5000.01")
    answer = await counter.post("contributions", body)
    assert answer.status_code == 422
    found = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert found == [
        ("/months/0/account_yuan", "account_above_base"),
        ("/months/0/month", "month_outside_enrolment"),
        ("/months/1/account_yuan", "account_above_base"),
        ("/months/2/account_yuan", "account_above_base"),
        ("/months/2/month", "month_in_future"),
    ]
    assert await counter.rows("SELECT count(*) FROM contribution_months") == [(0,)]


async def test_amounts_months_and_their_number_are_checked_before_anything_else(counter: Counter) -> None:
    card = await counter.person()
    months: list[dict[str, Any]] = [
        {"month": "2025-13", "base_yuan": "5000", "account_yuan": "0.00"},
        {"month": "2025-01", "base_yuan": "0.00", "account_yuan": "-1.00"},
        {"month": "1893-01", "base_yuan": 5000.0},
    ]
    body = {"person_id": card.id, "insurance_kind": "310", "months": months}
    answer = await counter.post("contributions", body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/months/0/month",
        "/months/0/base_yuan",
        "/months/1/base_yuan",
        "/months/1/account_yuan",
        "/months/2/month",
        "/months/2/base_yuan",
    ]
    empty = await counter.post("contributions", {**body, "months": []})
    assert (empty.status_code, empty.json()["errors"][0]["pointer"]) == (422, "/months")


async def test_while_the_relation_is_leaving_no_month_is_added(counter: Counter) -> None:
    card = await counter.insured(MONTHS)
    await counter.deliver(accepted(card))
    refused = await counter.post("contributions", contributions(card, ["2025-03"]))
    assert refused.status_code == 409
    assert "正在办理" in refused.json()["errors"][0]["message"]


async def test_the_same_request_again_gets_the_same_answer(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card)
    body, headers = contributions(card, MONTHS), {"Idempotency-Key": "march"}
    first = await counter.post("contributions", body, **headers)
    again = await counter.post("contributions", body, **headers)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_body_that_is_no_json_is_told_so(counter: Counter) -> None:
    headers = {**once(clerk_of(ZAOZHUANG)), "Content-Type": "application/json"}
    answer = await counter.client.post("/v1/enrollment/contributions", content=b"{", headers=headers)
    assert answer.status_code == 422
    assert "JSON" in answer.json()["errors"][0]["message"]


def _of_residents(person_id: str, months: list[str]) -> dict[str, Any]:
    told = [{"month": month, "base_yuan": "400.00"} for month in months]
    return {"person_id": person_id, "insurance_kind": "390", "months": told}
