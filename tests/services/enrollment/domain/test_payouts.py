from __future__ import annotations

import datetime as dt

import pytest

from libs.refusals.faults import Refusal, RefusalKind
from services.enrollment.domain.payouts import ENDED, LineState, Outcome, State, judge, moved

SENT_ON, TODAY = dt.date(2026, 3, 9), dt.date(2026, 3, 10)
SENT = Outcome("E1", LineState.SENT)
PAID = Outcome("E1", LineState.PAID, "ICBC-1", TODAY)
FAILED = Outcome("E1", LineState.FAILED, failure_reason="户名不符")


def told(*outcomes: Outcome, known: Outcome = SENT) -> Refusal:
    with pytest.raises(Refusal) as refused:
        judge(outcomes, {known.end_to_end_id: known}, sent_on=SENT_ON, today=TODAY)
    return refused.value


def test_the_first_answer_is_new_and_the_same_again_is_a_repeat() -> None:
    for outcome in (PAID, FAILED):
        assert judge([outcome], {"E1": SENT}, sent_on=SENT_ON, today=TODAY).fresh == [outcome]
        verdict = judge([outcome], {"E1": outcome}, sent_on=SENT_ON, today=TODAY)
        assert (verdict.fresh, verdict.repeated) == ([], 1)


@pytest.mark.parametrize(("known", "outcome"), [(PAID, FAILED), (FAILED, PAID)])
def test_another_answer_is_a_conflict(known: Outcome, outcome: Outcome) -> None:
    assert told(outcome, known=known).kind is RefusalKind.CONFLICT


@pytest.mark.parametrize("on", [dt.date(2026, 3, 8), dt.date(2026, 3, 11)])
def test_the_bank_pays_between_the_sending_and_today(on: dt.date) -> None:
    refusal = told(Outcome("E1", LineState.PAID, "ICBC-1", on))
    assert [fault.code for fault in refusal.faults] == ["settled_on"]


def test_a_contradiction_among_bad_lines_is_told_with_them() -> None:
    refusal = told(FAILED, Outcome("E9", LineState.PAID, "X", TODAY), known=PAID)
    assert refusal.kind is RefusalKind.INVALID
    assert [fault.code for fault in refusal.faults] == ["unknown_line", "contradicts"]


@pytest.mark.parametrize("end", sorted(ENDED))
def test_an_end_is_an_end(end: State) -> None:
    for state in State:
        with pytest.raises(Refusal):
            moved(end, state)


def test_what_is_at_the_bank_is_neither_released_nor_sent_again() -> None:
    for state in (State.RELEASED, State.SENT, State.PAYABLE, State.CORRECTED):
        with pytest.raises(Refusal):
            moved(State.SENT, state)
