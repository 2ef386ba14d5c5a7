from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from services.enrollment.domain.reconciling import due_months
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Card, Counter, clerk_of
from tests.services.enrollment.tax import Row, Tax, apply_all, file_of, row_of
from tests.support.statements import assert_statements
from tests.support.tokens import citizen, officer, system

STRANGER = Row("SN-STRANGER", "37040219900101001X", "甲某")


@pytest.fixture
def tax(counter: Counter) -> Tax:
    return Tax(counter)


async def reconciled(counter: Counter, month: str) -> dict[str, Any]:
    answer = await counter.get(f"reconciliations?region_code={ZAOZHUANG}&month={month}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def arrears(counter: Counter, query: str = "") -> list[dict[str, Any]]:
    """All pages, two to a page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await counter.get(f"arrears?region_code={ZAOZHUANG}&limit=2{query}{cursor}")).json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def staff(
    counter: Counter, employer: dict[str, Any], count: int, since: str = "2026-01-01"
) -> list[Card]:
    cards = [await counter.person() for _ in range(count)]
    for card in cards:
        await employ(counter, card, employer, since)
    return cards


async def employ(counter: Counter, card: Card, employer: dict[str, Any], since: str) -> dict[str, Any]:
    body = {
        "person_id": card.id,
        "insurance_kind": "310",
        "person_kind": "employee",
        "employer_id": employer["id"],
        "started_on": since,
    }
    return await counter.done("enrolments", body)


async def wage(counter: Counter, card: Card, serial: str, employer: dict[str, Any], **told: str) -> Row:
    by = {"payer": "单位", "credit_code": employer["credit_code"], "person_kind": "在职职工"}
    return await row_of(counter, card, serial, **{**by, **told})


async def test_a_month_is_reconciled_with_people_files_and_ledger(counter: Counter, tax: Tax) -> None:
    employer = await counter.employer()
    first, second, third = await staff(counter, employer, 3)
    outside = await counter.person()
    await counter.rows(
        "UPDATE enrolments SET declared_wage_fen = 480000 WHERE person_id = :id RETURNING 1", id=second.id
    )
    await tax.book(
        await wage(counter, first, "SN-000001", employer),
        await wage(counter, second, "SN-000002", employer, late_fee="3.20"),
        await row_of(counter, outside, "SN-000003"),
        STRANGER,
    )
    told = await reconciled(counter, "2026-02")
    assert [(c["expected"], c["paid"], c["arrears"], c["base_differs"]) for c in told["coverage"]] == [
        (3, 2, 1, 1)
    ]
    (look_at,) = told["employers_to_look_at"]
    assert (look_at["employer_id"], look_at["arrears"]) == (employer["id"], 1)
    assert [(p["outcome"], p["reason"], p["rows"], p["total_yuan"]) for p in told["payments"]] == [
        ("matched", None, 2, "1003.20"),
        ("unmatched", "month_outside_enrolment", 1, "500.00"),
        ("unmatched", "unknown_person", 1, "500.00"),
    ]
    assert told["files"] == 0  # booked in March
    booked = await reconciled(counter, "2026-03")
    assert (booked["files"], booked["rows"], booked["total_yuan"]) == (1, 4, "2003.20")
    assert [(b["outcome"], b["rows"], b["total_yuan"], b["ledger_yuan"]) for b in booked["booked"]] == [
        ("matched", 2, "1003.20", "1003.20"),
        ("unmatched", 2, "1000.00", "1000.00"),
    ]
    assert (booked["difference_yuan"], booked["ledger_difference_yuan"]) == ("0.00", "0.00")
    assert third.id == (await arrears(counter, f"&person_id={third.id}"))[0]["person_id"]


async def test_repeated_pending_and_reversed_rows_leave_the_books_tied(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card)
    paid = await row_of(counter, card, "SN-000001")
    await tax.book(paid, STRANGER)
    await tax.book(paid, paid.red("SN-000002"))
    await tax.send(file_of([await row_of(counter, card, "SN-000004")], "SW-LATER"))
    told = await reconciled(counter, "2026-03")
    assert {(b["outcome"], b["total_yuan"], b["ledger_yuan"]) for b in told["booked"]} == {
        ("pending", "500.00", "0.00"),
        ("reversed", "500.00", "500.00"),
        ("unmatched", "500.00", "500.00"),
        ("repeated", "500.00", "0.00"),
        ("matched", "-500.00", "-500.00"),
    }
    assert (told["difference_yuan"], told["ledger_difference_yuan"]) == ("0.00", "0.00")
    await apply_all(counter.resources)


async def test_a_ledger_that_says_something_else_is_shown(counter: Counter, tax: Tax) -> None:
    await tax.send(file_of([STRANGER]))
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        # As if a row had been settled without its posting.
        await session.execute(text("UPDATE contribution_payments SET outcome = 'unmatched'"))
    told = await reconciled(counter, "2026-03")
    assert (told["difference_yuan"], told["ledger_difference_yuan"]) == ("0.00", "500.00")


async def test_arrears_are_months_due_and_not_paid(counter: Counter, tax: Tax) -> None:
    employer = await counter.employer()
    first, second = await staff(counter, employer, 2, since="2025-11-20")
    flexible = await counter.person()
    await counter.enrol(flexible, since="2026-01-01")
    retired = await counter.person()
    await counter.enrol(retired, person_kind="retiree", since="2020-01-01")
    await tax.book(
        *[
            await wage(counter, first, f"SN-00000{number}", employer, period=month)
            for number, month in enumerate(["2025-11", "2025-12", "2026-02"])
        ],
        *[
            await wage(counter, second, f"SN-10000{number}", employer, period=month)
            for number, month in enumerate(["2025-11", "2025-12", "2026-01", "2026-02", "2026-03"])
        ],
    )
    assert [(told["person_id"], told["months"]) for told in await arrears(counter)] == sorted(
        [(first.id, ["2026-01"]), (flexible.id, ["2026-01", "2026-02"])]
    )
    by_employer = await arrears(counter, f"&employer_id={employer['id']}")
    assert [(told["person_id"], told["employer_id"]) for told in by_employer] == [(first.id, employer["id"])]
    assert await arrears(counter, f"&person_id={second.id}") == []


async def test_a_back_payment_settles_arrears(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card, since="2026-01-01")
    file = await tax.book(
        await row_of(counter, card, "SN-000001", period="2026-01", kind="补缴", late_fee="7.50"),
        await row_of(counter, card, "SN-000002", period="2025-12", kind="补缴"),
    )
    assert await tax.outcomes(file) == [("matched", []), ("unmatched", ["month_outside_enrolment"])]
    assert [told["months"] for told in await arrears(counter)] == [["2026-02"]]


async def test_who_changes_employers_owes_the_month_with_the_later_one(counter: Counter) -> None:
    before, after = await counter.employer(), await counter.employer()
    (card,) = await staff(counter, before, 1, since="2026-01-01")
    (enrolment,) = (await counter.get(f"persons/{card.id}")).json()["enrolments"]
    await counter.stop(enrolment, on="2026-02-10")
    await employ(counter, card, after, "2026-02-11")
    told = {row["employer_id"]: row["months"] for row in await arrears(counter)}
    assert told == {before["id"]: ["2026-01"], after["id"]: ["2026-02"]}
    look_at = (await reconciled(counter, "2026-02"))["employers_to_look_at"]
    assert [row["employer_id"] for row in look_at] == [after["id"]]


async def test_everybody_is_in_the_pages_once(counter: Counter) -> None:
    cards = [await counter.person() for _ in range(5)]
    for card in cards:
        await counter.enrol(card, since="2026-01-01")
    assert [told["person_id"] for told in await arrears(counter)] == sorted(card.id for card in cards)


def test_arrears_are_listed_two_years_back() -> None:
    months = due_months("2026-03")
    assert (months[0], months[-1], len(months)) == ("2024-03", "2026-02", 24)


async def test_reading_takes_few_statements_whatever_the_number_of_people(counter: Counter) -> None:
    employer = await counter.employer()
    await staff(counter, employer, 5)
    engine = counter.resources.database.engine
    with assert_statements(engine, at_most=5):
        await reconciled(counter, "2026-02")
    with assert_statements(engine, at_most=2):
        await counter.get(f"arrears?region_code={ZAOZHUANG}&employer_id={employer['id']}")


@pytest.mark.parametrize("path", ["reconciliations?month=2026-02&", "arrears?"])
async def test_only_the_region_s_officers_look(counter: Counter, path: str) -> None:
    for caller in (clerk_of(YANTAI), citizen("x"), system("enrollment.tax_files")):
        assert (await counter.get(f"{path}region_code={ZAOZHUANG}", caller)).status_code == 403
    auditor = officer(ZAOZHUANG, Role.AUDITOR)
    assert (await counter.get(f"{path}region_code={ZAOZHUANG}", auditor)).status_code == 200


@pytest.mark.parametrize("cursor", ["bm9uc2Vuc2U=", "WyJ4IiwgIngiXQ=="])
async def test_a_cursor_that_is_none_of_ours_is_refused(counter: Counter, cursor: str) -> None:
    assert (await counter.get(f"arrears?region_code={ZAOZHUANG}&cursor={cursor}")).status_code == 422
