"""How money and record of a transfer stand on one side, and who may leave.

Out: prepared → issued → paid → completed, or cancelled before it is paid. In: received → credited.
Facts of one person come in order, but each step's postings stand alone and sum up the same in
any order, so a late fact never undoes what a later step has reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from libs.money.amounts import yuan_of
from libs.refusals.faults import Fault, conflict
from libs.regions import names
from services.enrollment.domain.enrolling import Spell, evidence
from services.enrollment.domain.kinds import INSURANCE_NAMES, InsuranceKind, PersonKind

# A condition of the national measures, cited to people of every region; read in hubei-2022 L2804.
RULE_STOPPED = "医保办发〔2021〕43号（在转出地已中止参保）"
RULE_MEASURES = "医保办发〔2021〕43号"


class Side(StrEnum):
    OUT = "out"
    IN = "in"


class State(StrEnum):
    PREPARED = "prepared"
    ISSUED = "issued"
    PAID = "paid"
    COMPLETED = "completed"
    RECEIVED = "received"
    CREDITED = "credited"
    CANCELLED = "cancelled"


_ORDER = (State.PREPARED, State.ISSUED, State.PAID, State.COMPLETED, State.RECEIVED, State.CREDITED)
OPEN = frozenset({State.PREPARED, State.ISSUED, State.PAID, State.RECEIVED})
LEAVING = frozenset({State.PREPARED, State.ISSUED, State.PAID})


def later(present: State, reached: State) -> State:
    """The further of two states of one side. Raises Refusal (conflict) for a cancelled transfer."""
    if present is State.CANCELLED:
        raise conflict("transfer_cancelled", "该转移接续已撤销，不能再办理后续步骤。")
    return max(present, reached, key=_ORDER.index)


def require_cancellable(present: State) -> None:
    """Raises Refusal (conflict) once the money has left: then it can only be corrected or sent back."""
    if present not in (State.PREPARED, State.ISSUED, State.CANCELLED):
        raise conflict("transfer_paid", "资金已划出，不能撤销转出；应更正或由转入地退回。")


def require_amount(known_fen: int, told_fen: int) -> None:
    """Raises Refusal (conflict) unless both sides of a step speak of the same money."""
    if known_fen != told_fen:
        message = f"金额不符：本地账上为{yuan_of(known_fen)}元，收到的是{yuan_of(told_fen)}元。"
        raise conflict("transfer_amount", message)


@dataclass(frozen=True)
class OpenTransfer:
    """Another transfer of the same person and kind that is under way here."""

    case_no: str
    side: Side
    counterpart_region_code: str


@dataclass(frozen=True)
class Relation:
    """What the transferring-out side knows of a person and one kind of insurance.

    ``spells`` are of that kind, ``held_fen`` is on hold for other business.
    """

    insurance_kind: InsuranceKind
    spells: Sequence[Spell]
    open_transfers: Sequence[OpenTransfer]
    held_fen: int


def reasons_to_stay(relation: Relation) -> list[Fault]:
    """All reasons why the relation cannot leave; empty when it can."""
    kind = INSURANCE_NAMES[relation.insurance_kind]
    if not relation.spells:
        message = f"本地没有该人员的{kind}参保记录，请核对转出地和险种。"
        return [Fault("not_enrolled", message, rule=RULE_MEASURES)]
    return [
        *_faults_of_spells(kind, relation.spells),
        *(under_way(other) for other in relation.open_transfers),
        *_faults_of_account(relation.held_fen),
    ]


def _faults_of_spells(kind: str, spells: Sequence[Spell]) -> list[Fault]:
    here = [spell for spell in spells if spell.transferred_out_on is None]
    if not here:
        left_on = max(spell.transferred_out_on for spell in spells if spell.transferred_out_on)
        return [Fault("already_left", f"该人员的{kind}关系已于{left_on}转出。", rule=RULE_MEASURES)]
    faults = [
        Fault("still_active", f"该人员{evidence(spell)}，尚未停保，请先办理停保。", rule=RULE_STOPPED)
        for spell in here
        if spell.is_active
    ]
    if any(spell.person_kind is PersonKind.RETIREE for spell in here):
        message = "该人员已享受职工退休人员医疗保险待遇，不转移医保关系。"
        faults.append(Fault("retiree", message, rule=RULE_MEASURES))
    return faults


def under_way(other: OpenTransfer) -> Fault:
    """What is told while another transfer of the same person and kind is not ended."""
    direction = "转往" if other.side is Side.OUT else "转入自"
    place = names.name_of(other.counterpart_region_code)
    message = (
        f"该人员同一险种的转移接续（{direction}{place}，办件编号{other.case_no}）正在办理，请先办结或撤回。"
    )
    return Fault("transfer_under_way", message)


def _faults_of_account(held_fen: int) -> list[Fault]:
    if held_fen == 0:
        return []
    message = f"个人账户有{yuan_of(held_fen)}元因其他业务冻结，请待该业务办结后再转出。"
    return [Fault("account_on_hold", message)]
