"""A whole transfer, both cities, against its own transactions and hops at their floors."""

from __future__ import annotations

import time
from typing import Any

from libs.runtime.bench.figures import Row, Sample
from libs.runtime.demo.api import until
from libs.runtime.demo.cast import YANTAI, ZAOZHUANG, Insured, officer
from libs.runtime.demo.stage import Stage
from libs.webapp.callers import Role

# The least a move with money needs, one after the other:
# officers' writes: apply, accept, issue the sheet, pay, enter the receipt, take up
WRITES = 6
# messages: application, sheet, fund notice, completion; each leased, received, recorded
MESSAGES, TRANSACTIONS_A_MESSAGE = 4, 3
# facts between transfer and enrollment: out accepted, record prepared, sheet issued, funds paid,
# funds received, taken up, credited, out completed; each appended, consumed, taken from the outbox
FACTS, TRANSACTIONS_A_FACT = 8, 3
TRANSACTIONS = WRITES + MESSAGES * TRANSACTIONS_A_MESSAGE + FACTS * TRANSACTIONS_A_FACT
HOPS = WRITES + MESSAGES


async def measure(stage: Stage, trips: int, transaction_s: float, hop_s: float) -> Row:
    """``transaction_s``: latency of a floor transaction (pgbench); ``hop_s``: of a bare HTTP answer."""
    latencies = []
    for trip in range(trips):
        there, here = await stage.mover(YANTAI, ZAOZHUANG, "2025-01", "2026-01")
        started = time.perf_counter()
        await _one(stage, there, here, f"BENCH{trip:06d}")
        latencies.append(time.perf_counter() - started)
    median_s = sorted(latencies)[len(latencies) // 2]
    floor_s = TRANSACTIONS * transaction_s + HOPS * hop_s
    return Row(
        "一件转移全程（两地、六次办理）",
        f"其{TRANSACTIONS}个事务与{HOPS}次HTTP各按下限",
        "件",
        Sample(1 / median_s, median_s * 1000, max(latencies) * 1000),
        Sample(1 / floor_s, floor_s * 1000),
        0.25,
    )


async def _one(stage: Stage, there: Insured, here: Insured, reference: str) -> None:
    ends = (there.region_code, here.region_code)
    body = stage.application(
        here.region_code, "zaozhuang-transfer-in", there.person, ends, ["identity-proof"]
    )
    clerk = officer(here.region_code, Role.CLERK)
    incoming = (await stage.api.post(clerk, "/v1/applications", body, 201))["case_no"]

    async def accepted() -> Any:
        status, _ = await stage.api.attempt(clerk, f"/v1/applications/{incoming}/actions/accept", {})
        return status == 200

    await until("受理", accepted)
    outgoing = await stage.newest_from(there.region_code, here.region_code)
    await stage.at_stage(outgoing, "information_sheet")
    await _act(stage, outgoing, "issue-information-sheet", Role.REVIEWER, {})
    paid_on = stage.clock.now().date().isoformat()
    await _act(stage, outgoing, "pay", Role.FINANCE, {"bank_reference": reference, "paid_on": paid_on})
    view = await stage.at_stage(incoming, "awaiting_funds")
    await stage.told_of_payment(incoming)
    amount = view["money"]["on_sheet"]
    await stage.bank_receives(here.region_code, there.region_code, reference, amount)
    await stage.at_stage(incoming, "take_up")
    await _act(stage, incoming, "take-up", Role.REVIEWER, {})
    await stage.at_stage(outgoing, "ended")


async def _act(stage: Stage, case_no: str, action: str, role: Role, body: dict[str, Any]) -> None:
    path = f"/v1/applications/{case_no}/actions/{action}"
    await stage.api.post(officer(case_no[:6], role), path, body)
