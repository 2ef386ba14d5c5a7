"""Stages: what may be withdrawn, what is waited for, which regime."""

from __future__ import annotations

import pytest

from libs.refusals.faults import Refusal
from services.transfer.domain.rules import rules
from services.transfer.domain.stages import (
    AWAITING_OTHER_CITY,
    STAGE_LIMITS,
    STAGE_NAMES,
    Regime,
    Side,
    Stage,
    first_stage_after_acceptance,
    may_be_withdrawn,
    regime_between,
    require_stage,
    require_withdrawable,
    stage_with_sheet,
)


def test_every_stage_has_a_name_and_every_limit_a_default() -> None:
    assert set(STAGE_NAMES) == set(Stage)
    assert {limit.name for limit in STAGE_LIMITS.values()} == set(rules().stage_limits_working_days)


def test_what_is_awaited_has_a_limit_of_the_other_city() -> None:
    assert {stage for stage, limit in STAGE_LIMITS.items() if not limit.ours} == AWAITING_OTHER_CITY


@pytest.mark.parametrize(
    ("out", "into", "regime"),
    [
        ("platform", "platform", Regime.PLATFORM),
        ("platform", "letter", Regime.LETTER),
        ("letter", "platform", Regime.LETTER),
        ("letter", "letter", Regime.LETTER),
        (None, "platform", Regime.LETTER),
        (None, None, Regime.LETTER),
    ],
)
def test_the_platform_needs_both_ends(out: str | None, into: str | None, regime: Regime) -> None:
    assert regime_between(out, into) is regime


@pytest.mark.parametrize(
    ("amount_fen", "received_fen", "notified", "stage"),
    [
        (0, None, False, Stage.TAKE_UP),
        (100, None, False, Stage.AWAITING_FUNDS),
        (100, None, True, Stage.AWAITING_FUNDS),
        (100, 100, False, Stage.AWAITING_FUNDS),
        (100, 99, True, Stage.AWAITING_FUNDS),
        (100, 100, True, Stage.TAKE_UP),
    ],
)
def test_money_and_its_notice_must_both_be_here(
    amount_fen: int, received_fen: int | None, notified: bool, stage: Stage
) -> None:
    assert stage_with_sheet(amount_fen, received_fen, notified=notified) is stage


def test_moved_money_is_never_withdrawn() -> None:
    assert not [
        (side, stage) for side in Side for stage in Stage if may_be_withdrawn(side, stage, money_moved=True)
    ]
    with pytest.raises(Refusal, match="资金已划转"):
        require_withdrawable(Side.IN, Stage.AWAITING_FUNDS, money_moved=True)


def test_a_sheet_without_money_is_not_taken_back_by_who_sent_it() -> None:
    assert not may_be_withdrawn(Side.OUT, Stage.AWAITING_COMPLETION, money_moved=False)
    assert may_be_withdrawn(Side.IN, Stage.TAKE_UP, money_moved=False)


def test_after_acceptance_each_side_begins_where_it_has_to() -> None:
    assert first_stage_after_acceptance(Side.OUT, Regime.LETTER) is Stage.PREPARING
    assert first_stage_after_acceptance(Side.IN, Regime.LETTER) is Stage.CONTACT_LETTER
    assert first_stage_after_acceptance(Side.IN, Regime.PLATFORM) is Stage.AWAITING_SHEET


def test_a_step_at_the_wrong_stage_names_both() -> None:
    with pytest.raises(Refusal, match="目前处于“受理审查”，此操作只能在“待划转资金”时办理"):
        require_stage("checking", Stage.PAYMENT)
