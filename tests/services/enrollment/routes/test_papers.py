"""个人权益记录 and the verification of papers, at the counter and by the person."""

from __future__ import annotations

import re

import httpx
import pytest

from libs.money.amounts import fen_of
from libs.webapp.callers import Role
from libs.webapp.edge import Resources
from services.enrollment.routes.papers import LARGEST_BYTES
from services.enrollment.service.press import press_of
from tests.libs.documents.pages import words
from tests.services.enrollment.certificates import WUHAN, applicant, bearer, certificate_app, form, issued
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Card, Counter, accepted
from tests.services.enrollment.counter import issued as sheet_issued
from tests.support.tokens import citizen, officer

MONTHS_OF_2025 = [f"2025-{number:02d}" for number in range(1, 13)]


async def insured(counter: Counter) -> Card:
    card = await counter.person()
    await counter.enrol(card)
    await counter.contribute(card, [*MONTHS_OF_2025, "2026-01", "2026-02"])
    return card


async def record(
    counter: Counter, card: Card, year: int, caller: dict[str, str] | None = None
) -> httpx.Response:
    return await counter.get(f"persons/{card.id}/rights-record?year={year}", caller or bearer(card))


async def test_the_record_of_a_past_year(counter: Counter) -> None:
    card = await insured(counter)
    told = (await record(counter, card, 2025)).json()
    assert (told["year"], told["until"], told["is_running"]) == (2025, "2025-12-31", False)
    assert told["insurance_kinds"] == ["310"]
    assert [month["month"] for month in told["months"]] == MONTHS_OF_2025
    assert {(month["base_yuan"], month["account_yuan"]) for month in told["months"]} == {
        ("5000.00", "100.00")
    }
    assert [(spell["started_on"], spell["stopped_on"]) for spell in told["spells"]] == [("2024-01-01", None)]
    assert [(each["insurance_kind"], each["months"]) for each in told["cumulative_months"]] == [("310", 12)]
    # Nothing was posted before 2026: the account's year goes by dates of law, not by months paid for.
    assert told["accounts"][0]["closing_yuan"] == "0.00"


async def test_a_year_still_running_goes_up_to_today_and_ties(counter: Counter) -> None:
    card = await insured(counter)
    told = (await record(counter, card, 2026)).json()
    assert (told["until"], told["is_running"]) == ("2026-03-10", True)
    (account,) = told["accounts"]
    assert account["opening_yuan"] == "0.00"
    assert (account["credits_yuan"], account["debits_yuan"]) == ("1400.00", "0.00")
    assert account["closing_yuan"] == "1400.00"
    assert len(account["movements"]) == 14
    assert [each["months"] for each in told["cumulative_months"]] == [14]


async def test_opening_credits_and_debits_make_what_the_ledger_has(counter: Counter) -> None:
    card = await counter.insured(["2025-12", "2026-01"])
    await counter.deliver(accepted(card))
    await counter.deliver(sheet_issued(card, 20000))
    (account,) = (await record(counter, card, 2026)).json()["accounts"]
    opening, credits, debits, closing = (
        fen_of(account[f"{name}_yuan"]) for name in ("opening", "credits", "debits", "closing")
    )
    balance = (await counter.get(f"persons/{card.id}/account", bearer(card))).json()["balance_yuan"]
    assert debits == 20000
    assert opening + credits - debits == closing == fen_of(balance)


async def test_the_pdf_says_the_same_under_the_agency_s_seal(counter: Counter) -> None:
    card = await insured(counter)
    answer = await counter.get(f"persons/{card.id}/rights-record.pdf?year=2025", bearer(card))
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="rights-record-2025.pdf"'
    read = words(answer.content)
    for told in (
        "参保缴费证明（个人权益记录）",
        card.id_number,
        "记录止于：2025年12月31日",
        "合计12个月",
        "1200.00",
    ):
        assert told in read
    assert all(month in read for month in MONTHS_OF_2025)
    verified = await verify(counter, answer.content)
    assert verified["genuine"]


