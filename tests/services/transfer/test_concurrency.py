"""Many moves at once, two senders and the timers beside them: every one comes to its end, nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from libs.contracts.transfer import FundsPaid, FundsReceived, TransferOutCompleted, TransferTakenUp
from libs.refusals.faults import Refusal
from services.transfer.worker import JOBS
from tests.services.transfer.world import YANTAI, ZAOZHUANG, World

T = TypeVar("T")
MOVES = 8
DEADLINE_S = 60.0


async def test_moves_at_once_come_to_their_end_and_all_money_arrives(world: World) -> None:
    pumps = [asyncio.create_task(pump(world)) for _ in range(2)] + [asyncio.create_task(timers(world))]
    try:
        incoming = await asyncio.wait_for(
            asyncio.gather(*(one_move(world, number) for number in range(MOVES))), DEADLINE_S
        )
        for case_no in incoming:
            await asyncio.wait_for(until(world, await counterpart(world, case_no), "ended"), DEADLINE_S)
        await asyncio.wait_for(eventually(lambda: all_receipted(world)), DEADLINE_S)
    finally:
        for task in pumps:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    expected = sorted(100 + number for number in range(MOVES))
    for fact in (FundsPaid, FundsReceived, TransferTakenUp, TransferOutCompleted):
        assert sorted(told.amount_fen for told in await world.facts(fact)) == expected, fact.__name__
    assert {row[0] for row in await world.sql("SELECT status FROM cases")} == {"completed"}
    assert (await world.sql("SELECT count(*) FROM bank_receipts WHERE matched_case_id IS NULL"))[0][0] == 0


async def all_receipted(world: World) -> bool:
    rows = await world.sql("SELECT count(*) FROM exchange_outgoing WHERE state <> 'receipted'")
    return bool(rows[0][0] == 0)


async def one_move(world: World, number: int) -> str:
    origin, destination = (YANTAI, ZAOZHUANG) if number % 2 else (ZAOZHUANG, YANTAI)
    person = await world.mover(origin, destination)
    incoming = str((await world.apply(world.application(person, origin, destination)))["case_no"])
    await world.act(incoming, "accept", "clerk")
    outgoing = await counterpart(world, incoming)
    await world.prepared(outgoing, 100 + number)
    await world.act(outgoing, "issue-information-sheet", "reviewer")
    # The bank is as fast as the exchange: the line may come before the notice, or with it.
    await asyncio.gather(
        world.pay(outgoing, f"BANK-{number}"),
        world.receipt(destination, f"BANK-{number}", f"{(100 + number) / 100:.2f}"),
    )
    await until(world, incoming, "take_up")
    await world.act(incoming, "take-up", "reviewer")
    await world.credited(incoming, 100 + number)
    return incoming


async def pump(world: World) -> None:
    while True:
        await world.sender.deliver_due()
        await asyncio.sleep(0)


async def timers(world: World) -> None:
    while True:
        for job in JOBS:
            await world.run(job)
        await asyncio.sleep(0)


async def counterpart(world: World, case_no: str) -> str:
    async def found() -> str | None:
        try:
            return await world.counterpart(case_no)
        except Refusal:
            return None  # the other city has not heard of it yet

    return await eventually(found)


async def until(world: World, case_no: str, stage: str) -> None:
    async def reached() -> bool:
        return bool((await world.case(case_no))["stage"] == stage)

    await eventually(reached)


async def eventually(look: Callable[[], Awaitable[T | None]]) -> T:
    """What ``look`` finds, as soon as it finds something."""
    while True:
        if seen := await look():
            return seen
        await asyncio.sleep(0)
