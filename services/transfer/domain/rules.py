"""The numbers of rules.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Rules:
    """Numbers of the transfer rules, each with its unit in the name; sources stand in rules.yaml."""

    stage_limits_working_days: dict[str, int]
    chase_interval_working_days: int
    message_life_natural_days: int
    made_good_break_months: int
    continuous_before_change_months: int
    longest_waiting_months: int


@cache
def rules() -> Rules:
    """The rules that come with the installation."""
    data = yaml.safe_load((Path(__file__).parent.parent / "rules.yaml").read_text(encoding="utf-8"))
    breaks = data["breaks"]
    return Rules(
        stage_limits_working_days={
            stage: entry["value"] for stage, entry in data["stage_limits_working_days"].items()
        },
        chase_interval_working_days=data["chase"]["interval_working_days"]["value"],
        message_life_natural_days=data["message_life"]["natural_days"]["value"],
        made_good_break_months=breaks["made_good_months"]["value"],
        continuous_before_change_months=breaks["continuous_before_change_months"]["value"],
        longest_waiting_months=breaks["longest_waiting_months"]["value"],
    )
