"""Killed workers, several workers, and people who leave while their file is applied."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from libs.contracts.enrollment import ContributionsRecorded
from libs.ledger.verification import verify
from libs.webapp.database import ALL_REGIONS
from services.enrollment.service.contribution_files.applying import apply_chunk
from services.enrollment.service.desk import Desk
from services.enrollment.worker import work_off
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Card, Counter, accepted
from tests.services.enrollment.service.doomed_files import CHUNK
from tests.services.enrollment.tax import Row, Tax, apply_all, file_of, row_of
from tests.support.service import published
from tests.support.statements import assert_statements

ROWS = 35


@pytest.fixture
def tax(counter: Counter) -> Tax:
    return Tax(counter)


async def payments(counter: Counter, count: int = ROWS) -> list[Row]:
    """A payment each of five people, for as many months as it takes; every seventh finds nobody."""
    cards = [await counter.person() for _ in range(5)]
    for card in cards:
        await counter.enrol(card, since="2024-01-01")
    rows = []
    for number in range(count):
        month = f"{2024 + number // 60}-{number // 5 % 12 + 1:02d}"
        row = await row_of(counter, cards[number % 5], f"SN-{number:06d}", period=month)
        rows.append(row if number % 7 else Row(row.serial, "37040219900101001X", "甲某", month))
    return rows


async def require_once(counter: Counter, rows: int = ROWS) -> None:
    """Every row has moved its money once, and is told once."""
    unmatched = len(range(0, rows, 7))
    assert await counter.balances(ZAOZHUANG) == {
        "bank_mirror": -50_000 * rows,
        "unattributed": 50_000 * unmatched,
        "pooled": 40_000 * (rows - unmatched),
        "personal_account": 10_000 * (rows - unmatched),
    }
    found = await counter.rows("SELECT outcome, count(*) FROM contribution_payments GROUP BY 1")
    assert dict(found) == {"matched": rows - unmatched, "unmatched": unmatched}
    ((months,),) = await counter.rows("SELECT count(*) FROM contribution_months")
    facts = [fact.payment for fact in await published(counter.resources, ContributionsRecorded)]
    assert months == len(facts) == len(set(facts)) == rows - unmatched
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        assert await verify(session) == []


@pytest.mark.parametrize(("when", "applied"), [("before_commit", CHUNK), ("after_commit", 2 * CHUNK)])
async def test_a_worker_killed_in_the_middle_of_a_file_loses_and_repeats_nothing(
    counter: Counter, tax: Tax, when: str, applied: int
) -> None:
    await tax.send(file_of(await payments(counter)))
    module = "tests.services.enrollment.service.doomed_files"
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", module, counter.resources.database.url, when],
        capture_output=True,
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    ((pending,),) = await counter.rows("SELECT count(*) FROM contribution_payments WHERE outcome = 'pending'")
    assert pending == ROWS - applied
    await apply_all(counter.resources)
    await require_once(counter)


async def test_several_workers_apply_every_row_once(counter: Counter, tax: Tax) -> None:
    rows = await payments(counter)
    await tax.send(file_of(rows[:20], file_no="SW-0001"))
    await tax.send(file_of(rows[20:], file_no="SW-0002"))

    async def one_worker() -> None:
        await work_off(counter.resources, lambda desk: apply_chunk(desk, 3))

    await asyncio.gather(*(one_worker() for _ in range(4)))
    await one_worker()  # the last chunk of one may have been hidden from the others
    await require_once(counter)


async def test_the_files_of_a_region_are_applied_one_after_the_other(counter: Counter, tax: Tax) -> None:
    """A red entry in the second file finds what the first one booked, whoever works on them."""
    card = await counter.person()
    await counter.enrol(card)
    paid = await row_of(counter, card, "SN-000001")
    await tax.send(file_of([Row("SN-000000", "37040219900101001X", "甲某"), paid], file_no="SW-0001"))
    await tax.send(file_of([paid.red("SN-000002")], file_no="SW-0002"))
    await asyncio.gather(*(work_off(counter.resources, lambda desk: apply_chunk(desk, 1)) for _ in range(3)))
    await apply_all(counter.resources)
    outcomes = dict(await counter.rows("SELECT serial, outcome FROM contribution_payments"))
    assert outcomes == {"SN-000000": "unmatched", "SN-000001": "reversed", "SN-000002": "matched"}


async def test_another_region_s_file_does_not_wait(counter: Counter, tax: Tax) -> None:
    await tax.send(file_of([Row("SN-000001", "37040219900101001X", "甲某")]))
    await tax.send(file_of([Row("SN-000001", "37040219900101001X", "甲某")], region=YANTAI))
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        await apply_chunk(Desk(session, counter.resources.protector, counter.resources.clock.now()))
        await work_off(counter.resources, apply_chunk)  # the first region's is taken
        states = await counter.rows("SELECT region_code, state FROM contribution_files")
        assert dict(states) == {ZAOZHUANG: "applying", YANTAI: "done"}


async def test_a_chunk_takes_as_many_statements_for_one_row_as_for_many(counter: Counter, tax: Tax) -> None:
    await tax.send(file_of(await payments(counter)))
    facts = ROWS - len(range(0, ROWS, 7))  # published one by one
    desk_statements = 22
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        with assert_statements(counter.resources.database.engine, at_most=desk_statements + facts):
            await apply_chunk(Desk(session, counter.resources.protector, counter.resources.clock.now()))


async def test_a_month_is_paid_or_leaves_never_both(counter: Counter, tax: Tax) -> None:
    """Transfers out are prepared while the people's file is applied: who comes first is right."""
    cards = [await counter.person() for _ in range(8)]
    for card in cards:
        await counter.stop(await counter.enrol(card))
    await tax.send(file_of([await row_of(counter, card, f"SN-{n:06d}") for n, card in enumerate(cards)]))

    async def leave(card: Card) -> None:
        await counter.deliver(accepted(card, conversation=f"conversation-{card.id}"))

    await asyncio.gather(
        work_off(counter.resources, lambda desk: apply_chunk(desk, 2)), *(leave(card) for card in cards)
    )
    await apply_all(counter.resources)
    for number, card in enumerate(cards):
        ((outcome,),) = await counter.rows(
            "SELECT outcome FROM contribution_payments WHERE serial = :serial", serial=f"SN-{number:06d}"
        )
        travelling = await counter.rows(
            "SELECT travels_with IS NOT NULL FROM contribution_months WHERE person_id = :id", id=card.id
        )
        ((leaving_fen,),) = await counter.rows(
            "SELECT amount_fen FROM transfers WHERE person_key = :key", key=card.key
        )
        # Paid before it left: month and money travel. Else the payment waits, and nothing is left behind.
        expected = ([(True,)], 10_000) if outcome == "matched" else ([], 0)
        assert ([tuple(row) for row in travelling], leaving_fen) == expected
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        assert await verify(session) == []
