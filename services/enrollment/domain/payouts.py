"""How a withdrawal's money leaves: what state it stands in, and what a bank's answers may say.

held → payable → sent → paid; a failed line leads back: sent → failed → corrected → payable. It ends paid
or released, exactly once (reliability.md §B, invariant 6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from libs.refusals.faults import Fault, Refusal, conflict, invalid

# 会计法: the cashier does not also check what is paid out.
RULE_CASHIER = "《中华人民共和国会计法》第三十七条（出纳人员不得兼任稽核）"


class State(StrEnum):
    """Of a withdrawal, from its approval on."""

    HELD = "held"
    PAYABLE = "payable"
    SENT = "sent"
    FAILED = "failed"
    CORRECTED = "corrected"
    PAID = "paid"
    RELEASED = "released"


STATE_NAMES = {
    State.HELD: "已审核，待财务复核和负责人审批",
    State.PAYABLE: "待拨付",
    State.SENT: "已送银行",
    State.FAILED: "银行退回，待更正收款账户",
    State.CORRECTED: "收款账户已更正，待复核",
    State.PAID: "已支付",
    State.RELEASED: "未支付，已退回个人账户",
}
ENDED = frozenset({State.PAID, State.RELEASED})

_MOVES = {
    State.HELD: {State.PAYABLE, State.RELEASED},
    State.PAYABLE: {State.SENT, State.RELEASED},
    State.SENT: {State.PAID, State.FAILED},
    State.FAILED: {State.CORRECTED, State.RELEASED},
    State.CORRECTED: {State.CORRECTED, State.PAYABLE, State.RELEASED},
}


class LineState(StrEnum):
    """Of a line of a batch. A withdrawal has at most one that is not failed."""

    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"


LINE_STATE_NAMES = {LineState.SENT: "已送银行", LineState.PAID: "已支付", LineState.FAILED: "已退回"}


def moved(present: State, reached: State) -> State:
    """``reached``, if it may follow. Raises Refusal (conflict)."""
    if reached not in _MOVES.get(present, set()):
        message = f"该笔支取现为“{STATE_NAMES[present]}”，不能转为“{STATE_NAMES[reached]}”。"
        raise conflict("payout_state", message)
    return reached


@dataclass(frozen=True)
class Outcome:
    """What the bank says of a line: paid (reference, date) or failed (reason, and the date where told)."""

    end_to_end_id: str
    state: LineState
    bank_reference: str | None = None
    settled_on: dt.date | None = None
    failure_reason: str | None = None


@dataclass(frozen=True)
class Verdict:
    """The bank's answers held against the batch: what is new, and how many were known already."""

    fresh: Sequence[Outcome]
    repeated: int


def judge(
    told: Sequence[Outcome], known: Mapping[str, Outcome], *, sent_on: dt.date, today: dt.date
) -> Verdict:
    """Sort the answers. ``known``: the batch's lines as they stand, by end-to-end id.

    Raises Refusal with every fault at once: invalid for lines the batch does not have, lines told twice,
    dates that cannot be; conflict where an answer contradicts one taken before.
    """
    faults = []
    first: dict[str, int] = {}
    for index, outcome in enumerate(told):
        at = f"/results/{index}"
        if first.setdefault(outcome.end_to_end_id, index) != index:
            message = f"与第{first[outcome.end_to_end_id] + 1}行为同一笔，一次回盘中每笔只能有一个结果。"
            faults.append(Fault("line_twice", message, f"{at}/end_to_end_id"))
        elif outcome.end_to_end_id not in known:
            message = f"本批次没有端到端编号为{outcome.end_to_end_id}的明细。"
            faults.append(Fault("unknown_line", message, f"{at}/end_to_end_id"))
        else:
            faults += _faults_of_date(outcome, at, sent_on, today)
    contradictions = [
        _contradiction(index, known[outcome.end_to_end_id])
        for index, outcome in enumerate(told)
        if outcome.end_to_end_id in known
        and known[outcome.end_to_end_id].state is not LineState.SENT
        and known[outcome.end_to_end_id] != outcome
    ]
    _refuse(faults, contradictions)
    fresh = [outcome for outcome in told if known[outcome.end_to_end_id].state is LineState.SENT]
    return Verdict(fresh, len(told) - len(fresh))


def _refuse(faults: list[Fault], contradictions: list[Fault]) -> None:
    every = [*faults, *contradictions]
    if not every:
        return
    message = f"银行回盘有{len(every)}处问题，本次未作任何更改。"
    refusal: Refusal = (invalid if faults else conflict)("payout_results", message, every)
    raise refusal


def _faults_of_date(outcome: Outcome, at: str, sent_on: dt.date, today: dt.date) -> list[Fault]:
    on = outcome.settled_on
    if on is None or sent_on <= on <= today:
        return []
    message = f"日期应在送盘日{sent_on}至今天{today}之间。"
    return [Fault("settled_on", message, f"{at}/settled_on")]


def _contradiction(index: int, known: Outcome) -> Fault:
    said = LINE_STATE_NAMES[known.state]
    message = f"该笔已登记为“{said}”，与本次结果不一致；请先与银行核对，不能覆盖。"
    return Fault("contradicts", message, f"/results/{index}")
