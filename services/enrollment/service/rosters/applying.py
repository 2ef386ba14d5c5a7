"""A chunk of a roster becomes enrolments, in the one transaction that also moves the roster on.

A dozen statements whatever the size of the chunk. What another transaction did between our look and
our write (``Overtaken``) takes the whole chunk back; it is done again and sees it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from libs.eventbus.outbox import Saying, publish_many
from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault
from libs.rosters.layouts import RosterKind
from services.enrollment.domain.enrolling import NewEnrolment
from services.enrollment.domain.people import KnownPerson, NewPerson
from services.enrollment.domain.rosters import (
    INSURED_AS,
    Judgement,
    Outcome,
    RosterState,
    judge,
    merged_away,
)
from services.enrollment.models import Change, Enrolment, Person, Roster, RosterRow
from services.enrollment.repository import people as single_people
from services.enrollment.repository import roster_people, rosters
from services.enrollment.repository.many import insert_many
from services.enrollment.repository.roster_people import Found
from services.enrollment.service import enrolling, people
from services.enrollment.service.desk import Desk
from services.enrollment.service.rosters.chunks import Chunk, FileRow

# Credentials of people to be: the enrolment gets the record's key once there is one.
_NOBODY_YET = UUID(int=0)


class Overtaken(Exception):
    """Somebody of the chunk was registered or enrolled by another between our look and our write."""


class LeaseLost(Exception):
    """Another worker has the roster now."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and what it comes to. ``found`` is None where the file alone refuses it."""

    row: FileRow
    judgement: Judgement
    found: Found | None = None
    person: NewPerson | None = None
    wanted: NewEnrolment | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Rows for the tables: what a chunk comes to, ready to be stored."""

    people: list[dict[str, Any]]
    enrolments: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    touched: dict[UUID, str | None]
    rows: list[dict[str, Any]]
    facts: list[Saying]
    counts: Counter[Outcome]


async def apply(desk: Desk, roster: Roster, worker: UUID, chunk: Chunk, lease_s: float) -> None:
    """Do the chunk. Raises LeaseLost, Overtaken: then nothing has happened."""
    session = desk.session
    if not await rosters.is_still_ours(session, roster.id, worker, chunk.first_row):
        raise LeaseLost(roster.id)
    employer_faults = await _employer_faults(desk, roster)
    _, kind = INSURED_AS[RosterKind(roster.kind)]
    keys = [row.person_key for row in chunk.rows if row.person_key is not None and not row.faults]
    found = await roster_people.look_up(session, roster.region_code, keys, kind, roster.started_on)
    # Ciphers and JSON of a thousand rows: beside the loop, which has other work.
    written = await asyncio.to_thread(_work_out, desk, roster, chunk, found, employer_faults)
    await _write(desk, written)
    state = RosterState.FINISHED if chunk.is_last else RosterState.RUNNING
    await rosters.advance(session, roster.id, chunk.next_row, written.counts, state, desk.now, lease_s)


async def _write(desk: Desk, written: Written) -> None:
    session = desk.session
    for model, new in ((Person, written.people), (Enrolment, written.enrolments)):
        if await insert_many(session, model, new) != len(new):
            raise Overtaken(model.__tablename__)
    await roster_people.touch(session, written.touched)
    await insert_many(session, Change, written.changes)
    await publish_many(session, written.facts, at=desk.now)
    if await insert_many(session, RosterRow, written.rows) != len(written.rows):
        raise AssertionError("a row of a roster is written under its fence, once")


async def _employer_faults(desk: Desk, roster: Roster) -> list[Fault]:
    if roster.employer_id is None:
        return []
    return enrolling.faults_of_employer(await single_people.find_employer(desk.session, roster.employer_id))


def _work_out(
    desk: Desk, roster: Roster, chunk: Chunk, found: Mapping[str, Found], employer_faults: Sequence[Fault]
) -> Written:
    judged = [_judged(desk, roster, row, found, employer_faults) for row in chunk.rows]
    return _written(desk, roster, judged)


def _judged(
    desk: Desk, roster: Roster, row: FileRow, found: Mapping[str, Found], employer_faults: Sequence[Fault]
) -> Judged:
    if row.faults or row.person_key is None:
        return Judged(row, Judgement(Outcome.REFUSED, row.faults))
    known = found[row.person_key]
    person, wanted = _wish(roster, row)
    others = [*employer_faults, *_faults_of_leaving(known)]
    if known.is_earlier or (known.record is not None and known.record.merged_into is not None):
        others.append(merged_away())
    judgement = judge(
        person,
        wanted,
        known=_known_person(desk.protector, roster.region_code, known),
        spells=known.spells,
        others=others,
        today=desk.today,
    )
    return Judged(row, judgement, known, person, wanted)


def _wish(roster: Roster, row: FileRow) -> tuple[NewPerson, NewEnrolment]:
    values, credential = row.entry.values, row.entry.credential
    assert credential is not None, "a row without faults has its credential"
    person = NewPerson(
        region_code=roster.region_code,
        credential=credential,
        name=values["name"],
        telephone=values.get("telephone"),
        sex=values.get("sex"),
        birth_date=values.get("birth_date"),
    )
    person_kind, kind = INSURED_AS[RosterKind(roster.kind)]
    wanted = NewEnrolment(
        person_id=_NOBODY_YET,
        insurance_kind=kind,
        person_kind=person_kind,
        employer_id=roster.employer_id,
        started_on=roster.started_on,
        declared_wage_fen=values.get("declared_wage"),
    )
    return person, wanted


def _known_person(protector: FieldProtector, region_code: str, known: Found) -> KnownPerson | None:
    record = known.record
    if record is None:
        return None
    name = protector.decrypt(record.name, people.context(region_code, "name", record.id))
    return KnownPerson(name, record.sex, record.birth_date, record.deceased_on)


def _faults_of_leaving(known: Found) -> list[Fault]:
    return [
        enrolling.fault_of_leaving(row.case_no, row.side, row.counterpart_region_code)
        for row in known.leaving
    ]


def _written(desk: Desk, roster: Roster, judged: Sequence[Judged]) -> Written:
    written = Written([], [], [], {}, [], [], Counter())
    for one in judged:
        enrolment = _enrol(desk, roster, one, written) if one.judgement.outcome is Outcome.ENROLLED else None
        written.rows.append(_roster_row(desk, roster, one, enrolment))
        written.counts[one.judgement.outcome] += 1
    # The order in which locks and index entries are taken, the same in every transaction.
    written.people.sort(key=_person_key)
    written.enrolments.sort(key=_person_key)
    return written


def _enrol(desk: Desk, roster: Roster, one: Judged, written: Written) -> dict[str, Any]:
    """The person registered if nobody here knows them, and enrolled."""
    assert one.person is not None
    assert one.wanted is not None
    assert one.found is not None
    person_key = one.row.person_key
    assert person_key is not None
    subsidy_kind = one.row.entry.values.get("subsidy_kind")
    record = one.found.record
    if record is None:
        new = {**people.sealed(desk.protector, one.person, desk.now), "subsidy_kind": subsidy_kind}
        # As a single enrolment leaves it: registered, then a version more.
        person_id, person_version = new["id"], new["version"] + 1
        written.people.append({**new, "version": person_version})
        written.changes.append(_change(desk, roster, "person", person_id, 1, None, people.told_of_new(new)))
        registered = people.registered_fact(new)
        written.facts.append(Saying(registered, person_key, roster.region_code, registered.person_id))
    else:
        person_version = record.version + 1
        person_id = record.id
        written.touched[person_id] = subsidy_kind
        if subsidy_kind not in (None, record.subsidy_kind):
            before, after = {"subsidy_kind": record.subsidy_kind}, {"subsidy_kind": subsidy_kind}
            written.changes.append(_change(desk, roster, "person", person_id, person_version, before, after))
    wanted = one.wanted
    values = enrolling.enrolment_values(wanted, roster.region_code, person_key, desk.now)
    values["person_id"] = person_id
    written.enrolments.append(values)
    written.changes.append(_change(desk, roster, "enrolment", values["id"], 1, None, enrolling.told(values)))
    fact = enrolling.started_fact(values, person_version)
    written.facts.append(Saying(fact, person_key, roster.region_code, fact.enrolment_id))
    return values


def _roster_row(desk: Desk, roster: Roster, one: Judged, enrolment: dict[str, Any] | None) -> dict[str, Any]:
    judgement, record = one.judgement, one.found.record if one.found else None
    row_no = one.row.entry.number
    standing = judgement.standing
    enrolment_id = enrolment["id"] if enrolment else None
    if standing is not None and standing.enrolment_id is not None:
        enrolment_id = UUID(standing.enrolment_id)
    faults = None
    if judgement.outcome is Outcome.REFUSED:
        told = orjson.dumps([asdict(fault) for fault in judgement.faults]).decode()
        faults = desk.protector.encrypt(told, faults_context(roster, row_no))
    return {
        "roster_id": roster.id,
        "row_no": row_no,
        "region_code": roster.region_code,
        "outcome": judgement.outcome.value,
        "codes": sorted({fault.code for fault in judgement.faults}),
        "faults": faults,
        "person_id": enrolment["person_id"] if enrolment else record and record.id,
        "enrolment_id": enrolment_id,
    }


def faults_context(roster: Roster, row_no: int) -> str:
    """What a row's sealed faults are bound to."""
    return f"{roster.region_code}/roster_row.faults/{roster.id}/{row_no}"


def _change(
    desk: Desk,
    roster: Roster,
    subject_kind: str,
    subject_id: UUID,
    version: int,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "region_code": roster.region_code,
        "subject_kind": subject_kind,
        "subject_id": str(subject_id),
        "version": version,
        "before": before,
        "after": after,
        "changed_by": roster.submitted_by,
        "reason": f"花名册{roster.id}",
        "changed_at": desk.now,
    }


def _person_key(row: Mapping[str, Any]) -> str:
    return str(row["person_key"])
