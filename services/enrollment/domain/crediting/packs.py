"""Packs of dated rules per region (``packs/*.yaml``), looked up from the county up to the province."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from libs.refusals.faults import Fault, Refusal, invalid
from libs.regions import names
from services.enrollment.domain.crediting.rules import CreditingRule, RetirementRule

FOLDER = Path(__file__).parent / "packs"

SomeRule = TypeVar("SomeRule", CreditingRule, RetirementRule)


class Pack(BaseModel):
    """One region's rules. ``illustrative`` figures are for showing and trying, and are in force nowhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region_code: str
    source: str
    illustrative: bool
    crediting: tuple[CreditingRule, ...] = ()
    retirement: tuple[RetirementRule, ...] = ()

    @model_validator(mode="after")
    def _no_two_at_once(self) -> Self:
        _require_apart([(rule.from_month, rule.to_month, rule.name) for rule in self.crediting])
        _require_apart(
            [
                (str(rule.from_date), str(rule.to_date) if rule.to_date else None, rule.name)
                for rule in self.retirement
            ]
        )
        return self


def _require_apart(spans: Sequence[tuple[str, str | None, str]]) -> None:
    ordered = sorted(spans)
    for (_, until, earlier), (since, _, later) in pairwise(ordered):
        if until is None or until >= since:
            raise ValueError(f"{earlier} and {later} overlap")


class Packs:
    """All packs by region code."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self._by_region: Mapping[str, Pack] = {pack.region_code: pack for pack in packs}

    def crediting(self, region_code: str, month: str) -> CreditingRule:
        """The rule of the nearest region up the chain that has one for ``month``.

        Raises Refusal (invalid): no such region, no rules for it, or none for that month.
        """
        return self._find(region_code, lambda pack: pack.crediting, lambda rule: rule.covers(month), month)

    def retirement(self, region_code: str, on: dt.date) -> RetirementRule:
        """The same for retiring on a day."""
        return self._find(
            region_code, lambda pack: pack.retirement, lambda rule: rule.covers(on), on.isoformat()
        )

    def _find(
        self,
        region_code: str,
        rules_of: Callable[[Pack], Sequence[SomeRule]],
        covers: Callable[[SomeRule], bool],
        moment: str,
    ) -> SomeRule:
        chain = list(_chain(region_code))
        if not chain:
            raise _refused(f"行政区划{region_code}不存在或已撤销，没有可用的个人账户和退休规则。")
        known = [
            rule for code in chain if code in self._by_region for rule in rules_of(self._by_region[code])
        ]
        place = names.name_of(region_code)
        if not known:
            raise _refused(f"{place}及其上级均未配置个人账户划入和退休规则，请先配置规则。")
        found = next((rule for rule in known if covers(rule)), None)
        if found is None:
            told = "、".join(rule.name for rule in known)
            raise _refused(f"{place}现有规则（{told}）不适用于{moment}，请先配置该时段的规则。")
        return found


def _chain(region_code: str) -> Iterator[str]:
    region = names.find(region_code)
    while region is not None:
        yield region.code
        region = names.find(region.parent_code) if region.parent_code else None


def _refused(message: str) -> Refusal:
    return invalid("no_rule", message, [Fault("no_rule", message)])


@cache
def packs() -> Packs:
    """The packs that come with the service; a broken one stops the service when it starts."""
    return Packs(pack_of(path) for path in sorted(FOLDER.glob("*.yaml")))


def pack_of(path: Path) -> Pack:
    """Read one file. Raises pydantic's ValidationError naming what is wrong."""
    return Pack.model_validate(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
