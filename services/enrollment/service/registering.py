"""Somebody an application names: known here or to be registered, and what stands against it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from libs.refusals.faults import Fault
from services.enrollment.domain.people import (
    KnownPerson,
    NewPerson,
    faults_against_record,
    faults_of_person,
)
from services.enrollment.models import Person
from services.enrollment.repository import aliases, people
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import find_or_register, personal_data


@dataclass(frozen=True)
class Named:
    """A person as an application names them. ``record`` is None while nobody here is known by the credential.

    ``birth_date`` is None only where ``faults`` asks for it.
    """

    new: NewPerson
    person_key: str
    record: Person | None
    birth_date: dt.date | None
    faults: list[Fault]


async def look_up(desk: Desk, new: NewPerson) -> Named:
    """The person as known here; faults have pointers relative to the person's body."""
    person_key = desk.protector.blind_index(new.credential.canonical)
    record = await _bearer(desk, new, person_key)
    if record is None:
        birth_date = new.birth_date or new.credential.birth_date
        return Named(new, person_key, None, birth_date, faults_of_person(new, desk.today))
    return Named(new, record.person_key, record, record.birth_date, _disagreements(desk, new, record))


async def ensure_registered(desk: Desk, new: NewPerson) -> Person:
    """The region's record of the person, made now if there was none. Raises Refusal."""
    person_key = desk.protector.blind_index(new.credential.canonical)
    known = await _bearer(desk, new, person_key)
    return known or (await find_or_register(desk, new))[0]


async def _bearer(desk: Desk, new: NewPerson, person_key: str) -> Person | None:
    """Whoever bears the credential, or bore it before under the same name.

    Under another name it is not them: a number once recorded wrongly is its true bearer's.
    """
    bearer = await people.find_person_by_key(desk.session, new.region_code, person_key)
    if bearer is not None:
        return bearer
    earlier = await aliases.find_person(desk.session, new.region_code, person_key)
    if earlier is None or personal_data(desk.protector, earlier).name != new.name:
        return None
    return earlier


def _disagreements(desk: Desk, new: NewPerson, record: Person) -> list[Fault]:
    name = personal_data(desk.protector, record).name
    known = KnownPerson(name, record.sex, record.birth_date, record.deceased_on)
    return faults_against_record(new, known)
