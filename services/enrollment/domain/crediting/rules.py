"""The rules themselves: dated, each with an id, a version and a source; computing a credit by them.

Rounding (本系统约定): each part is one product, exact, rounded half up to the fen once, then added.
The frame is 国办发〔2021〕14号: until a region's reform a share of the employer's part goes to the
account as well; after it the employee's own contribution does, at most 2 % of the base, all of the
employer's goes to the pooled fund, and retirees get a fixed amount out of the pooled fund.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from libs.money.amounts import Yuan, fen_of
from services.enrollment.domain.months import number_of, text_of

MonthText = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Ratio = Annotated[Decimal, Field(ge=0, le=1)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UnitShare(_Data):
    """Share of the employer's part for those younger than ``below_age`` (None: all others)."""

    below_age: int | None = None
    share: Ratio


class Working(_Data):
    """Employees and flexible workers: the own part up to ``personal_rate`` of the base, and a share of
    the employer's by age. Age is full years on the first day of the month paid for (本系统约定)."""

    personal_rate: Ratio
    unit_shares: tuple[UnitShare, ...]

    def share_at(self, age_years: int) -> Decimal:
        """The first band that fits; nothing where none does."""
        bands = (band for band in self.unit_shares if band.below_age is None or age_years < band.below_age)
        return next((band.share for band in bands), Decimal(0))


class Retired(_Data):
    """Retirees: a fixed amount a month, or a rate of the pension declared (``base_if_unknown_yuan`` where
    it is not known here)."""

    fixed_yuan: Yuan | None = None
    rate: Ratio | None = None
    base_if_unknown_yuan: Yuan | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_rate = (self.rate is not None, self.base_if_unknown_yuan is not None)
        if by_rate != ((True, True) if self.fixed_yuan is None else (False, False)):
            raise ValueError("either fixed_yuan, or rate with base_if_unknown_yuan")
        return self


@dataclass(frozen=True)
class Credit:
    """What goes to the personal account for one month, in fen, and by which rule (``id@version``)."""

    amount_fen: int
    rule: str


class _Dated(_Data):
    id: str
    version: str
    source: str

    @property
    def name(self) -> str:
        """``370000-crediting@2023``: what is kept with every credit."""
        return f"{self.id}@{self.version}"


class CreditingRule(_Dated):
    """In force for months paid for (not: booked) from ``from_month`` to ``to_month``, both included."""

    from_month: MonthText
    to_month: MonthText | None = None
    working: Working
    retired: Retired

    def covers(self, month: str) -> bool:
        return self.from_month <= month and (self.to_month is None or month <= self.to_month)

    def of_contribution(
        self, *, month: str, birth_date: dt.date, base_fen: int, unit_fen: int, personal_fen: int
    ) -> Credit:
        """Credit of one month somebody working paid for; never above what was paid."""
        own_fen = min(personal_fen, product_fen(self.working.personal_rate, base_fen))
        unit_share = self.working.share_at(age_on(birth_date, first_day_of(month)))
        return Credit(own_fen + product_fen(unit_share, unit_fen), self.name)

    def of_retiree(self, pension_fen: int | None) -> Credit:
        """A retiree's credit of one month, out of the pooled fund."""
        rule = self.retired
        if rule.fixed_yuan is not None:
            return Credit(fen_of(rule.fixed_yuan), self.name)
        assert rule.rate is not None, "checked when it was read"
        assert rule.base_if_unknown_yuan is not None, "checked when it was read"
        base_fen = fen_of(rule.base_if_unknown_yuan) if pension_fen is None else pension_fen
        return Credit(product_fen(rule.rate, base_fen), self.name)


class RetirementRule(_Dated):
    """Years of contribution that make a retiree of employee insurance: in all, and of these paid here."""

    from_date: dt.date
    to_date: dt.date | None = None
    years_needed: dict[Literal["男", "女"], Annotated[int, Field(gt=0)]]
    years_here: Annotated[int, Field(ge=0)]

    def covers(self, on: dt.date) -> bool:
        return self.from_date <= on and (self.to_date is None or on <= self.to_date)


def product_fen(rate: Decimal, amount_fen: int) -> int:
    """``rate`` × ``amount_fen`` (0 or more), half up to the fen; exact, whatever the rate's places."""
    exact = Fraction(rate) * amount_fen
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def age_on(birth_date: dt.date, on: dt.date) -> int:
    """Full years; who is born on 29 February grows older on 1 March in common years."""
    return on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))


def first_day_of(month: str) -> dt.date:
    """``2024-03`` -> 1 March 2024."""
    number = number_of(month)
    return dt.date(number // 12, number % 12 + 1, 1)


def month_after(month: str) -> str:
    """``2022-12`` -> ``2023-01``."""
    return text_of(number_of(month) + 1)
