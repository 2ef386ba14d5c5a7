"""All people of an employer at once: stopped, or moved to another, a few statements for any number."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.casebook.cases import mask_name
from libs.contracts.enrollment import EnrolmentStarted, EnrolmentStopped
from libs.identifiers.credentials import masked
from services.enrollment.domain.kinds import PersonKind
from services.enrollment.domain.stops import StopReason
from services.enrollment.domain.successions import Member
from services.enrollment.repository import employers, workforce
from services.enrollment.service.desk import Desk, PersonFact
from services.enrollment.service.people import personal_data

_ONE_DAY = dt.timedelta(days=1)
_NAMED_IN_A_FAULT = 3


async def stop_all(
    desk: Desk, region_code: str, members: Sequence[Member], last_day: dt.date, reason: StopReason
) -> None:
    """Stop these enrolments, whose people are locked; ``last_day`` is the last insured."""
    if not members:
        return
    await workforce.stop_all(desk.session, [member.enrolment_id for member in members], last_day, reason)
    lines = [_stop_line(desk, region_code, member, last_day, reason) for member in members]
    await workforce.add_changes(desk.session, lines)
    versions = await workforce.count_up(desk.session, Counter(member.person_id for member in members))
    await desk.tell_many(
        _stopped(region_code, member, last_day, reason, versions[member.person_id]) for member in members
    )


async def move_all(
    desk: Desk, region_code: str, members: Sequence[Member], to: Mapping[UUID, UUID], first_day: dt.date
) -> None:
    """Go on with another employer (enrolment -> employer) from ``first_day``: no day lost, none doubled.

    What was declared and in what quality stays. The people are locked.
    """
    if not members:
        return
    last_day, reason = first_day - _ONE_DAY, StopReason.EMPLOYER_SUCCEEDED
    await workforce.stop_all(desk.session, [member.enrolment_id for member in members], last_day, reason)
    new_ids = {member.enrolment_id: uuid7() for member in members}
    moves = [(old, new, to[old]) for old, new in new_ids.items()]
    await workforce.start_all(desk.session, moves, first_day, desk.now)
    lines = [_stop_line(desk, region_code, member, last_day, reason) for member in members]
    lines += [
        _line(desk, region_code, new_ids[member.enrolment_id], 1, None, after)
        for member in members
        for after in [_told(member, to[member.enrolment_id], first_day)]
    ]
    await workforce.add_changes(desk.session, lines)
    times = Counter(member.person_id for member in members)
    versions = await workforce.count_up(desk.session, {person: 2 * count for person, count in times.items()})
    # Of each person first what ended, then what began.
    facts: list[PersonFact] = [
        _stopped(region_code, member, last_day, reason, versions[member.person_id]) for member in members
    ]
    facts += [
        _started(region_code, member, new_ids[member.enrolment_id], first_day, versions[member.person_id])
        for member in members
    ]
    await desk.tell_many(facts)


async def named(desk: Desk, person_ids: Sequence[UUID]) -> str:
    """``张**（370402********0017）、…等12人``: the first ones masked, and how many there are."""
    found = await employers.people_of(desk.session, person_ids[:_NAMED_IN_A_FAULT])
    told = []
    for person_id in person_ids[:_NAMED_IN_A_FAULT]:
        data = personal_data(desk.protector, found[person_id])
        told.append(f"{mask_name(data.name)}（{masked(data.credential.number)}）")
    return f"{'、'.join(told)}{'等' if len(person_ids) > len(told) else ''}{len(person_ids)}人"


def _stop_line(
    desk: Desk, region_code: str, member: Member, last_day: dt.date, reason: StopReason
) -> dict[str, Any]:
    before = _told(member, member.employer_id, member.started_on)
    after = before | {"stopped_on": last_day.isoformat(), "stop_reason": reason.value}
    return _line(desk, region_code, member.enrolment_id, member.version + 1, before, after)


def _line(
    desk: Desk,
    region_code: str,
    enrolment_id: UUID,
    version: int,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "region_code": region_code,
        "subject_kind": "enrolment",
        "subject_id": str(enrolment_id),
        "version": version,
        "before": before,
        "after": after,
        "changed_by": desk.actor,
        "reason": None,
        "changed_at": desk.now,
    }


def _told(member: Member, employer_id: UUID, started_on: dt.date) -> dict[str, Any]:
    """As service/enrolling.py tells a single enrolment."""
    return {
        "insurance_kind": member.insurance_kind,
        "person_kind": member.person_kind,
        "employer_id": str(employer_id),
        "started_on": started_on.isoformat(),
        "stopped_on": None,
        "stop_reason": None,
    }


def _stopped(
    region_code: str, member: Member, last_day: dt.date, reason: StopReason, person_version: int
) -> EnrolmentStopped:
    return EnrolmentStopped(
        enrolment_id=str(member.enrolment_id),
        person_key=member.person_key,
        region_code=region_code,
        insurance_kind=member.insurance_kind,
        person_kind=PersonKind(member.person_kind).value,
        stopped_on=last_day,
        reason=reason.value,
        person_id=str(member.person_id),
        person_version=person_version,
        started_on=member.started_on,
    )


def _started(
    region_code: str, member: Member, enrolment_id: UUID, first_day: dt.date, person_version: int
) -> EnrolmentStarted:
    return EnrolmentStarted(
        enrolment_id=str(enrolment_id),
        person_key=member.person_key,
        region_code=region_code,
        insurance_kind=member.insurance_kind,
        person_kind=PersonKind(member.person_kind).value,
        started_on=first_day,
        person_id=str(member.person_id),
        person_version=person_version,
    )
