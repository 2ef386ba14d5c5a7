"""The life of a case, the same in every service: which action leads from where to where.

A table and one function: a state-machine library would bring mutable machine objects and
callbacks where a pure look-up is all that is needed (docs/decisions/0004).
"""

from __future__ import annotations

from enum import StrEnum

from libs.refusals.faults import Refusal, conflict


class Status(StrEnum):
    """Where a case stands."""

    SUBMITTED = "submitted"
    SUPPLEMENTING = "supplementing"
    ACCEPTED = "accepted"
    APPROVED = "approved"
    COMPLETED = "completed"
    REFUSED = "refused"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


STATUS_NAMES = {
    Status.SUBMITTED: "已申请",
    Status.SUPPLEMENTING: "待补正",
    Status.ACCEPTED: "已受理",
    Status.APPROVED: "已审核",
    Status.COMPLETED: "已办结",
    Status.REFUSED: "不予受理",
    Status.REJECTED: "审核不通过",
    Status.WITHDRAWN: "已撤回",
    Status.LAPSED: "视为放弃",
}

ENDED = frozenset({Status.COMPLETED, Status.REFUSED, Status.REJECTED, Status.WITHDRAWN, Status.LAPSED})


class Action(StrEnum):
    """What can be done to a case.

    ``ADVANCE`` is a step of the owning service inside a status; ``NOTE`` keeps in the record what
    befell the case (a reminder, a due date counted anew) and moves nothing.
    """

    SUBMIT = "submit"
    REQUEST_SUPPLEMENT = "request-supplement"
    SUPPLEMENT = "supplement"
    ACCEPT = "accept"
    REFUSE = "refuse"
    APPROVE = "approve"
    ADVANCE = "advance"
    REJECT = "reject"
    COMPLETE = "complete"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    REVIVE = "revive"
    NOTE = "note"


ACTION_NAMES = {
    Action.SUBMIT: "申请",
    Action.REQUEST_SUPPLEMENT: "一次性告知补正",
    Action.SUPPLEMENT: "补正",
    Action.ACCEPT: "受理",
    Action.REFUSE: "不予受理",
    Action.APPROVE: "审核通过",
    Action.ADVANCE: "办理",
    Action.REJECT: "审核不通过",
    Action.COMPLETE: "办结",
    Action.WITHDRAW: "撤回",
    Action.LAPSE: "逾期视为放弃",
    Action.REVIVE: "恢复办理",
    Action.NOTE: "记录",
}

_MOVES: dict[Action, dict[Status, Status]] = {
    Action.SUBMIT: {},  # the beginning: nothing leads to it
    Action.REQUEST_SUPPLEMENT: {
        Status.SUBMITTED: Status.SUPPLEMENTING,
        Status.ACCEPTED: Status.SUPPLEMENTING,
    },
    Action.SUPPLEMENT: {Status.SUPPLEMENTING: Status.SUBMITTED},
    Action.ACCEPT: {Status.SUBMITTED: Status.ACCEPTED},
    Action.REFUSE: {Status.SUBMITTED: Status.REFUSED, Status.SUPPLEMENTING: Status.REFUSED},
    Action.APPROVE: {Status.ACCEPTED: Status.APPROVED},
    Action.ADVANCE: {Status.ACCEPTED: Status.ACCEPTED, Status.APPROVED: Status.APPROVED},
    Action.REJECT: {Status.ACCEPTED: Status.REJECTED, Status.APPROVED: Status.REJECTED},
    Action.COMPLETE: {Status.ACCEPTED: Status.COMPLETED, Status.APPROVED: Status.COMPLETED},
    Action.WITHDRAW: {
        Status.SUBMITTED: Status.WITHDRAWN,
        Status.SUPPLEMENTING: Status.WITHDRAWN,
        Status.ACCEPTED: Status.WITHDRAWN,
        Status.APPROVED: Status.WITHDRAWN,
    },
    Action.LAPSE: {Status.SUPPLEMENTING: Status.LAPSED},
    # Something irrevocable (money already paid) crossed the end on this side.
    Action.REVIVE: {
        Status.WITHDRAWN: Status.ACCEPTED,
        Status.REFUSED: Status.ACCEPTED,
        Status.REJECTED: Status.ACCEPTED,
    },
    # Not while supplementing: there the last line is the notice, and the clock stands still.
    Action.NOTE: {
        Status.SUBMITTED: Status.SUBMITTED,
        Status.ACCEPTED: Status.ACCEPTED,
        Status.APPROVED: Status.APPROVED,
    },
}


# What nobody asks for: it befalls a case.
_BY_ITSELF = frozenset({Action.REVIVE, Action.NOTE})


def move(status: Status, action: Action) -> Status:
    """Status after ``action``. Raises Refusal (conflict) where the table has no such move."""
    target = _MOVES[action].get(status)
    if target is None:
        raise _illegal(status, action)
    return target


def allowed_actions(status: Status) -> list[Action]:
    """What people may do to a case in this status, in the table's order."""
    return [action for action, moves in _MOVES.items() if status in moves and action not in _BY_ITSELF]


def _illegal(status: Status, action: Action) -> Refusal:
    allowed = "、".join(ACTION_NAMES[a] for a in allowed_actions(status)) or "无"
    return conflict(
        "case_status",
        f"办件当前状态为“{STATUS_NAMES[status]}”，不能“{ACTION_NAMES[action]}”；当前可以：{allowed}。",
    )
