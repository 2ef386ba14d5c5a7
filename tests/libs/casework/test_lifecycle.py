"""The whole table of a case's life."""

from __future__ import annotations

import itertools

import pytest

from libs.casework.lifecycle import (
    ACTION_NAMES,
    ENDED,
    STATUS_NAMES,
    Action,
    Status,
    allowed_actions,
    move,
)
from libs.refusals.faults import Refusal, RefusalKind

A, S = Action, Status
# Written out a second time: a change of the table has to be meant.
TABLE = {
    (S.SUBMITTED, A.REQUEST_SUPPLEMENT): S.SUPPLEMENTING,
    (S.ACCEPTED, A.REQUEST_SUPPLEMENT): S.SUPPLEMENTING,
    (S.SUPPLEMENTING, A.SUPPLEMENT): S.SUBMITTED,
    (S.SUBMITTED, A.ACCEPT): S.ACCEPTED,
    (S.SUBMITTED, A.REFUSE): S.REFUSED,
    (S.SUPPLEMENTING, A.REFUSE): S.REFUSED,
    (S.ACCEPTED, A.APPROVE): S.APPROVED,
    (S.ACCEPTED, A.ADVANCE): S.ACCEPTED,
    (S.APPROVED, A.ADVANCE): S.APPROVED,
    (S.ACCEPTED, A.REJECT): S.REJECTED,
    (S.APPROVED, A.REJECT): S.REJECTED,
    (S.ACCEPTED, A.COMPLETE): S.COMPLETED,
    (S.APPROVED, A.COMPLETE): S.COMPLETED,
    (S.SUBMITTED, A.WITHDRAW): S.WITHDRAWN,
    (S.SUPPLEMENTING, A.WITHDRAW): S.WITHDRAWN,
    (S.ACCEPTED, A.WITHDRAW): S.WITHDRAWN,
    (S.APPROVED, A.WITHDRAW): S.WITHDRAWN,
    (S.SUPPLEMENTING, A.LAPSE): S.LAPSED,
    (S.WITHDRAWN, A.REVIVE): S.ACCEPTED,
    (S.REFUSED, A.REVIVE): S.ACCEPTED,
    (S.REJECTED, A.REVIVE): S.ACCEPTED,
    (S.SUBMITTED, A.NOTE): S.SUBMITTED,
    (S.ACCEPTED, A.NOTE): S.ACCEPTED,
    (S.APPROVED, A.NOTE): S.APPROVED,
}


@pytest.mark.parametrize(("status", "action"), list(itertools.product(Status, Action)))
def test_every_status_and_action(status: Status, action: Action) -> None:
    if (status, action) in TABLE:
        assert move(status, action) is TABLE[status, action]
        return
    with pytest.raises(Refusal) as refused:
        move(status, action)
    assert (refused.value.kind, refused.value.code) == (RefusalKind.CONFLICT, "case_status")
    assert STATUS_NAMES[status] in refused.value.message
    assert ACTION_NAMES[action] in refused.value.message


def test_an_illegal_move_says_what_can_be_done_instead() -> None:
    with pytest.raises(Refusal, match="不能“受理”；当前可以：补正、不予受理、撤回、逾期视为放弃。"):
        move(Status.SUPPLEMENTING, Action.ACCEPT)
    with pytest.raises(Refusal, match="当前可以：无。"):
        move(Status.COMPLETED, Action.WITHDRAW)


def test_what_has_ended_ends_only_once() -> None:
    assert not [action for status in ENDED for action in allowed_actions(status)]


def test_every_open_case_can_be_withdrawn() -> None:
    assert all(Action.WITHDRAW in allowed_actions(status) for status in set(Status) - ENDED)


def test_everything_has_a_name() -> None:
    assert set(STATUS_NAMES) == set(Status)
    assert set(ACTION_NAMES) == set(Action)
