"""The data of rules.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from libs.identifiers.credentials import CredentialType
from services.enrollment.domain.kinds import PersonKind


@dataclass(frozen=True)
class Status:
    """申请人身份 of a resident: its name, and as what the person is insured."""

    name: str
    person_kind: PersonKind


@dataclass(frozen=True)
class Nature:
    """单位性质: its name, and the catalogue's kind, which decides the materials needed."""

    name: str
    person_kind: str


@dataclass(frozen=True)
class WithdrawalRules:
    """一次性支取: names the four state banks begin with; the most lines of one payout batch."""

    four_state_banks: tuple[str, ...]
    batch_lines: int


@dataclass(frozen=True)
class Rules:
    """What no catalogue states; sources stand in rules.yaml.

    ``risks``: operation -> risk level where an edition states none; ``special_groups``: credential
    type -> person kind of the catalogue, which decides the materials needed; ``deadline_days`` for an
    employer to register; ``employer_key_fields``, ``person_key_fields``: what of their data is key
    information, which needs evidence and review, where no edition says so.
    """

    risks: dict[str, str]
    applicant_statuses: dict[str, Status]
    subsidy_kinds: dict[str, str]
    special_groups: dict[CredentialType, str]
    natures: dict[str, Nature]
    deadline_days: int
    employer_key_fields: tuple[str, ...]
    person_key_fields: tuple[str, ...]
    withdrawals: WithdrawalRules


@cache
def rules() -> Rules:
    """The rules that come with the installation."""
    data = yaml.safe_load((Path(__file__).parent.parent / "rules.yaml").read_text(encoding="utf-8"))
    residents, employers = data["resident_registration"], data["employers"]
    return Rules(
        risks={operation: entry["value"] for operation, entry in data["risks"].items()},
        applicant_statuses={
            key: Status(entry["name"], PersonKind(entry["person_kind"]))
            for key, entry in residents["applicant_statuses"].items()
        },
        subsidy_kinds={key: entry["name"] for key, entry in residents["subsidy_kinds"].items()},
        special_groups={CredentialType(key): entry["value"] for key, entry in data["special_groups"].items()},
        natures={
            key: Nature(entry["name"], entry["person_kind"]) for key, entry in employers["natures"].items()
        },
        deadline_days=employers["deadline_days"]["value"],
        employer_key_fields=tuple(employers["key_fields"]["value"]),
        person_key_fields=tuple(data["people_changes"]["key_fields"]["value"]),
        withdrawals=_withdrawal_rules(data["account_withdrawal"]),
    )


def _withdrawal_rules(data: dict[str, Any]) -> WithdrawalRules:
    return WithdrawalRules(
        four_state_banks=tuple(data["four_state_banks"]["value"]),
        batch_lines=data["batch_lines"]["value"],
    )
