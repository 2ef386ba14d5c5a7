"""Which contribution months may be recorded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.money.amounts import yuan_of
from libs.refusals.faults import Fault, Refusal, conflict, invalid
from libs.regions import names
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import (
    INSURANCE_NAMES,
    InsuranceKind,
    PersonKind,
    has_personal_account,
)
from services.enrollment.domain.months import Month, month_of

OWN = "own"
TRANSFERRED_IN = "transferred_in"
ALREADY_RECORDED = "month_recorded"


@dataclass(frozen=True)
class NewMonth:
    """A month to record: contribution base, and what goes to the personal account, in fen."""

    month: str
    base_fen: int
    account_fen: int


@dataclass(frozen=True)
class KnownMonth:
    """A month that stands in the books already.

    ``is_leaving``: it goes, or went, with a transfer out; ``has_left``: that transfer is completed.
    """

    month: str
    insurance_kind: InsuranceKind
    base_fen: int | None
    account_fen: int
    source: str
    origin_region_code: str
    origin_agency_name: str
    is_leaving: bool
    has_left: bool = False

    @property
    def counted(self) -> Month:
        """The month as periods are made of it."""
        return Month(self.month, self.insurance_kind, self.origin_region_code, self.origin_agency_name)

    def repeats(self, kind: InsuranceKind, new: NewMonth) -> bool:
        """Whether ``new`` says what is known already."""
        told = (kind, new.base_fen, new.account_fen, OWN, False)
        return told == (self.insurance_kind, self.base_fen, self.account_fen, self.source, self.is_leaving)


def faults_of_contributions(
    kind: InsuranceKind,
    months: Sequence[NewMonth],
    *,
    spells: Sequence[Spell],
    known: Mapping[str, KnownMonth],
    today: dt.date,
) -> list[Fault]:
    """Every reason against recording these months; ``spells`` are the person's here, of any kind."""
    spells = [spell for spell in spells if spell.insurance_kind == kind]
    seen: set[str] = set()
    faults = []
    for index, new in enumerate(months):
        pointer = f"/months/{index}"
        if new.month in seen:
            faults.append(Fault("month_twice", f"{new.month}在本次提交中出现两次。", f"{pointer}/month"))
        seen.add(new.month)
        faults += _faults_of_amounts(kind, new, pointer)
        faults += _faults_of_time(kind, new, spells, today, pointer)
        faults += _faults_of_record(kind, new, known.get(new.month), pointer)
    return faults


def refusal_of_contributions(faults: Sequence[Fault]) -> Refusal:
    """409 where months merely stand in the books already, else 422; nothing is recorded either way."""
    message = f"缴费记录有{len(faults)}处不符合规定，本次未作任何更改。"
    if all(fault.code == ALREADY_RECORDED for fault in faults):
        return conflict(ALREADY_RECORDED, message, faults)
    return invalid("contributions", message, faults)


def _faults_of_amounts(kind: InsuranceKind, new: NewMonth, pointer: str) -> list[Fault]:
    if new.account_fen and not has_personal_account(kind):
        message = f"{INSURANCE_NAMES[kind]}不设个人账户，记入个人账户的金额应为0.00。"
        return [Fault("no_personal_account", message, f"{pointer}/account_yuan")]
    if new.account_fen > new.base_fen:
        message = f"记入个人账户的金额不能超过缴费基数{yuan_of(new.base_fen)}元。"
        return [Fault("account_above_base", message, f"{pointer}/account_yuan")]
    return []


def _faults_of_time(
    kind: InsuranceKind, new: NewMonth, spells: Sequence[Spell], today: dt.date, pointer: str
) -> list[Fault]:
    if new.month > month_of(today):
        message = f"{new.month}尚未到来，只能记录{month_of(today)}及以前月份的缴费。"
        return [Fault("month_in_future", message, f"{pointer}/month")]
    covering = [spell for spell in spells if covers(spell, new.month)]
    if not covering:
        message = f"{new.month}不在{INSURANCE_NAMES[kind]}的参保期间内（{_told(spells)}）。"
        return [Fault("month_outside_enrolment", message, f"{pointer}/month")]
    if all(spell.person_kind is PersonKind.RETIREE for spell in covering):
        return [Fault("retiree_pays_nothing", f"{new.month}已是退休人员，不再缴费。", f"{pointer}/month")]
    return []


def _faults_of_record(
    kind: InsuranceKind, new: NewMonth, known: KnownMonth | None, pointer: str
) -> list[Fault]:
    if known is None or known.repeats(kind, new):
        return []
    message = f"{new.month}{_why_known(kind, known)}，一个月不能计算两次。"
    return [Fault(ALREADY_RECORDED, message, f"{pointer}/month")]


def _why_known(kind: InsuranceKind, known: KnownMonth) -> str:
    if known.is_leaving:
        return "的缴费已随医保关系转出（或正在转出）"
    if known.source == TRANSFERRED_IN:
        return f"的缴费已由{names.name_of(known.origin_region_code)}转入"
    if known.insurance_kind != kind:
        return f"已按{INSURANCE_NAMES[known.insurance_kind]}计月"
    base = "未知" if known.base_fen is None else f"{yuan_of(known.base_fen)}元"
    return f"已按缴费基数{base}、记入个人账户{yuan_of(known.account_fen)}元记录"


def covers(spell: Spell, month: str) -> bool:
    """Months in which a spell starts or stops count; what has been transferred out is not ours any more."""
    if spell.transferred_out_on is not None or month < month_of(spell.started_on):
        return False
    return spell.stopped_on is None or month <= month_of(spell.stopped_on)


def _told(spells: Sequence[Spell]) -> str:
    if not spells:
        return "没有参保记录"
    return "、".join(
        f"{spell.started_on}至{spell.stopped_on or '今'}{'，已转出' if spell.transferred_out_on else ''}"
        for spell in spells
    )
