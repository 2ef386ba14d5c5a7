"""Sides, regimes and stages of a move, and what each stage is waiting for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libs.refusals.faults import conflict


class Side(StrEnum):
    """Which end of the move a case is: 转入 or 转出."""

    IN = "in"
    OUT = "out"

    @property
    def other(self) -> Side:
        return Side.OUT if self is Side.IN else Side.IN


class Regime(StrEnum):
    """How the two cities talk: by 联系函 (2020) or through the platform (医保办发〔2021〕43号)."""

    LETTER = "letter"
    PLATFORM = "platform"


class Stage(StrEnum):
    """Where a move stands inside its case."""

    CHECKING = "checking"
    CONTACT_LETTER = "contact_letter"
    AWAITING_SHEET = "awaiting_sheet"
    AWAITING_FUNDS = "awaiting_funds"
    TAKE_UP = "take_up"
    CREDITING = "crediting"
    PREPARING = "preparing"
    INFORMATION_SHEET = "information_sheet"
    PAYMENT = "payment"
    AWAITING_COMPLETION = "awaiting_completion"
    CORRECTING = "correcting"
    ENDED = "ended"


STAGE_NAMES = {
    Stage.CHECKING: "受理审查",
    Stage.CONTACT_LETTER: "待发联系函",
    Stage.AWAITING_SHEET: "等待转出地信息表",
    Stage.AWAITING_FUNDS: "已收信息表，等待资金到账",
    Stage.TAKE_UP: "待核对并办理转入",
    Stage.CREDITING: "正在记入个人账户",
    Stage.PREPARING: "正在汇总缴费记录",
    Stage.INFORMATION_SHEET: "待签发信息表",
    Stage.PAYMENT: "待划转资金",
    Stage.AWAITING_COMPLETION: "等待转入地办结反馈",
    Stage.CORRECTING: "转入地退回，待更正",
    Stage.ENDED: "已结束",
}

# Stages in which nothing moves until the other city answers: these are chased.
AWAITING_OTHER_CITY = frozenset({Stage.AWAITING_SHEET, Stage.AWAITING_FUNDS, Stage.AWAITING_COMPLETION})


@dataclass(frozen=True)
class StageLimit:
    """By when a stage is to be over: the catalogue's limit ``name``, ours or the other city's.

    ``continues``: the limit already running covers this stage too (10 working days for
    preparing, issuing and paying together).
    """

    name: str
    ours: bool
    continues: bool = False


STAGE_LIMITS = {
    Stage.CONTACT_LETTER: StageLimit("contact_letter", ours=True),
    Stage.PREPARING: StageLimit("information_sheet", ours=True),
    Stage.INFORMATION_SHEET: StageLimit("information_sheet", ours=True, continues=True),
    Stage.PAYMENT: StageLimit("information_sheet", ours=True, continues=True),
    Stage.CORRECTING: StageLimit("information_sheet", ours=True),
    Stage.TAKE_UP: StageLimit("take_up", ours=True),
    Stage.CREDITING: StageLimit("take_up", ours=True, continues=True),
    Stage.AWAITING_SHEET: StageLimit("information_sheet", ours=False),
    Stage.AWAITING_FUNDS: StageLimit("information_sheet", ours=False, continues=True),
    Stage.AWAITING_COMPLETION: StageLimit("take_up", ours=False),
}

# Where either end may still withdraw. Not while enrollment is crediting, and not once a sheet without
# money is with the other city: nothing but its 办结反馈 is left to come.
_WITHDRAWABLE = {
    Side.IN: frozenset(
        {Stage.CHECKING, Stage.CONTACT_LETTER, Stage.AWAITING_SHEET, Stage.AWAITING_FUNDS, Stage.TAKE_UP}
    ),
    Side.OUT: frozenset(
        {Stage.CHECKING, Stage.PREPARING, Stage.INFORMATION_SHEET, Stage.PAYMENT, Stage.CORRECTING}
    ),
}


def regime_between(transferring_out: str | None, transferring_in: str | None) -> Regime:
    """The platform needs both ends on it; otherwise the letters go round (domain.md §3)."""
    both = transferring_out == Regime.PLATFORM and transferring_in == Regime.PLATFORM
    return Regime.PLATFORM if both else Regime.LETTER


def first_stage_after_acceptance(side: Side, regime: Regime) -> Stage:
    """What an accepted case waits for first."""
    if side is Side.OUT:
        return Stage.PREPARING
    return Stage.CONTACT_LETTER if regime is Regime.LETTER else Stage.AWAITING_SHEET


def stage_with_sheet(amount_fen: int, received_fen: int | None, *, notified: bool) -> Stage:
    """The transferring-in side has the sheet. With money on it, the money and its notice must be here too.

    Without the 划转通知 the case could not be closed: the other city would refuse the 办结反馈.
    """
    complete = amount_fen == 0 or (notified and received_fen == amount_fen)
    return Stage.TAKE_UP if complete else Stage.AWAITING_FUNDS


def may_be_withdrawn(side: Side, stage: Stage, *, money_moved: bool) -> bool:
    """Whether this end may still end the move: as long as no money has moved (domain.md §3)."""
    return not money_moved and stage in _WITHDRAWABLE[side]


def require_withdrawable(side: Side, stage: str, *, money_moved: bool) -> None:
    """Raises Refusal (conflict) once money has moved, or where nothing is left to withdraw."""
    if money_moved:
        raise conflict(
            "money_moved", "个人账户资金已划转，不能撤回或终止；请继续办结，有误的由转入地退回更正。"
        )
    if not may_be_withdrawn(side, Stage(stage), money_moved=False):
        raise conflict("transfer_stage", f"本件目前处于“{STAGE_NAMES[Stage(stage)]}”，不能撤回或终止。")


def require_stage(actual: str, *expected: Stage) -> None:
    """Raises Refusal (conflict) unless the move stands at one of ``expected``."""
    if actual not in expected:
        names = "”或“".join(STAGE_NAMES[stage] for stage in expected)
        raise conflict(
            "transfer_stage",
            f"本件目前处于“{STAGE_NAMES[Stage(actual)]}”，此操作只能在“{names}”时办理。",
        )
