"""People: register, find, open their protected fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.contracts.enrollment import PersonRegistered
from libs.identifiers.credentials import Credential, CredentialType
from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault, Refusal, conflict, invalid, not_found
from services.enrollment.domain.people import NewPerson, PersonalData, faults_of_person
from services.enrollment.models import Person
from services.enrollment.models.rows import PersonRow
from services.enrollment.repository import people
from services.enrollment.service.desk import Desk


async def register_person(desk: Desk, new: NewPerson) -> Person:
    """A region's record of a person. Raises Refusal: invalid with all faults, conflict if known here."""
    person, is_new = await find_or_register(desk, new)
    if not is_new:
        raise _known_person(person)
    return person


async def find_or_register(desk: Desk, new: NewPerson) -> tuple[Person, bool]:
    """The region's record of the person, and whether it was made now. Raises Refusal (invalid).

    Two who register the same person at once wait for one another; the second finds the first's record.
    """
    faults = faults_of_person(new, desk.today)
    if faults:
        raise invalid("person", f"人员信息有{len(faults)}处不符合要求，本次未作任何更改。", faults)
    values = sealed(desk.protector, new, desk.now)
    person = Person(**values)
    if not await people.add_person(desk.session, person):
        known = await people.find_person_by_key(desk.session, person.region_code, person.person_key)
        assert known is not None, "persons are never deleted"
        return known, False
    desk.note("person", person.id, person.region_code, 1, before=None, after=told_of_new(values))
    fact = registered_fact(values)
    await desk.tell(fact, person_key=fact.person_key, region_code=fact.region_code, subject=fact.person_id)
    return person, True


def registered_fact(row: Mapping[str, Any]) -> PersonRegistered:
    """The fact that the region has a record of the person."""
    return PersonRegistered(
        person_id=str(row["id"]),
        person_key=row["person_key"],
        region_code=row["region_code"],
        person_version=row["version"],
    )


def keep_resident_data(
    desk: Desk,
    person: Person,
    *,
    address: str | None,
    applicant_status: str | None,
    subsidy_kind: str | None,
) -> None:
    """What the resident's form says beyond the person; what it leaves out stays as it was."""
    told = {"applicant_status": applicant_status, "subsidy_kind": subsidy_kind}
    before = {name: getattr(person, name) for name in told}
    after = {name: value or before[name] for name, value in told.items()}
    if address is not None:
        person.address = desk.protector.encrypt(address, context_of(person, "address"))
    if after != before or address is not None:
        person.applicant_status, person.subsidy_kind = after["applicant_status"], after["subsidy_kind"]
        person.version += 1
        desk.note("person", person.id, person.region_code, person.version, before=before, after=after)


async def require_person(desk: Desk, person_id: UUID, *, lock: bool = False) -> Person:
    """The person with this key; ``lock`` keeps other changes waiting.

    Of a record that was merged the one that goes on is read, and nothing is written to it any more.
    Raises Refusal: not found, conflict (to be written, and merged).
    """
    found = await (people.lock_person if lock else people.find_person)(desk.session, person_id)
    if found is None or not desk.may_see(found.region_code):
        raise no_person()
    if found.merged_into is not None:
        raise merged_record(found)
    return found


def personal_data(protector: FieldProtector, person: Person | PersonRow) -> PersonalData:
    """Open the protected fields."""
    number = protector.decrypt(person.credential, context_of(person, "credential"))
    telephone = person.telephone and protector.decrypt(person.telephone, context_of(person, "telephone"))
    return PersonalData(
        credential=Credential(CredentialType(person.credential_type), number),
        name=protector.decrypt(person.name, context_of(person, "name")),
        telephone=telephone,
    )


def no_person() -> Refusal:
    """The same answer whether there is none or it is none of the caller's business."""
    return not_found("no_person", "没有此人员的参保档案，或不在您可查询的范围内。")


def merged_record(person: Person) -> Refusal:
    """What is told to whoever writes to a record that was merged."""
    message = f"该档案已并入人员编号{person.merged_into}的档案，只供查询；请在该档案上办理。"
    return conflict("record_merged", message, [Fault("record_merged", message, "/person_id")])


def sealed(protector: FieldProtector, new: NewPerson, now: dt.datetime) -> dict[str, Any]:
    """Column -> value of a new record; what identifies the person is encrypted."""
    sex, birth_date = new.sex or new.credential.sex, new.birth_date or new.credential.birth_date
    assert sex is not None, "faults_of_person asks for it"
    assert birth_date is not None, "faults_of_person asks for it"
    key = uuid7()

    def closed(field: str, value: str) -> str:
        return protector.encrypt(value, context(new.region_code, field, key))

    return {
        "id": key,
        "region_code": new.region_code,
        "version": 1,
        "person_key": protector.blind_index(new.credential.canonical),
        "credential_type": new.credential.type.value,
        "credential": closed("credential", new.credential.number),
        "name": closed("name", new.name),
        "telephone": closed("telephone", new.telephone) if new.telephone else None,
        "sex": sex,
        "birth_date": birth_date,
        "created_at": now,
    }


def told_of_new(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the history keeps of a new record."""
    return {"credential_type": row["credential_type"], "sex": row["sex"]}


def context(region_code: str, field: str, person_id: UUID) -> str:
    """Bound to region, row and field: a ciphertext moved elsewhere does not open."""
    return f"{region_code}/person.{field}/{person_id}"


def context_of(person: Person | PersonRow, field: str) -> str:
    """The same of a record at hand."""
    return context(person.region_code, field, person.id)


def _known_person(known: Person) -> Refusal:
    message = f"该证件号码在本地已有参保档案（人员编号{known.id}），不能重复建档。"
    return conflict("person_known", message, [Fault("person_known", message, "/credential/number")])
