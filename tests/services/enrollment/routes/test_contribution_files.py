from __future__ import annotations

import asyncio

import pytest

from libs.contracts.enrollment import ContributionsRecorded, ContributionsTakenBack
from libs.ledger.accounts import AccountKind, find_account
from libs.ledger.holds import place
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter, accepted, clerk_of
from tests.services.enrollment.tax import Row, Tax, apply_all, file_of, row_of
from tests.support.service import published
from tests.support.tokens import officer, system


@pytest.fixture
def tax(counter: Counter) -> Tax:
    return Tax(counter)


STRANGER = Row("SN-STRANGER", "37040219900101001X", "甲某")


async def test_a_payment_is_recorded_credited_and_told(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card)
    file = await tax.book(await row_of(counter, card, "SN-000001", late_fee="1.00"))
    assert (file["state"], file["total_yuan"]) == ("done", "501.00")
    assert [(o["outcome"], o["rows"], o["total_yuan"]) for o in file["outcomes"]] == [
        ("matched", 1, "501.00")
    ]
    # 2026: the own part goes to the account, the employer's and the late fee to the pooled fund.
    assert await counter.balances(ZAOZHUANG) == {
        "bank_mirror": -50_100,
        "pooled": 40_100,
        "personal_account": 10_000,
    }
    (row,) = await tax.rows(file)
    assert (row["account_yuan"], row["rule"]) == ("100.00", "370400-crediting@2023")
    (month,) = (await counter.get(f"persons/{card.id}/contributions")).json()["months"]
    assert (month["month"], month["base_yuan"], month["account_yuan"]) == ("2026-02", "5000.00", "100.00")
    (fact,) = await published(counter.resources, ContributionsRecorded)
    assert (fact.payment, fact.months, fact.person_key) == ("SN-000001", ["2026-02"], card.key)


async def test_nobody_s_number_stands_in_an_answer(counter: Counter, tax: Tax) -> None:
    file = await tax.book(STRANGER)
    (row,) = await tax.rows(file)
    assert row["credential_masked"] == "370402********001X"


