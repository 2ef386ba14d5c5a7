"""The data of rules.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from libs.identifiers.credentials import CredentialType
from services.enrollment.domain.kinds import PersonKind


@dataclass(frozen=True)
class Status:
    """申请人身份 of a resident: its name, and as what the person is insured."""

    name: str
    person_kind: PersonKind


@dataclass(frozen=True)
class Rules:
    """What no catalogue states; sources stand in rules.yaml.

    ``risks``: operation -> risk level where an edition states none; ``special_groups``: credential
    type -> person kind of the catalogue, which decides the materials needed; ``key_fields``: what of a
    person's data is key information where no edition says so.
    """

    risks: dict[str, str]
    applicant_statuses: dict[str, Status]
    subsidy_kinds: dict[str, str]
    special_groups: dict[CredentialType, str]
    key_fields: tuple[str, ...]


@cache
def rules() -> Rules:
    """The rules that come with the installation."""
    data = yaml.safe_load((Path(__file__).parent.parent / "rules.yaml").read_text(encoding="utf-8"))
    residents = data["resident_registration"]
    return Rules(
        risks={operation: entry["value"] for operation, entry in data["risks"].items()},
        applicant_statuses={
            key: Status(entry["name"], PersonKind(entry["person_kind"]))
            for key, entry in residents["applicant_statuses"].items()
        },
        subsidy_kinds={key: entry["name"] for key, entry in residents["subsidy_kinds"].items()},
        special_groups={CredentialType(key): entry["value"] for key, entry in data["special_groups"].items()},
        key_fields=tuple(data["people_changes"]["key_fields"]["value"]),
    )
