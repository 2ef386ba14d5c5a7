"""Changing a person's data: looked at under the record's lock, kept with before and after, told.

Whoever looks has locked: of two changes of one person at once the second sees what the first did.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from libs.contracts.base import Fact
from libs.contracts.enrollment import PersonChanged, PersonKeyChanged
from libs.identifiers.credentials import Credential
from libs.money.amounts import fen_of, yuan_of
from libs.refusals.faults import Fault, conflict
from services.enrollment.domain import changes as rules
from services.enrollment.domain.changes import ITEM_NAMES, ChangeItem, DataChange
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.transfers import OPEN, OpenTransfer, Side, under_way
from services.enrollment.models import Person
from services.enrollment.repository import aliases, enrolments, keys, people, transfers
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import context_of, personal_data

Told = tuple[str, Fact]
"""A fact and the key in whose order it is told."""


@dataclass(frozen=True)
class Row:
    """Whom the form names by the present credential, and what is to change.

    ``employer_id``: the form is this employer's, and so must the person be. ``version``: of the
    record as the applicant has seen it.
    """

    region_code: str
    credential: Credential
    name: str
    changes: Sequence[DataChange] = ()
    employer_id: UUID | None = None
    version: int | None = None


async def lock_all(desk: Desk, rows: Sequence[Row]) -> list[Person | None]:
    """The rows' people, locked in the order of their keys, so that two forms never wait in a circle."""
    order = sorted(range(len(rows)), key=lambda index: _key_of(desk, rows[index]))
    found: dict[int, Person | None] = {}
    for index in order:
        row = rows[index]
        found[index] = await people.lock_person_by_key(desk.session, row.region_code, _key_of(desk, row))
    return [found[index] for index in range(len(rows))]


async def faults_of_person(desk: Desk, row: Row, person: Person | None) -> list[Fault]:
    """What stands against naming this person at all; pointers relative to the row."""
    if person is None:
        message = "本地没有该证件号码的参保档案，请核对证件，或先办理参保登记。"
        return [Fault("no_person", message, "/person/credential_no")]
    if person.person_key != _key_of(desk, row):
        message = "该证件号码已不是该人员的现用证件（已变更，或其档案已并入另一档案），请按现用证件申请。"
        return [Fault("earlier_credential", message, "/person/credential_no")]
    faults = []
    if personal_data(desk.protector, person).name != row.name:
        message = "姓名与该证件号码在本地参保档案中的姓名不一致，请核对。"
        faults.append(Fault("name_disagrees", message, "/person/name"))
    if row.version is not None and row.version != person.version:
        message = f"参保档案已更新到第{person.version}版，您看到的是第{row.version}版，请重新查询后再办。"
        faults.append(Fault("stale_version", message, "/version"))
    if row.employer_id is not None:
        spells = await enrolments.spells_here(desk.session, person.id)
        if not any(spell.is_active and spell.employer_id == row.employer_id for spell in spells):
            message = "该人员目前不在本单位参保，单位不能为其申请变更。"
            faults.append(Fault("not_employee", message, "/person/credential_no"))
    return faults


async def faults_of_row(desk: Desk, row: Row, person: Person | None) -> list[Fault]:
    """Every reason against the row; ``person`` is locked. Pointers relative to the row."""
    faults = await faults_of_person(desk, row, person)
    if person is None or faults:
        return faults
    spells = await _active(desk, person)
    state = _state_of(desk, person, await _wage_fen(desk, row, person))
    faults += rules.faults_of_changes(row.changes, state, desk.today)
    for index, change in enumerate(row.changes):
        found: list[Fault] = []
        if change.item is ChangeItem.CREDENTIAL:
            found = await _faults_of_credential(desk, person, change, spells)
        if change.item is ChangeItem.DECLARED_WAGE and not spells:
            found = [Fault("not_enrolled", "该人员没有在保的参保关系，不能变更申报工资。")]
        faults += [replace(fault, pointer=f"/changes/{index}/after") for fault in found]
    return faults