async def test_what_finds_no_place_is_received_and_waits(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    rows = [STRANGER, await row_of(counter, card, "SN-000002")]
    file = await tax.book(*rows)
    assert await tax.outcomes(file) == [
        ("unmatched", ["unknown_person"]),
        ("unmatched", ["month_outside_enrolment"]),
    ]
    assert await counter.balances(ZAOZHUANG) == {"bank_mirror": -100_000, "unattributed": 100_000}


async def test_every_reason_is_told(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card)
    employer = await counter.employer()
    told = {"payer": "单位", "credit_code": employer["credit_code"]}
    file = await tax.book(
        Row("SN-000001", card.id_number, "别人", person_kind="在职职工"),
        await row_of(counter, card, "SN-000002", **told),
        await row_of(counter, card, "SN-000003", period="2026-04"),
        await row_of(counter, card, "SN-000004"),
        await row_of(counter, card, "SN-000005"),
    )
    assert await tax.outcomes(file) == [
        ("unmatched", ["other_name", "other_person_kind"]),
        ("unmatched", ["other_employer"]),
        ("unmatched", ["month_in_future"]),
        ("matched", []),
        ("unmatched", ["month_recorded"]),  # the same month, the same amounts, another payment
    ]


async def test_a_broken_row_is_told_column_by_column_and_its_money_kept(counter: Counter, tax: Tax) -> None:
    row = Row("SN-000001", "370402199001010018", "甲", payer="别的", period="2026", paid_on="2026-3-5")
    file = await tax.book(row)
    ((outcome, codes),) = await tax.outcomes(file)
    assert outcome == "broken"
    assert sorted(codes) == ["credential", "paid_on", "payer_kind", "period"]
    assert await counter.balances(ZAOZHUANG) == {"bank_mirror": -50_000, "unattributed": 50_000}
    answer = await tax.reapply(file, 1)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_unmatched")


async def test_the_red_entry_of_a_broken_row_gives_its_money_back(counter: Counter, tax: Tax) -> None:
    broken = Row("SN-000001", "37040219900101001X", "甲某", kind="别的")
    await tax.book(broken)
    file = await tax.book(broken.red("SN-000002"))
    assert await tax.outcomes(file) == [("matched", [])]
    assert set((await counter.balances(ZAOZHUANG)).values()) == {0}


async def test_the_same_file_again_is_the_same_answer(counter: Counter, tax: Tax) -> None:
    content = file_of([STRANGER])
    first = await tax.send(content)
    await apply_all(counter.resources)
    second = await tax.send(content)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert second.json()["state"] == "done"
    await apply_all(counter.resources)
    assert (await counter.balances(ZAOZHUANG))["bank_mirror"] == -50_000


async def test_another_file_under_the_same_number_is_refused(tax: Tax) -> None:
    await tax.send(file_of([STRANGER]))
    answer = await tax.send(file_of([Row("SN-000009", "37040219900101001X", "甲某")]))
    assert (answer.status_code, answer.json()["code"]) == (409, "file_no_used")


async def test_a_file_sent_twice_at_once_is_received_once(counter: Counter, tax: Tax) -> None:
    content = file_of([STRANGER])
    answers = await asyncio.gather(*(tax.send(content) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_serial_number_moves_money_once_whatever_file_it_is_in(counter: Counter, tax: Tax) -> None:
    await tax.book(STRANGER)
    file = await tax.book(STRANGER, Row("SN-000002", "37040219900101001X", "甲某"))
    assert [outcome for outcome, _ in await tax.outcomes(file)] == ["repeated", "unmatched"]
    assert (await counter.balances(ZAOZHUANG))["bank_mirror"] == -100_000


async def test_everything_wrong_with_the_head_is_told_at_once(counter: Counter, tax: Tax) -> None:
    answer = await tax.send(
        file_of([STRANGER], file_no="x", region="999999", month="2026-13", rows="0", sum="1", digest="z")
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "tax_file")
    pointers = [fault["pointer"] for fault in answer.json()["errors"]]
    assert pointers == [
        f"/head/{name}" for name in ("文件编号", "统筹区", "入账月份", "行数", "合计金额", "正文摘要")
    ]
    assert await counter.rows("SELECT 1 FROM contribution_files") == []


async def test_a_body_that_is_not_what_the_head_says_is_refused(tax: Tax) -> None:
    answer = await tax.send(file_of([STRANGER], rows="2", sum="500.01", digest="0" * 64))
    codes = [fault["code"] for fault in answer.json()["errors"]]
    assert (answer.status_code, codes) == (422, ["digest", "rows", "sum"])


async def test_money_that_cannot_be_added_up_refuses_the_file(tax: Tax) -> None:
    bad = [
        STRANGER,
        STRANGER,
        Row("!", "37040219900101001X", "甲", insurance="999"),
    ]
    content = file_of(bad).replace(b"400.00,100.00,0.00", b"400,100.00,x", 1)
    answer = await tax.send(content)
    told = [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]
    assert answer.status_code == 422
    assert set(told) >= {("/rows/1", "unit"), ("/rows/1", "late_fee"), ("/rows/3", "serial")}
    assert ("/rows/3", "insurance_kind") in told


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"YBJF1,a\n", b'"', b'a\n"b'])
async def test_what_is_no_file_is_refused(tax: Tax, content: bytes) -> None:
    answer = await tax.send(content)
    assert (answer.status_code, answer.json()["code"]) == (422, "tax_file")


async def test_a_serial_number_twice_in_a_file_refuses_it(tax: Tax) -> None:
    answer = await tax.send(file_of([STRANGER, STRANGER]))
    assert [fault["code"] for fault in answer.json()["errors"]] == ["serial_twice"]


async def test_only_finance_and_the_tax_authority_s_system_send_files(tax: Tax) -> None:
    content = file_of([STRANGER])
    for caller, status in [
        (clerk_of(ZAOZHUANG), 403),
        (system("enrollment.write"), 403),
        (officer(YANTAI, Role.FINANCE), 403),
        (officer(ZAOZHUANG, Role.FINANCE), 202),
    ]:
        assert (await tax.send(content, caller)).status_code == status


async def test_another_region_s_file_is_not_there(counter: Counter, tax: Tax) -> None:
    file = await tax.book(STRANGER)
    for path in (f"contribution-files/{file['id']}", f"contribution-files/{file['id']}/rows"):
        assert (await counter.get(path, clerk_of(YANTAI))).status_code == 404
        assert (await counter.get(path, clerk_of(ZAOZHUANG))).status_code == 200
    yantai = officer(YANTAI, Role.FINANCE)
    path = f"contribution-files/{file['id']}/rows/1/reapply"
    assert (await counter.post(path, {}, yantai)).status_code == 404


async def test_rows_come_in_pages_by_outcome(counter: Counter, tax: Tax) -> None:
    rows = [Row(f"SN-{number:06d}", "37040219900101001X", "甲某") for number in range(5)]
    file = await tax.book(*rows, chunk=2)
    path = f"contribution-files/{file['id']}/rows?outcome=unmatched&limit=3"
    first = (await counter.get(path)).json()
    second = (await counter.get(f"{path}&cursor={first['next_cursor']}")).json()
    assert [row["row_no"] for row in first["items"] + second["items"]] == [1, 2, 3, 4, 5]
    assert second["next_cursor"] is None
    assert (await counter.get(f"{path}&cursor=bm9uc2Vuc2U=")).status_code == 422


async def test_a_row_is_applied_again_once_its_cause_is_cured(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    file = await tax.book(await row_of(counter, card, "SN-000001"))
    still = await tax.reapply(file, 1)
    assert (still.status_code, still.json()["outcome"]) == (200, "unmatched")
    await counter.enrol(card)
    for _ in range(2):
        answer = await tax.reapply(file, 1)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "matched")
    assert await counter.balances(ZAOZHUANG) == {
        "bank_mirror": -50_000,
        "unattributed": 0,
        "pooled": 40_000,
        "personal_account": 10_000,
    }


async def test_a_row_applied_again_by_several_at_once_moves_money_once(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    file = await tax.book(await row_of(counter, card, "SN-000001"))
    await counter.enrol(card)
    answers = await asyncio.gather(*(tax.reapply(file, 1) for _ in range(5)))
    assert {(a.status_code, a.json()["outcome"]) for a in answers} == {(200, "matched")}
    assert (await counter.balances(ZAOZHUANG))["personal_account"] == 10_000


async def test_a_red_entry_takes_month_and_money_back_once(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card)
    paid = await row_of(counter, card, "SN-000001")
    first = await tax.book(paid)
    second = await tax.book(paid.red("SN-000002"), paid.red("SN-000003"))
    assert await tax.outcomes(first) == [("reversed", [])]
    assert await tax.outcomes(second) == [("matched", []), ("unmatched", ["original_reversed"])]
    assert await counter.balances(ZAOZHUANG) == {
        "bank_mirror": 50_000,  # the second red entry's money went out all the same
        "unattributed": -50_000,
        "pooled": 0,
        "personal_account": 0,
    }
    assert (await counter.get(f"persons/{card.id}/contributions")).json()["months"] == []
    (fact,) = await published(counter.resources, ContributionsTakenBack)
    assert (fact.payment, fact.person_key) == ("SN-000001", card.key)


async def test_a_month_taken_back_can_be_paid_anew(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card)
    paid = await row_of(counter, card, "SN-000001")
    again = await row_of(counter, card, "SN-000003", personal="120.00", base="6000.00")
    file = await tax.book(paid, paid.red("SN-000002"), again)  # all three in one file
    assert [outcome for outcome, _ in await tax.outcomes(file)] == ["reversed", "matched", "matched"]
    assert (await counter.balances(ZAOZHUANG))["personal_account"] == 12_000


async def test_a_red_entry_that_fits_nothing_waits(counter: Counter, tax: Tax) -> None:
    card, other = await counter.person(), await counter.person()
    await counter.enrol(card)
    paid = await row_of(counter, card, "SN-000001")
    await tax.book(paid)
    file = await tax.book(
        (await row_of(counter, other, "SN-000001")).red("SN-000002", unit="-399.00"),
        paid.red("SN-000003", corrects="SN-999999"),
    )
    assert await tax.outcomes(file) == [
        ("unmatched", ["other_person", "other_amount"]),
        ("unmatched", ["no_original"]),
    ]


async def test_what_was_applied_by_an_officer_can_be_taken_back(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    paid = await row_of(counter, card, "SN-000001")
    file = await tax.book(paid)
    await counter.enrol(card)
    await tax.reapply(file, 1)
    assert await tax.outcomes(await tax.book(paid.red("SN-000002"))) == [("matched", [])]
    assert set((await counter.balances(ZAOZHUANG)).values()) == {0}


async def test_money_that_is_spent_or_leaving_is_not_taken_back(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    enrolment = await counter.enrol(card)
    paid = await row_of(counter, card, "SN-000001")
    await tax.book(paid)
    await counter.stop(enrolment)
    await counter.deliver(accepted(card))  # the balance is on hold, the month travels
    file = await tax.book(paid.red("SN-000002"))
    assert await tax.outcomes(file) == [("unmatched", ["months_left", "account_spent"])]
    assert await counter.balances(ZAOZHUANG) == {
        "bank_mirror": 0,
        "unattributed": -50_000,
        "pooled": 40_000,
        "personal_account": 10_000,
    }


async def test_a_red_entry_is_applied_again_once_its_original_may_go(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card)
    paid = await row_of(counter, card, "SN-000001")
    early = await tax.book(paid.red("SN-000002"))
    await tax.book(paid)
    answer = await tax.reapply(early, 1)
    assert answer.json()["outcome"] == "matched"
    assert set((await counter.balances(ZAOZHUANG)).values()) == {0}
    assert (await counter.get(f"persons/{card.id}/contributions")).json()["months"] == []


async def test_a_leaving_relation_takes_no_months(counter: Counter, tax: Tax) -> None:
    card = await counter.insured(["2026-01"])
    await counter.deliver(accepted(card))
    file = await tax.book(await row_of(counter, card, "SN-000001"))
    assert await tax.outcomes(file) == [("unmatched", ["transfer_under_way"])]


async def test_residents_pay_for_the_year(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card, kind="390", person_kind="resident", since="2026-02-15")
    told = {"insurance": "390", "person_kind": "城乡居民", "base": "", "unit": "640.00", "personal": "400.00"}
    file = await tax.book(
        await row_of(counter, card, "SN-000001", period="2026", **told),
        await row_of(counter, card, "SN-000002", period="2026", **told),
        await row_of(counter, card, "SN-000003", period="2025", **told),
        await row_of(counter, card, "SN-000004", period="2028", **told),
    )
    assert await tax.outcomes(file) == [
        ("matched", []),
        ("unmatched", ["year_paid"]),
        ("unmatched", ["month_outside_enrolment"]),
        ("unmatched", ["year_too_early"]),
    ]
    months = (await counter.get(f"persons/{card.id}/contributions")).json()["months"]
    assert [month["month"] for month in months] == ["2026-02", "2026-03"]  # a month counts once it has come
    (fact,) = await published(counter.resources, ContributionsRecorded)
    assert fact.months == [f"2026-{number:02d}" for number in range(2, 13)]
    rows = await counter.rows(
        "SELECT kind, sum(amount_fen)::bigint FROM ledger_entries e"
        " JOIN ledger_accounts a ON a.id = account_id WHERE a.fund = '390' GROUP BY kind"
    )
    assert dict(rows) == {"bank_mirror": -416_000, "pooled": 104_000, "unattributed": 312_000}


async def test_red_entries_of_one_account_share_what_is_on_it(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card)
    paid = [await row_of(counter, card, f"SN-00000{number}", period=f"2026-0{number}") for number in (1, 2)]
    await tax.book(*paid)
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        account = await find_account(
            session,
            region_code=ZAOZHUANG,
            fund="310",
            kind=AccountKind.PERSONAL_ACCOUNT,
            owner=card.id,
        )
        assert account is not None
        await place(session, account_id=account, amount_fen=10_000, source_id="other-business")
    file = await tax.book(*(row.red(f"{row.serial}-RED") for row in paid))
    assert await tax.outcomes(file) == [("matched", []), ("unmatched", ["account_spent"])]