async def test_a_running_year_says_so_on_paper(counter: Counter) -> None:
    card = await insured(counter)
    answer = await counter.get(f"persons/{card.id}/rights-record.pdf?year=2026", bearer(card))
    assert "截至日期：2026年03月10日" in words(answer.content)


async def test_a_year_without_anything_is_said_to_have_nothing(counter: Counter) -> None:
    card = await counter.person()
    told = (await record(counter, card, 2020)).json()
    assert (told["months"], told["spells"], told["accounts"]) == ([], [], [])
    answer = await counter.get(f"persons/{card.id}/rights-record.pdf?year=2020", bearer(card))
    assert "本年度无缴费记录" in words(answer.content)
    assert "本年度无参保记录" in words(answer.content)


@pytest.mark.parametrize("year", [1993, 2027, 9999])
async def test_other_years_are_refused(counter: Counter, year: int) -> None:
    card = await counter.person()
    answer = await record(counter, card, year)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/query/year"


async def test_the_number_is_masked_below_clearance_on_paper_too(counter: Counter) -> None:
    card = await insured(counter)
    clerk, reviewer = officer(ZAOZHUANG, Role.CLERK), officer(ZAOZHUANG, Role.REVIEWER)
    numbers = [
        (await record(counter, card, 2025, caller)).json()["credential"]["number"]
        for caller in (clerk, reviewer)
    ]
    assert numbers[0] != card.id_number
    assert numbers[1] == card.id_number
    paper = await counter.get(f"persons/{card.id}/rights-record.pdf?year=2025", clerk)
    assert card.id_number not in words(paper.content)
    assert re.sub(r"\s", "", numbers[0]) in words(paper.content)


async def test_nobody_else_sees_the_record(counter: Counter) -> None:
    card = await insured(counter)
    for caller in (citizen("f" * 64), officer(YANTAI, Role.REVIEWER)):
        assert (await record(counter, card, 2025, caller)).status_code == 404
        paper = await counter.get(f"persons/{card.id}/rights-record.pdf?year=2025", caller)
        assert paper.status_code == 404


async def verify(counter: Counter, pdf: bytes) -> dict[str, object]:
    answer = await counter.client.post("/v1/enrollment/papers/verify", content=pdf, headers=citizen("f" * 64))
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


async def test_anybody_signed_in_verifies_a_certificate(counter: Counter, resources: Resources) -> None:
    card = await counter.person(WUHAN)
    await counter.enrol(card)
    async with certificate_app(resources, press_of(resources.settings)) as client:
        _, pdf = await issued(client, form(await applicant(counter, card)), bearer(card))
    told = await verify(counter, pdf)
    assert told["genuine"]
    assert told["conclusion"] == (
        "核验通过：由武汉市医疗保障经办机构于2026年03月10日09时30分签章，内容完整，未被改动。"
    )
    changed = bytearray(pdf)
    changed[len(pdf) // 2] ^= 1
    refused = await verify(counter, bytes(changed))
    assert not refused["genuine"]
    assert refused["faults"]


async def test_what_is_no_paper_is_no_error(counter: Counter) -> None:
    for junk in (b"", b"%PDF-1.4", b"\xff" * 1000):
        told = await verify(counter, junk)
        assert (told["genuine"], told["conclusion"]) == (False, "核验未通过。")


async def test_a_file_too_large_is_refused(counter: Counter) -> None:
    answer = await counter.client.post(
        "/v1/enrollment/papers/verify", content=b"0" * (LARGEST_BYTES + 1), headers=citizen("f" * 64)
    )
    assert answer.status_code == 422
    assert "超过1兆" in answer.json()["detail"]


async def test_nobody_verifies_without_signing_in(counter: Counter) -> None:
    assert (await counter.client.post("/v1/enrollment/papers/verify", content=b"")).status_code == 401
