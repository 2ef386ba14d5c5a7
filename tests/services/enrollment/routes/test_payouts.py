"""Payout batches: to the bank and back, each payout ending paid or returned exactly once."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import random
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from libs.webapp.callers import Role
from services.enrollment.domain import payout_file
from services.enrollment.service import payouts
from tests.services.enrollment.applications import WUHAN, act
from tests.services.enrollment.counter import YANTAI, Counter
from tests.services.enrollment.withdrawals import (
    accountant,
    answered,
    batch_of,
    cashier,
    chief,
    clerk,
    failed_line,
    form,
    insured,
    paid_line,
    payable,
    payee,
    require_sound_ledger,
    reviewer,
    status_of,
    withdrawal_of,
)
from tests.support.tokens import citizen, officer, once, system

NEW_ACCOUNT = "6222020299998888"


class Killed(BaseException):
    """The process is gone: nothing catches it."""


async def results(counter: Counter, batch: dict[str, Any], *told: dict[str, Any]) -> Any:
    path = f"payout-batches/{batch['id']}/results"
    return await counter.post(path, {"results": list(told)}, cashier())


async def correct(
    counter: Counter, case: dict[str, Any], name: str, caller: dict[str, str], **of: Any
) -> Any:
    account = payee(name, account_no=NEW_ACCOUNT, **of)
    return await counter.post(f"withdrawals/{case['case_no']}/payee", account, caller)


async def confirm(counter: Counter, case: dict[str, Any], caller: dict[str, str], version: int = 2) -> Any:
    path = f"withdrawals/{case['case_no']}/payee/confirm"
    return await counter.post(path, {"payee_version": version}, caller)


async def test_the_file_can_be_read_as_its_document_says(counter: Counter) -> None:
    one, other = await insured(counter), await insured(counter, months=("2026-02",))
    for somebody in (one, other):
        await payable(counter, form(somebody))
    batch = await batch_of(counter)
    path = f"/v1/enrollment/payout-batches/{batch['id']}/file"
    answer = await counter.client.get(path, headers=cashier())
    head, *lines, tail = list(csv.reader(io.StringIO(answer.content.decode())))
    assert head == ["H", "YIBAO-PAYOUT-1", "420100-2026-0001", WUHAN, "2026-03-10", "2", "300.00"]
    assert [line[:3] + line[6:7] for line in lines] == [
        ["D", "1", "420100-2026-0001-00001", "200.00"],
        ["D", "2", "420100-2026-0001-00002", "100.00"],
    ]
    assert lines[0][3:6] == ["6222020200011122", one.name, "中国工商银行武汉分行"]
    signed = answer.content[: answer.content.index(b"T,2,300.00")]
    assert tail == ["T", "2", "300.00", hashlib.sha256(signed).hexdigest()]
    assert batch["file_digest"] == tail[3]


async def test_a_file_that_would_come_out_differently_is_not_given_out(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await payable(counter, form(await insured(counter)))
    batch = await batch_of(counter)
    monkeypatch.setattr(payout_file, "PURPOSE", "别的用途")
    path = f"/v1/enrollment/payout-batches/{batch['id']}/file"
    answer = await counter.client.get(path, headers=cashier())
    assert (answer.status_code, answer.json()["code"]) == (409, "file_changed")


async def test_only_finance_reads_the_file(counter: Counter) -> None:
    await payable(counter, form(await insured(counter)))
    batch = await batch_of(counter)
    path = f"/v1/enrollment/payout-batches/{batch['id']}/file"
    for caller, status in [(reviewer(), 403), (chief(), 403), (cashier(YANTAI), 404)]:
        assert (await counter.client.get(path, headers=caller)).status_code == status


async def test_batches_are_numbered_and_empty_ones_are_not_made(counter: Counter) -> None:
    answer = await counter.post("payout-batches", {"region_code": WUHAN}, cashier())
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_pay")
    for number in ("420100-2026-0001", "420100-2026-0002"):
        await payable(counter, form(await insured(counter)))
        assert (await batch_of(counter))["number"] == number


async def test_the_same_answer_again_changes_nothing(counter: Counter) -> None:
    await payable(counter, form(await insured(counter)))
    batch = await batch_of(counter)
    line = paid_line(batch["lines"][0])
    for repeated in (0, 1, 1):
        assert (await answered(counter, batch, line))["repeated"] == repeated
    assert await counter.rows(
        "SELECT count(*) FROM ledger_transactions WHERE purpose = 'withdrawal_paid'"
    ) == [(1,)]


async def test_an_answer_that_contradicts_is_refused(counter: Counter) -> None:
    await payable(counter, form(await insured(counter)))
    batch = await batch_of(counter)
    (line,) = batch["lines"]
    await answered(counter, batch, paid_line(line))
    for told in (failed_line(line), paid_line(line, bank_reference="ANOTHER")):
        answer = await results(counter, batch, told)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "contradicts")


async def test_everything_wrong_with_the_bank_s_answers_is_told_at_once(counter: Counter) -> None:
    for _ in range(2):
        await payable(counter, form(await insured(counter)))
    batch = await batch_of(counter)
    one, other = batch["lines"]
    await answered(counter, batch, failed_line(other))
    answer = await results(
        counter,
        batch,
        paid_line(one, settled_on="2026-03-09"),
        paid_line(one),
        paid_line({"end_to_end_id": "420100-2026-0001-00009"}),
        paid_line(other),
    )
    assert answer.status_code == 422
    assert [(error["code"], error["pointer"]) for error in answer.json()["errors"]] == [
        ("settled_on", "/results/0/settled_on"),
        ("line_twice", "/results/1/end_to_end_id"),
        ("unknown_line", "/results/2/end_to_end_id"),
        ("contradicts", "/results/3"),
    ]
    assert await counter.balances(WUHAN) == {"bank_mirror": -40_000, "personal_account": 40_000}


async def test_a_bank_hands_its_answers_in_with_its_scope_only(counter: Counter) -> None:
    await payable(counter, form(await insured(counter)))
    batch = await batch_of(counter)
    body = {"results": [paid_line(batch["lines"][0])]}
    path = f"payout-batches/{batch['id']}/results"
    assert (await counter.post(path, body, system("enrollment.write"))).status_code == 403
    assert (await counter.post(path, body, system("enrollment.payout_results"))).status_code == 200


async def test_a_failed_payout_goes_again_to_another_account_a_second_officer_confirmed(
    counter: Counter,
) -> None:
    one = await insured(counter)
    case = await payable(counter, form(one))
    batch = await batch_of(counter)
    await answered(counter, batch, failed_line(batch["lines"][0]))
    assert (await withdrawal_of(counter, case))["state"] == "failed"
    assert (await counter.post("payout-batches", {"region_code": WUHAN}, cashier())).status_code == 409
    stranger = await correct(counter, case, "别人", clerk())
    assert (stranger.status_code, stranger.json()["errors"][0]["pointer"]) == (422, "/holder_name")
    both = officer(WUHAN, Role.CLERK, Role.REVIEWER, subject="both")
    assert (await correct(counter, case, one.name, both)).json()["state"] == "corrected"
    assert (await confirm(counter, case, both)).json()["code"] == "maker_checker"
    assert (await confirm(counter, case, reviewer(), version=1)).json()["code"] == "payee_changed"
    assert (await confirm(counter, case, reviewer())).json()["state"] == "payable"
    again = await batch_of(counter)
    await answered(counter, again, paid_line(again["lines"][0]))
    told = await withdrawal_of(counter, case)
    assert (told["state"], [line["state"] for line in told["lines"]]) == ("paid", ["failed", "paid"])
    assert told["payee"]["account_no"] == NEW_ACCOUNT
    assert await status_of(counter, case, clerk()) == "completed"
    # The first file stays what it was: the bank keeps one copy, we can make the other.
    path = f"/v1/enrollment/payout-batches/{batch['id']}/file"
    assert NEW_ACCOUNT not in (await counter.client.get(path, headers=cashier())).text
    await require_sound_ledger(counter)


async def test_the_applicant_gives_another_account_and_an_officer_confirms(counter: Counter) -> None:
    one = await insured(counter)
    case = await payable(counter, form(one))
    batch = await batch_of(counter)
    await answered(counter, batch, failed_line(batch["lines"][0]))
    assert (await correct(counter, case, one.name, citizen("0" * 64))).status_code == 404
    assert (await correct(counter, case, one.name, citizen(one.card.key))).status_code == 200
    assert (await confirm(counter, case, citizen(one.card.key))).status_code == 403
    assert (await confirm(counter, case, reviewer())).status_code == 200


async def test_an_account_is_not_changed_while_the_bank_has_it(counter: Counter) -> None:
    one = await insured(counter)
    case = await payable(counter, form(one))
    for _ in range(2):
        answer = await correct(counter, case, one.name, clerk())
        assert (answer.status_code, answer.json()["code"]) == (409, "payout_state")
        await counter.post("payout-batches", {"region_code": WUHAN}, cashier())


async def test_what_cannot_be_paid_is_returned_and_ends(counter: Counter) -> None:
    case = await payable(counter, form(await insured(counter)))
    batch = await batch_of(counter)
    path, body = f"withdrawals/{case['case_no']}/return", {"reason": "申请人长期未提供账户"}
    assert (await counter.post(path, body, accountant())).json()["code"] == "payout_state"
    await answered(counter, batch, failed_line(batch["lines"][0]))
    answer = await counter.post(path, body, accountant())
    assert answer.json()["state"] == "released"
    assert await status_of(counter, case, clerk()) == "rejected"
    assert await counter.rows("SELECT state FROM ledger_holds") == [("released",)]


async def test_money_that_came_after_the_hold_stays_on_an_open_account(counter: Counter) -> None:
    one = await insured(counter)
    case = await payable(counter, form(one))
    await counter.contribute(one.card, ["2025-12"])
    batch = await batch_of(counter)
    await answered(counter, batch, paid_line(batch["lines"][0]))
    assert await counter.balances(WUHAN) == {"bank_mirror": -10_000, "personal_account": 10_000}
    assert await counter.rows("SELECT state FROM ledger_accounts WHERE owner IS NOT NULL") == [("open",)]
    query = "SELECT details FROM case_record WHERE action = 'complete'"
    ((details,),) = await counter.rows(query)
    assert (details["amount_fen"], details["left_fen"], details["account_closed"]) == (20_000, 10_000, False)
    again = await payable(counter, form(one))
    assert again["case_no"] != case["case_no"]


async def test_two_cashiers_at_once_never_take_the_same_payout(counter: Counter) -> None:
    for _ in range(4):
        await payable(counter, form(await insured(counter)))
    answers = await asyncio.gather(
        *(counter.post("payout-batches", {"region_code": WUHAN}, cashier(subject=f"c{n}")) for n in range(4))
    )
    made = [answer.json() for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    cases = [line["case_no"] for batch in made for line in batch["lines"]]
    assert len(cases) == len(set(cases)) == 4


async def test_the_database_itself_refuses_a_second_live_line(counter: Counter) -> None:
    await payable(counter, form(await insured(counter)))
    await batch_of(counter)
    again = """
        INSERT INTO payout_lines
        SELECT end_to_end_id || '-2', region_code, batch_id, case_no, ordinal, amount_fen,
            payee, state, bank_reference, settled_on, failure_reason, answered_at FROM payout_lines
    """
    with pytest.raises(DBAPIError, match="ux_payout_lines_one_live"):
        await counter.rows(again + " RETURNING case_no")


async def test_a_crash_before_the_commit_takes_nothing(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await payable(counter, form(await insured(counter)))
    batch = await batch_of(counter)

    async def killed(*_: object) -> None:
        raise Killed

    headers, body = once(cashier()), {"results": [paid_line(batch["lines"][0])]}
    path = f"/v1/enrollment/payout-batches/{batch['id']}/results"
    with monkeypatch.context() as patch:
        patch.setattr(payouts, "_tell", killed)
        with pytest.raises(Killed):
            await counter.client.post(path, json=body, headers=headers)
    assert (await withdrawal_of(counter, case))["state"] == "sent"
    assert await counter.balances(WUHAN) == {"bank_mirror": -20_000, "personal_account": 20_000}
    answer = await counter.client.post(path, json=body, headers=headers)
    assert answer.json()["paid"] == 1
    await require_sound_ledger(counter)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_whatever_happens_a_payout_ends_paid_or_returned_exactly_once(
    counter: Counter, seed: int
) -> None:
    """Random orders of batches, answers (also twice, also at once), other accounts and returns."""
    world = World(counter, random.Random(seed))
    for _ in range(4):
        one = await insured(counter)
        world.names[(await payable(counter, form(one)))["case_no"]] = one.name
    for _ in range(60):
        await world.something_happens()
    await world.come_to_an_end()
    rows = await counter.rows("""
        SELECT w.state, h.state, count(l.*) FILTER (WHERE l.state = 'paid'),
               count(l.*) FILTER (WHERE l.state = 'sent'), c.status
        FROM withdrawals w JOIN ledger_holds h ON h.source_id = 'withdrawal_hold:' || w.case_no
        JOIN cases c ON c.case_no = w.case_no LEFT JOIN payout_lines l ON l.case_no = w.case_no
        GROUP BY w.case_no, w.state, h.state, c.status
    """)
    ends = {("paid", "captured", 1, 0, "completed"), ("released", "released", 0, 0, "rejected")}
    assert len(rows) == 4
    assert {tuple(row) for row in rows} == ends  # both ends are reached with each of these seeds
    paid = sum(row[0] == "paid" for row in rows)
    left_fen = 20_000 * (4 - paid)
    assert await counter.balances(WUHAN) == {"bank_mirror": -left_fen, "personal_account": left_fen}
    await require_sound_ledger(counter)


class World:
    """Officers and a bank doing one thing after another, or the same thing at once."""

    def __init__(self, counter: Counter, chance: random.Random) -> None:
        self.counter = counter
        self.chance = chance
        self.names: dict[str, str] = {}
        self.batches: list[dict[str, Any]] = []

    async def something_happens(self) -> None:
        happening = self.chance.choice(
            [self.collect, self.answer, self.answer, self.correct, self.correct, self.confirm, self.give_up]
        )
        await happening()

    async def collect(self) -> None:
        body = {"region_code": WUHAN}
        answers = await asyncio.gather(
            *(self.counter.post("payout-batches", body, cashier(subject=f"cashier-{n}")) for n in range(2))
        )
        self.batches += [answer.json() for answer in answers if answer.status_code == 201]

    async def answer(self) -> None:
        if not self.batches:
            return
        batch = self.chance.choice(self.batches)
        line = self.chance.choice(batch["lines"])
        # Mostly sent back, or everything would be paid before anything else happens.
        told = [self.chance.choice([paid_line, failed_line, failed_line, failed_line])(line)] * 2
        if self.chance.random() < 0.2:
            told[1] = failed_line(line, "账户已销户")
        done = await asyncio.gather(*(results(self.counter, batch, one) for one in told))
        assert {one.status_code for one in done} <= {200, 409}

    async def correct(self) -> None:
        for case_no in self.chance.sample(list(self.names), 2):
            await correct(self.counter, {"case_no": case_no}, self.names[case_no], clerk())

    async def confirm(self) -> None:
        for case_no in self.names:
            told = await withdrawal_of(self.counter, {"case_no": case_no})
            await confirm(self.counter, {"case_no": case_no}, reviewer(), told["payee_version"])

    async def give_up(self) -> None:
        if self.chance.random() < 0.5:
            case_no = self.chance.choice(list(self.names))
            await self.counter.post(f"withdrawals/{case_no}/return", {"reason": "不再支付"}, accountant())

    async def come_to_an_end(self) -> None:
        """What is still open is corrected, confirmed, sent and paid."""
        for case_no, name in self.names.items():
            case = {"case_no": case_no}
            await self._answer_all(paid_line)
            await correct(self.counter, case, name, clerk())
            await confirm(
                self.counter, case, reviewer(), (await withdrawal_of(self.counter, case))["payee_version"]
            )
        await self.collect()
        await self._answer_all(paid_line)

    async def _answer_all(self, told: Any) -> None:
        for batch in self.batches:
            for line in batch["lines"]:
                answer = await results(self.counter, batch, told(line))
                assert answer.status_code in (200, 409)


async def test_a_case_in_payment_is_neither_rejected_nor_withdrawn(counter: Counter) -> None:
    case = await payable(counter, form(await insured(counter)))
    assert (await act(counter, case, "reject", chief(), {"reasons": ["否"]})).json()["code"] == "in_payment"
    assert (await act(counter, case, "withdraw", clerk(), {"reason": "否"})).json()["code"] == "in_payment"
