"""Rules of contributions that are the same everywhere and stand in no guide (contribution_rules.yaml)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True)
class ContributionRules:
    """``paid_ahead_years``: how many years ahead residents may pay; ``due_after_months``: from when on a
    month not paid is in arrears; ``listed_months``: how far back arrears are listed."""

    paid_ahead_years: int
    due_after_months: int
    listed_months: int


@cache
def contribution_rules() -> ContributionRules:
    """The rules in force."""
    data = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return ContributionRules(
        paid_ahead_years=data["residents"]["paid_ahead_years"]["value"],
        due_after_months=data["arrears"]["due_after_months"]["value"],
        listed_months=data["arrears"]["listed_months"]["value"],
    )