async def carry_out(desk: Desk, row: Row, person: Person, case_no: str) -> list[Told]:
    """Change the locked record; what is to be told. Raises Refusal (conflict) where another was quicker."""
    state = _state_of(desk, person, await _wage_fen(desk, row, person))
    previous_key = person.person_key
    try:
        async with desk.session.begin_nested():
            for change in row.changes:
                await _apply(desk, row, person, change)
            person.version += 1
    except IntegrityError as error:
        raise _meanwhile(error) from error
    before = {change.item: state[change.item] for change in row.changes}
    _note(desk, person, before, {change.item: change.after for change in row.changes}, case_no)
    return [*_key_facts(desk, person, previous_key), *_data_facts(desk, person, row)]


async def tell(desk: Desk, told: Iterable[Told], region_code: str) -> None:
    """Publish, in the order of the keys: two forms with people in common never wait in a circle."""
    for key, fact in sorted(told, key=lambda one: one[0]):
        subject = str(getattr(fact, "person_id", ""))
        await desk.tell(fact, person_key=key, region_code=region_code, subject=subject)


def sealed_context(region_code: str, person_id: object, item: str) -> str:
    """Where a value of the history stands: it opens for its region, person and item only."""
    return f"{region_code}/person_change.{item}/{person_id}"


async def _active(desk: Desk, person: Person) -> list[Spell]:
    return [spell for spell in await enrolments.spells_here(desk.session, person.id) if spell.is_active]


async def _faults_of_credential(
    desk: Desk, person: Person, change: DataChange, active: Sequence[Spell]
) -> list[Fault]:
    new_key = desk.protector.blind_index(change.after)
    faults = []
    bearer = await keys.find_bearer(desk.session, person.region_code, new_key)
    if bearer is not None and person.id not in (bearer.id, bearer.merged_into):
        message = (
            f"变更后的证件号码在本地另有参保档案（人员编号{bearer.merged_into or bearer.id}，"
            f"{bearer.created_at:%Y-%m-%d}建档），同一人有两条档案的请先办理档案合并。"
        )
        faults.append(Fault("two_records_of_one_person", message))
    kinds = [kind.value for kind in InsuranceKind]
    leaving = await transfers.transfers_in(desk.session, person.region_code, person.person_key, kinds, OPEN)
    faults += [
        under_way(OpenTransfer(row.case_no, Side(row.side), row.counterpart_region_code)) for row in leaving
    ]
    for spell in active:
        elsewhere = await enrolments.spells_elsewhere(
            desk.session, new_key, person.region_code, spell.insurance_kind, desk.today
        )
        faults += rules.enrolled_twice([spell], elsewhere)
    return faults


def _state_of(desk: Desk, person: Person, wage_fen: int | None) -> dict[ChangeItem, str | None]:
    data = personal_data(desk.protector, person)
    address = person.address and desk.protector.decrypt(person.address, context_of(person, "address"))
    return {
        ChangeItem.NAME: data.name,
        ChangeItem.SEX: person.sex,
        ChangeItem.CREDENTIAL: data.credential.canonical,
        ChangeItem.BIRTH_DATE: person.birth_date.isoformat(),
        ChangeItem.TELEPHONE: data.telephone,
        ChangeItem.ADDRESS: address,
        ChangeItem.APPLICANT_STATUS: person.applicant_status,
        ChangeItem.SUBSIDY_KIND: person.subsidy_kind,
        ChangeItem.DECLARED_WAGE: None if wage_fen is None else yuan_of(wage_fen),
    }


async def _wage_fen(desk: Desk, row: Row, person: Person) -> int | None:
    if not any(change.item is ChangeItem.DECLARED_WAGE for change in row.changes):
        return None
    return await keys.declared_wage_fen(desk.session, person.id, row.employer_id)


