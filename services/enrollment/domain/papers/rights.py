"""个人权益记录 of one calendar year (hubei-2022 item 八; shandong-2023 guide 3.2, L589)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from libs.regions.agencies import Agency
from services.enrollment.domain.contributing import KnownMonth
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.months import month_of
from services.enrollment.domain.people import PersonalData

TITLE = "参保缴费证明（个人权益记录）"
FIRST_YEAR = 1994
"""Employee insurance began as a trial in 1994; no month before it is on any record."""


@dataclass(frozen=True)
class Movement:
    """What changed an account on a day, signed, in fen; ``purpose`` is the ledger's."""

    on: dt.date
    purpose: str
    amount_fen: int


@dataclass(frozen=True)
class YearAccount:
    """个人账户 of a year in fen: opening + credits − debits = closing."""

    insurance_kind: InsuranceKind
    opening_fen: int
    credits_fen: int
    debits_fen: int
    movements: tuple[Movement, ...]

    @property
    def closing_fen(self) -> int:
        return self.opening_fen + self.credits_fen - self.debits_fen


@dataclass(frozen=True)
class RightsRecord:
    """A person's record of a year in a region, up to and including ``until``.

    ``months`` are those of the year, also what left since; ``cumulative``: kind -> months that count
    here up to ``until``.
    """

    region_code: str
    year: int
    until: dt.date
    is_running: bool
    person: PersonalData
    spells: tuple[Spell, ...]
    months: tuple[KnownMonth, ...]
    accounts: tuple[YearAccount, ...]
    cumulative: dict[InsuranceKind, int]
    agency: Agency

    @property
    def kinds(self) -> list[InsuranceKind]:
        """险种 of the year: insured in, or paid for."""
        found = {spell.insurance_kind for spell in self.spells}
        return sorted(found | {known.insurance_kind for known in self.months})


def last_day(year: int, today: dt.date) -> dt.date:
    """截至日期: the year's last day, or today while it runs."""
    return min(dt.date(year, 12, 31), today)


def year_account(kind: InsuranceKind, movements: Iterable[Movement], year: int) -> YearAccount:
    """The account's year by dates of law: what is dated earlier makes the opening balance."""
    known = list(movements)
    within = tuple(movement for movement in known if movement.on.year == year)
    return YearAccount(
        insurance_kind=kind,
        opening_fen=sum(movement.amount_fen for movement in known if movement.on.year < year),
        credits_fen=sum(max(movement.amount_fen, 0) for movement in within),
        debits_fen=sum(max(-movement.amount_fen, 0) for movement in within),
        movements=within,
    )


def spells_within(spells: Sequence[Spell], year: int, until: dt.date) -> tuple[Spell, ...]:
    """Those that touch the year."""
    first = dt.date(year, 1, 1)
    return tuple(
        spell
        for spell in spells
        if spell.started_on <= until and (spell.stopped_on is None or spell.stopped_on >= first)
    )


def months_within(months: Sequence[KnownMonth], year: int) -> tuple[KnownMonth, ...]:
    """Those of the year, in order."""
    return tuple(known for known in months if known.month.startswith(f"{year:04d}-"))


def cumulative_months(months: Sequence[KnownMonth], until: dt.date) -> dict[InsuranceKind, int]:
    """Kind -> months that count here, up to and including the month of ``until``."""
    here = [known for known in months if not known.has_left and known.month <= month_of(until)]
    kinds = sorted({known.insurance_kind for known in here})
    return {kind: sum(known.insurance_kind == kind for known in here) for kind in kinds}
