"""People: register, find, open their protected fields."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.contracts.enrollment import PersonRegistered
from libs.identifiers.credentials import Credential, CredentialType
from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault, Refusal, conflict, invalid, not_found
from services.enrollment.domain.people import NewPerson, PersonalData, faults_of_person
from services.enrollment.models import Employer, Enrolment, Person
from services.enrollment.repository import aliases, people
from services.enrollment.service.desk import Desk


@dataclass(frozen=True)
class PersonFile:
    """A person and all enrolments here, oldest first, each with its employer."""

    person: Person
    enrolments: list[tuple[Enrolment, Employer | None]]


async def register_person(desk: Desk, new: NewPerson) -> PersonFile:
    """A region's record of a person. Raises Refusal: invalid with all faults, conflict if known here."""
    faults = faults_of_person(new, desk.today)
    if faults:
        raise invalid("person", f"人员信息有{len(faults)}处不符合要求，本次未作任何更改。", faults)
    person = _sealed(desk, new)
    if not await people.add_person(desk.session, person):
        raise await _known_person(desk, person)
    after = {"credential_type": person.credential_type, "sex": person.sex}
    desk.note("person", person.id, person.region_code, 1, before=None, after=after)
    fact = PersonRegistered(
        person_id=str(person.id),
        person_key=person.person_key,
        region_code=person.region_code,
        person_version=person.version,
    )
    await desk.tell(fact, person_key=fact.person_key, region_code=fact.region_code, subject=fact.person_id)
    return PersonFile(person, [])


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


async def file_of(desk: Desk, person_id: UUID) -> PersonFile:
    """A person's file by key; of a merged record, the one that goes on. Raises Refusal (not found)."""
    return await _present_file(desk, await people.file_of(desk.session, person_id))


async def file_by_credential(desk: Desk, region_code: str, credential: Credential) -> PersonFile:
    """The region's file of whoever bears, or bore, this credential. Raises Refusal (not found)."""
    person_key = desk.protector.blind_index(credential.canonical)
    rows = await people.file_by_key(desk.session, region_code, person_key)
    if not rows:
        earlier = await aliases.find_person(desk.session, region_code, person_key)
        rows = await people.file_of(desk.session, earlier.id) if earlier else rows
    return await _present_file(desk, rows)


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


def personal_data(protector: FieldProtector, person: Person) -> PersonalData:
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


def _sealed(desk: Desk, new: NewPerson) -> Person:
    sex, birth_date = new.sex or new.credential.sex, new.birth_date or new.credential.birth_date
    assert sex is not None, "faults_of_person asks for it"
    assert birth_date is not None, "faults_of_person asks for it"
    person = Person(
        id=uuid7(),
        region_code=new.region_code,
        version=1,
        person_key=desk.protector.blind_index(new.credential.canonical),
        credential_type=new.credential.type.value,
        sex=sex,
        birth_date=birth_date,
        created_at=desk.now,
    )
    person.credential = desk.protector.encrypt(new.credential.number, context_of(person, "credential"))
    person.name = desk.protector.encrypt(new.name, context_of(person, "name"))
    if new.telephone:
        person.telephone = desk.protector.encrypt(new.telephone, context_of(person, "telephone"))
    return person


def context_of(person: Person, field: str) -> str:
    """Bound to region, row and field: a ciphertext moved elsewhere does not open."""
    return f"{person.region_code}/person.{field}/{person.id}"


async def _present_file(desk: Desk, rows: people.PersonRows) -> PersonFile:
    merged_into = rows[0][0].merged_into if rows else None
    return _file(desk, await people.file_of(desk.session, merged_into) if merged_into else rows)


def _file(desk: Desk, rows: people.PersonRows) -> PersonFile:
    if not rows or not desk.may_see(rows[0][0].region_code):
        raise no_person()
    enrolments = [(enrolment, employer) for _, enrolment, employer in rows if enrolment is not None]
    return PersonFile(rows[0][0], enrolments)


async def _known_person(desk: Desk, person: Person) -> Refusal:
    known = await people.lock_person_by_key(desk.session, person.region_code, person.person_key)
    assert known is not None, "persons are never deleted"
    message = f"该证件号码在本地已有参保档案（人员编号{known.id}），不能重复建档。"
    return conflict("person_known", message, [Fault("person_known", message, "/credential/number")])
