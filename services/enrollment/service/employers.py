"""Employers: register, read, change; their protected particulars."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.contracts.base import Fact
from libs.contracts.enrollment import EmployerChanged, EmployerRegistered
from libs.eventbus.outbox import publish
from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault, Refusal, conflict, not_found
from services.enrollment.domain.employers import (
    EmployerData,
    EmployerState,
    NewEmployer,
    employer_known,
)
from services.enrollment.models import Employer
from services.enrollment.repository import enrolments, people
from services.enrollment.service.desk import Desk

ACTIVE = EmployerState.ACTIVE.value


async def register(desk: Desk, new: NewEmployer, pointer: str = "/credit_code") -> Employer:
    """A new employer of the region. Raises Refusal (conflict) if the region has it already."""
    assert new.data.name is not None, "asked for before"
    employer = Employer(
        id=uuid7(),
        region_code=new.region_code,
        version=1,
        credit_code=new.credit_code,
        name=new.data.name,
        state=ACTIVE,
        state_since=new.data.insured_since,
        created_at=desk.now,
    )
    _write(desk, employer, new.data)
    if not await people.add_employer(desk.session, employer):
        raise await _known_employer(desk, new.region_code, new.credit_code, pointer)
    after = _told(employer) | sealed_change(desk, employer, new.data.particulars)
    desk.note("employer", employer.id, employer.region_code, 1, before=None, after=after)
    fact = EmployerRegistered(
        employer_id=str(employer.id),
        region_code=employer.region_code,
        credit_code=employer.credit_code,
        name=employer.name,
        nature=employer.nature,
        insurance_kinds=employer.insurance_kinds or [],
        insured_since=employer.insured_since,
    )
    await tell(desk, employer, fact)
    return employer


async def change(
    desk: Desk,
    employer: Employer,
    data: EmployerData,
    *,
    credit_code: str | None = None,
    state: EmployerState | None = None,
    since: dt.date | None = None,
) -> list[str]:
    """Change what the record says (the row is locked); before and after are kept. Returns what changed.

    ``since`` is the first day of a new ``state``. Nothing is written where nothing differs.
    """
    before, known = _told(employer), particulars_of(desk.protector, employer)
    changed = _other_particulars(known, data)
    employer.name, employer.credit_code = data.name or employer.name, credit_code or employer.credit_code
    if state is not None:
        employer.state, employer.state_since = state.value, since
    _write(desk, employer, data)
    after = _told(employer)
    fields = [key for key in after if after[key] != before[key]] + list(changed)
    if not fields:
        return []
    employer.version += 1
    desk.note(
        "employer",
        employer.id,
        employer.region_code,
        employer.version,
        before=before | sealed_change(desk, employer, {key: known.get(key) for key in changed}),
        after=after | sealed_change(desk, employer, changed),
    )
    fact = EmployerChanged(
        employer_id=str(employer.id),
        region_code=employer.region_code,
        version=employer.version,
        credit_code=employer.credit_code,
        name=employer.name,
        state=EmployerState(employer.state).value,
        state_since=employer.state_since,
        fields=fields,
    )
    await tell(desk, employer, fact)
    return fields


def differences(
    protector: FieldProtector, employer: Employer, data: EmployerData, credit_code: str | None
) -> bool:
    """Whether the form says anything else than the record."""
    kinds = None if data.insurance_kinds is None else [kind.value for kind in data.insurance_kinds]
    told = {
        "name": data.name,
        "credit_code": credit_code,
        "nature": data.nature,
        "insurance_kinds": kinds,
    }
    known = particulars_of(protector, employer)
    return bool(_other_particulars(known, data)) or any(
        value not in (None, getattr(employer, field)) for field, value in told.items()
    )


async def employer_with_people(desk: Desk, employer_id: UUID) -> tuple[Employer, int]:
    """An employer and how many enrolments it has at present. Raises Refusal (not found)."""
    employer = await require_employer(desk, employer_id)
    return employer, await enrolments.count_active(desk.session, employer_id)


async def require_employer(desk: Desk, employer_id: UUID) -> Employer:
    """The employer with this key. Raises Refusal (not found)."""
    employer = await people.find_employer(desk.session, employer_id)
    if employer is None or not desk.may_see(employer.region_code):
        raise no_employer()
    return employer


def no_employer() -> Refusal:
    """The same answer whether there is none or it is none of the caller's business."""
    return not_found("no_employer", "没有此单位，或不在您可办理的统筹区内。")


def particulars_of(protector: FieldProtector, employer: Employer) -> dict[str, Any]:
    """Address, legal representative, bank account, agent …; {} where nothing was told."""
    if employer.particulars is None:
        return {}
    opened: dict[str, Any] = json.loads(protector.decrypt(employer.particulars, _context_of(employer)))
    return opened


def sealed_change(desk: Desk, employer: Employer, particulars: Mapping[str, Any]) -> dict[str, Any]:
    """Protected particulars as the history keeps them: encrypted; {} where there are none."""
    if not particulars:
        return {}
    text = json.dumps(particulars, ensure_ascii=False, sort_keys=True)
    return {"particulars": desk.protector.encrypt(text, _context_of(employer))}


async def tell(desk: Desk, employer: Employer, fact: Fact) -> None:
    """Publish a fact about an employer, in the order of its facts: its row is locked or new."""
    await publish(
        desk.session,
        fact,
        key=f"employer/{employer.id}",
        region_code=employer.region_code,
        subject=str(employer.id),
        at=desk.now,
    )


def _write(desk: Desk, employer: Employer, data: EmployerData) -> None:
    """What the form says; what it leaves out stays as it was."""
    employer.nature = data.nature or employer.nature
    employer.insured_since = data.insured_since or employer.insured_since
    if data.insurance_kinds is not None:
        employer.insurance_kinds = [kind.value for kind in data.insurance_kinds]
    if data.particulars:
        merged = particulars_of(desk.protector, employer) | dict(data.particulars)
        text = json.dumps(merged, ensure_ascii=False, sort_keys=True)
        employer.particulars = desk.protector.encrypt(text, _context_of(employer))
    if data.agent is not None:
        employer.agent_key = desk.protector.blind_index(data.agent.canonical)
    elif "agent" in data.particulars:
        # Another agent without a credential: nobody may go on acting in the name of the one before.
        employer.agent_key = None


def _other_particulars(known: Mapping[str, Any], data: EmployerData) -> dict[str, Any]:
    return {key: value for key, value in data.particulars.items() if known.get(key) != value}


def _told(employer: Employer) -> dict[str, Any]:
    """The record's open fields as the history keeps them."""
    return {
        "credit_code": employer.credit_code,
        "name": employer.name,
        "state": employer.state,
        "state_since": employer.state_since and employer.state_since.isoformat(),
        "nature": employer.nature,
        "insurance_kinds": employer.insurance_kinds,
        "insured_since": employer.insured_since and employer.insured_since.isoformat(),
    }


def _context_of(employer: Employer) -> str:
    return f"{employer.region_code}/employer.particulars/{employer.id}"


async def _known_employer(desk: Desk, region_code: str, credit_code: str, pointer: str) -> Refusal:
    known = await people.find_employer_by_code(desk.session, region_code, credit_code)
    assert known is not None, "employers are never deleted"
    fault: Fault = employer_known(known.name, known.id, pointer)
    return conflict(fault.code, fault.message, [fault])
