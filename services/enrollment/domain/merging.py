"""Two records of one person (两条档案): whether they can become one, and what then counts once.

No document prescribes it (a duplicate record is a mistake of the books); the conditions follow from
"nobody is enrolled twice" and "no month counts twice".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.money.amounts import yuan_of
from libs.refusals.faults import Fault
from services.enrollment.domain.contributing import KnownMonth
from services.enrollment.domain.enrolling import Spell, evidence
from services.enrollment.domain.kinds import INSURANCE_NAMES, InsuranceKind, counts_as
from services.enrollment.domain.people import PersonalData
from services.enrollment.domain.transfers import OpenTransfer, under_way


@dataclass(frozen=True)
class Record:
    """One of the two records, with all that hangs on it. ``held_fen`` by kind of insurance.

    ``open_withdrawals`` are numbers of cases.
    """

    id: UUID
    data: PersonalData
    sex: str
    birth_date: dt.date
    deceased_on: dt.date | None
    spells: Sequence[Spell]
    months: Sequence[KnownMonth]
    held_fen: Mapping[InsuranceKind, int]
    open_transfers: Sequence[OpenTransfer]
    open_withdrawals: Sequence[str]


@dataclass(frozen=True)
class DoubleMonth:
    """A month that stands on both records: the kept record's goes on counting."""

    kept: KnownMonth
    merged: KnownMonth

    def told(self) -> dict[str, Any]:
        """As the request and the change record keep it; amounts in fen."""
        return {
            "month": self.kept.month,
            "stays": _told_month(self.kept),
            "counts_no_more": _told_month(self.merged),
        }


def reasons_against(keep: Record, merge: Record) -> list[Fault]:
    """Every reason why the two cannot become one now."""
    faults = [
        Fault(
            "both_active",
            f"两条档案同时在保：{evidence(one)}；{evidence(other)}。请先停保其中一条参保关系。",
            "/merge_id",
        )
        for one in keep.spells
        for other in merge.spells
        if one.is_active and other.is_active and _exclude_one_another(one, other)
    ]
    for record, pointer in ((keep, "/keep_id"), (merge, "/merge_id")):
        faults += [
            Fault("transfer_under_way", under_way(transfer).message, pointer)
            for transfer in record.open_transfers
        ]
        faults += [
            Fault(
                "account_on_hold",
                f"人员编号{record.id}的个人账户（{INSURANCE_NAMES[kind]}）有{yuan_of(held)}元因其他业务冻结，"
                "请待该业务办结。",
                pointer,
            )
            for kind, held in record.held_fen.items()
            if held
        ]
        faults += [
            Fault("withdrawal_under_way", f"个人账户一次性支取（办件编号{case_no}）正在办理。", pointer)
            for case_no in record.open_withdrawals
        ]
    faults += [
        Fault(
            "deceased_and_insured",
            f"另一条档案已登记死亡（{other.deceased_on}），人员编号{record.id}仍在保：{evidence(spell)}。"
            "请先登记该档案的死亡或停保；误报的请先撤销死亡信息。",
            pointer,
        )
        for record, other, pointer in ((keep, merge, "/keep_id"), (merge, keep, "/merge_id"))
        if other.deceased_on
        for spell in record.spells
        if spell.is_active
    ]
    if keep.deceased_on and merge.deceased_on and keep.deceased_on != merge.deceased_on:
        message = f"两条档案登记的死亡日期不一致（{keep.deceased_on}、{merge.deceased_on}），请先更正。"
        faults.append(Fault("deceased_disagrees", message, "/merge_id"))
    return faults


def double_months(keep: Record, merge: Record) -> list[DoubleMonth]:
    """Months on both, in order: each counts once, the kept record's."""
    kept = {(counts_as(month.insurance_kind), month.month): month for month in keep.months}
    both = [
        DoubleMonth(kept[key], month)
        for month in merge.months
        if (key := (counts_as(month.insurance_kind), month.month)) in kept
    ]
    return sorted(both, key=lambda double: double.kept.month)


def differences(keep: Record, merge: Record) -> list[str]:
    """What the two say differently of the person: for the reviewer's eye, without the values."""
    pairs = {
        "姓名": (keep.data.name, merge.data.name),
        "性别": (keep.sex, merge.sex),
        "出生日期": (keep.birth_date, merge.birth_date),
        "证件类型": (keep.data.credential.type, merge.data.credential.type),
        "联系电话": (keep.data.telephone, merge.data.telephone),
    }
    return [name for name, (one, other) in pairs.items() if one != other]


def overlapping_spells(keep: Record, merge: Record) -> list[str]:
    """Evidence of times enrolled twice in the past: told, nothing is changed about them."""
    return [
        f"{evidence(one)}；{evidence(other)}"
        for one in keep.spells
        for other in merge.spells
        if _exclude_one_another(one, other) and _overlap(one, other)
    ]


def _exclude_one_another(one: Spell, other: Spell) -> bool:
    return counts_as(one.insurance_kind) == counts_as(other.insurance_kind)


def _overlap(one: Spell, other: Spell) -> bool:
    ends = [spell.stopped_on or dt.date.max for spell in (one, other)]
    return max(one.started_on, other.started_on) <= min(ends)


def _told_month(month: KnownMonth) -> dict[str, Any]:
    return {
        "insurance_kind": month.insurance_kind.value,
        "source": month.source,
        "origin_region_code": month.origin_region_code,
        "base_fen": month.base_fen,
        "account_fen": month.account_fen,
    }