async def _apply(desk: Desk, row: Row, person: Person, change: DataChange) -> None:
    match change.item:
        case ChangeItem.NAME | ChangeItem.TELEPHONE | ChangeItem.ADDRESS:
            field = change.item.value
            setattr(person, field, desk.protector.encrypt(change.after, context_of(person, field)))
        case ChangeItem.SEX:
            person.sex = change.after
        case ChangeItem.BIRTH_DATE:
            person.birth_date = dt.date.fromisoformat(change.after)
        case ChangeItem.APPLICANT_STATUS:
            person.applicant_status = change.after
        case ChangeItem.SUBSIDY_KIND:
            person.subsidy_kind = change.after
        case ChangeItem.DECLARED_WAGE:
            await keys.set_declared_wage(desk.session, person.id, row.employer_id, fen_of(change.after))
        case ChangeItem.CREDENTIAL:
            await _change_credential(desk, person, rules.credential_of(change.after))


async def _change_credential(desk: Desk, person: Person, credential: Credential) -> None:
    """The key follows wherever it stands, and the old one goes on to find the person."""
    previous_key, new_key = person.person_key, desk.protector.blind_index(credential.canonical)
    bearer = await keys.find_bearer(desk.session, person.region_code, new_key)
    if bearer is not None and bearer.merged_into != person.id:
        bearer = None  # somebody else's since our look: the unique index refuses it
    if bearer is not None:
        # A record merged into this one bore it: the two change keys, one of them being unique meanwhile.
        bearer.person_key = f"changing:{person.id.hex}"
        await desk.session.flush()
    person.person_key, person.credential_type = new_key, credential.type.value
    person.credential = desk.protector.encrypt(credential.number, context_of(person, "credential"))
    await desk.session.flush()
    if bearer is not None:
        bearer.person_key = previous_key
    await keys.follow(desk.session, person, previous_key)
    await aliases.put_alias(desk.session, person.region_code, previous_key, person.id, desk.now)


def _note(
    desk: Desk,
    person: Person,
    before: dict[ChangeItem, str | None],
    after: dict[ChangeItem, str | None],
    case_no: str,
) -> None:
    def seal(values: dict[ChangeItem, str | None]) -> dict[str, dict[str, str | None]]:
        return {
            "sealed": {
                item.value: value
                and desk.protector.encrypt(value, sealed_context(person.region_code, person.id, item))
                for item, value in values.items()
            }
        }

    desk.note(
        "person",
        person.id,
        person.region_code,
        person.version,
        before=seal(before),
        after=seal(after),
        reason=case_no,
    )


def _key_facts(desk: Desk, person: Person, previous_key: str) -> list[Told]:
    if person.person_key == previous_key:
        return []
    fact = PersonKeyChanged(
        person_id=str(person.id),
        region_code=person.region_code,
        person_version=person.version,
        previous_person_key=previous_key,
        person_key=person.person_key,
        changed_on=desk.today,
    )
    return [(previous_key, fact)]


def _data_facts(desk: Desk, person: Person, row: Row) -> list[Told]:
    fact = PersonChanged(
        person_id=str(person.id),
        person_key=person.person_key,
        region_code=person.region_code,
        person_version=person.version,
        items=[change.item.value for change in row.changes],
        changed_on=desk.today,
    )
    return [(person.person_key, fact)]


def _key_of(desk: Desk, row: Row) -> str:
    return desk.protector.blind_index(row.credential.canonical)


def _meanwhile(error: IntegrityError) -> Exception:
    """Another transaction was quicker than our look: whatever it did, the indexes have seen it."""
    if "ux_enrolments_one_active" in str(error.orig):
        message = "变更后的证件号码刚刚在其他地区办理了参保登记，请核实后重新提交。"
    elif "person_key" in str(error.orig):
        message = f"变更后的{ITEM_NAMES[ChangeItem.CREDENTIAL]}刚刚在本地另建了参保档案，请先办理档案合并。"
    else:
        return error
    return conflict("changed_meanwhile", message, [Fault("changed_meanwhile", message)])
