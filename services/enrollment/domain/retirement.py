"""Whether somebody has contributed long enough to retire in employee insurance, by the region's dated rule.

The age of retirement is not decided here: the 退休审批材料 (hubei-2022 L487) is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from services.enrollment.domain.contributing import OWN, KnownMonth
from services.enrollment.domain.crediting.rules import RetirementRule
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.months import month_of

MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class Assessment:
    """Counted in months: in all, and paid here; ``months_short`` is what is still to be paid here."""

    enough: bool
    months_paid: int
    months_needed: int
    months_paid_here: int
    months_needed_here: int
    months_short: int
    rule_id: str

    @property
    def years_paid(self) -> str:
        """``12年3个月``."""
        return in_years(self.months_paid)

    @property
    def years_needed(self) -> str:
        return in_years(self.months_needed)

    @property
    def sentence(self) -> str:
        """The outcome for people."""
        told = (
            f"职工医保累计缴费{self.years_paid}（应满{self.years_needed}），"
            f"其中本地实际缴费{in_years(self.months_paid_here)}（应满{in_years(self.months_needed_here)}）"
        )
        if self.enough:
            return f"{told}，已达到退休后享受医保待遇的缴费年限。"
        return f"{told}，尚差{in_years(self.months_short)}，请继续缴费或按规定一次性补足。"


def assess(months: Iterable[KnownMonth], sex: str, on: dt.date, rule: RetirementRule) -> Assessment:
    """Months of employee insurance up to the month of ``on``, each once; those that have left do not count.

    ``sex`` is 男 or 女. What is short is the larger of the two gaps: a month paid here closes both.
    """
    counted = {
        known.month: known.source == OWN
        for known in months
        if known.insurance_kind is InsuranceKind.EMPLOYEE
        and not known.has_left
        and known.month <= month_of(on)
    }
    paid, here = len(counted), sum(counted.values())
    needed = rule.years_needed["男" if sex == "男" else "女"] * MONTHS_A_YEAR
    needed_here = rule.years_here * MONTHS_A_YEAR
    short = max(needed - paid, needed_here - here, 0)
    return Assessment(short == 0, paid, needed, here, needed_here, short, rule.name)


def in_years(months: int) -> str:
    """27 -> ``2年3个月``; 24 -> ``2年``; 0 -> ``0个月``."""
    years, rest = divmod(months, MONTHS_A_YEAR)
    return f"{years}年{rest}个月" if years and rest else f"{years}年" if years else f"{rest}个月"
