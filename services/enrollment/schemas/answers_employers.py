"""What is answered about employers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from libs.identifiers import credentials
from libs.identifiers.credentials import CREDENTIAL_NAMES, CredentialType
from services.enrollment.domain.employers import STATE_NAMES, EmployerState
from services.enrollment.domain.kinds import INSURANCE_NAMES, PERSON_KIND_NAMES, InsuranceKind, PersonKind
from services.enrollment.domain.people import PersonalData
from services.enrollment.domain.rules import rules
from services.enrollment.domain.stops import STOP_REASON_NAMES, StopReason
from services.enrollment.models import Employer, Enrolment
from services.enrollment.schemas.answers import CredentialAnswer, mask_telephone


class EmployerSummary(BaseModel):
    """An employer as lists show it."""

    id: UUID
    region_code: str
    credit_code: str
    name: str
    state: EmployerState
    state_name: str
    state_since: dt.date | None
    nature: str | None
    nature_name: str | None
    insurance_kinds: list[InsuranceKind]
    insured_since: dt.date | None
    version: int

    @classmethod
    def of(cls, employer: Employer, **more: Any) -> Self:
        state = EmployerState(employer.state)
        return cls(
            id=employer.id,
            region_code=employer.region_code,
            credit_code=employer.credit_code,
            name=employer.name,
            state=state,
            state_name=STATE_NAMES[state],
            state_since=employer.state_since,
            nature=employer.nature,
            nature_name=rules().natures[employer.nature].name if employer.nature else None,
            insurance_kinds=[InsuranceKind(kind) for kind in employer.insurance_kinds or []],
            insured_since=employer.insured_since,
            version=employer.version,
            **more,
        )


class EmployerAnswer(EmployerSummary):
    """An employer; ``active_enrolments`` is how many it has at present.

    Numbers in ``particulars`` are masked but for reviewers and the employer's own agent.
    """

    active_enrolments: int
    particulars: dict[str, Any] = Field(description="地址、法定代表人、银行账户、单位经办人员等")


class EmployedAnswer(BaseModel):
    """One enrolment with the employer; those of one person stand beside one another."""

    enrolment_id: UUID
    person_id: UUID
    name: str
    credential: CredentialAnswer
    insurance_kind: InsuranceKind
    insurance_name: str
    person_kind: PersonKind
    person_kind_name: str
    started_on: dt.date
    stopped_on: dt.date | None
    stop_reason_name: str | None

    @classmethod
    def of(cls, enrolment: Enrolment, data: PersonalData, *, in_full: bool) -> Self:
        kind, person_kind = InsuranceKind(enrolment.insurance_kind), PersonKind(enrolment.person_kind)
        number = data.credential.number
        reason = enrolment.stop_reason and STOP_REASON_NAMES[StopReason(enrolment.stop_reason)]
        return cls(
            enrolment_id=enrolment.id,
            person_id=enrolment.person_id,
            name=data.name,
            credential=CredentialAnswer(
                type=data.credential.type,
                type_name=CREDENTIAL_NAMES[CredentialType(data.credential.type)],
                number=number if in_full else credentials.masked(number),
            ),
            insurance_kind=kind,
            insurance_name=INSURANCE_NAMES[kind],
            person_kind=person_kind,
            person_kind_name=PERSON_KIND_NAMES[person_kind],
            started_on=enrolment.started_on,
            stopped_on=enrolment.stopped_on,
            stop_reason_name=reason or None,
        )


_MASKS = {
    "credential_no": credentials.masked,
    "account_no": credentials.masked,
    "telephone": mask_telephone,
    "mobile": mask_telephone,
}


def masked_particulars(particulars: Mapping[str, Any]) -> dict[str, Any]:
    """The same with identity numbers, accounts and telephones masked, at whatever depth."""
    told: dict[str, Any] = {}
    for key, value in particulars.items():
        if isinstance(value, Mapping):
            told[key] = masked_particulars(value)
        elif key in _MASKS:
            told[key] = _MASKS[key](value)
        else:
            told[key] = value
    return told
