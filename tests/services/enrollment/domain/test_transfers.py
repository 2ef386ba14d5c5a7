from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from libs.refusals.faults import Refusal
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.transfers import (
    OpenTransfer,
    Relation,
    Side,
    State,
    later,
    reasons_to_stay,
    require_amount,
    require_cancellable,
)

STOPPED = Spell(
    region_code="370400",
    insurance_kind=InsuranceKind.EMPLOYEE,
    person_kind=PersonKind.EMPLOYEE,
    started_on=dt.date(2020, 1, 1),
    stopped_on=dt.date(2026, 2, 28),
)
ACTIVE = replace(STOPPED, stopped_on=None)
READY = Relation(InsuranceKind.EMPLOYEE, [STOPPED], [], held_fen=0)


def codes(relation: Relation) -> list[str]:
    return [fault.code for fault in reasons_to_stay(relation)]


def test_a_stopped_relation_may_leave() -> None:
    assert codes(READY) == []


def test_who_was_never_enrolled_cannot_leave() -> None:
    assert codes(replace(READY, spells=[])) == ["not_enrolled"]


def test_who_has_left_cannot_leave_again() -> None:
    left = replace(STOPPED, transferred_out_on=dt.date(2026, 3, 1))
    assert codes(replace(READY, spells=[left])) == ["already_left"]


def test_who_came_back_after_leaving_can_leave_with_the_new_relation() -> None:
    left = replace(STOPPED, transferred_out_on=dt.date(2025, 3, 1))
    assert codes(replace(READY, spells=[left, STOPPED])) == []


def test_every_reason_is_told() -> None:
    relation = Relation(
        InsuranceKind.EMPLOYEE,
        [replace(STOPPED, person_kind=PersonKind.RETIREE), ACTIVE],
        [OpenTransfer("case-9", Side.OUT, "370600")],
        held_fen=1,
    )
    assert codes(relation) == ["still_active", "retiree", "transfer_under_way", "account_on_hold"]


@pytest.mark.parametrize(
    ("present", "reached", "then"),
    [
        (State.PREPARED, State.ISSUED, State.ISSUED),
        (State.PAID, State.ISSUED, State.PAID),
        (State.COMPLETED, State.PAID, State.COMPLETED),
        (State.CREDITED, State.RECEIVED, State.CREDITED),
    ],
)
def test_a_late_fact_does_not_take_a_transfer_back(present: State, reached: State, then: State) -> None:
    assert later(present, reached) is then


def test_a_cancelled_transfer_goes_no_further() -> None:
    with pytest.raises(Refusal, match="已撤销"):
        later(State.CANCELLED, State.ISSUED)


@pytest.mark.parametrize("state", [State.PAID, State.COMPLETED])
def test_once_the_money_has_left_nothing_is_cancelled(state: State) -> None:
    with pytest.raises(Refusal, match="资金已划出"):
        require_cancellable(state)


@pytest.mark.parametrize("state", [State.PREPARED, State.ISSUED, State.CANCELLED])
def test_before_the_money_leaves_it_can_be_cancelled(state: State) -> None:
    require_cancellable(state)


def test_two_amounts_for_one_transfer_are_refused() -> None:
    require_amount(100, 100)
    with pytest.raises(Refusal, match=r"1\.00元，收到的是1\.01元"):
        require_amount(100, 101)
