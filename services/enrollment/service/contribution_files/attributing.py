"""Payments find their person, months and accounts; what finds none waits for an officer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.contracts.enrollment import ContributionsRecorded
from libs.ledger.accounts import AccountKind
from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault
from services.enrollment.domain.contributing import OWN, KnownMonth, NewMonth
from services.enrollment.domain.crediting.packs import packs
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind, counts_as
from services.enrollment.domain.months import agency_name_of, month_of
from services.enrollment.domain.payments import Attribution, Outcome, Paid, Payer, attribute
from services.enrollment.domain.purposes import Purpose
from services.enrollment.domain.tax_files.rows import PayerKind, PaymentKind
from services.enrollment.domain.transfers import OpenTransfer, Side, under_way
from services.enrollment.models import ContributionMonth, Payment
from services.enrollment.repository import payers
from services.enrollment.repository.months import known_of
from services.enrollment.repository.payers import LockedPerson, MonthToAdd
from services.enrollment.repository.settlements import Settlement
from services.enrollment.service.contribution_files.batch import Batch, total_of
from services.enrollment.service.contribution_files.books import Books, open_books
from services.enrollment.service.contribution_files.receiving import context_of, reason_of
from services.enrollment.service.desk import Desk


@dataclass
class People:
    """Who a chunk is about: locked records and what is known of each, by the blind index asked for."""

    records: Mapping[str, LockedPerson]
    payers: Mapping[str, Payer]

    def find(self, person_key: str | None) -> tuple[LockedPerson | None, Payer | None]:
        """The record and what is known of them; nothing for nobody."""
        if person_key is None or person_key not in self.records:
            return None, None
        return self.records[person_key], self.payers[person_key]


Found = tuple[Payment, LockedPerson | None, Attribution | list[Fault]]


async def attribute_all(batch: Batch, rows: Sequence[Payment], *, received: bool) -> None:
    """Decide on each row and put down what comes of it; people are locked here, in one statement.

    ``received``: the rows' money stands as unattributed already. Rows with reasons are broken and
    only received.
    """
    desk = batch.desk
    readable = [row for row in rows if not row.reasons or received]
    people = await _people(desk, batch.region_code, [paid_of(desk.protector, row) for row in readable])
    found = [_decide(desk, row, people) for row in readable]
    credited = [
        (row.insurance_kind, person.id)
        for row, person, told in found
        if person and isinstance(told, Attribution) and told.account_fen
    ]
    funds = [row.insurance_kind for row in rows]
    books = await open_books(desk.session, batch.region_code, funds, credited)
    for row, person, told in found:
        if person is not None and isinstance(told, Attribution):
            _settle_matched(batch, books, row, person, told, received=received)
        elif isinstance(told, list):
            settle_unmatched(batch, books, row, told, received=received)
    for row in rows:
        if row.reasons and not received:
            settle_broken(batch, books, row)


def settle_unmatched(
    batch: Batch, books: Books, row: Payment, faults: Sequence[Fault], *, received: bool = False
) -> None:
    """The money is received and waits; the reasons are for whoever puts it right."""
    if not received:
        batch.post(row, Purpose.TAX_RECEIVED, books.received(row.insurance_kind, total_of(row)))
    reasons = [reason_of(fault) for fault in faults]
    batch.settlements.append(Settlement(row.file_id, row.row_no, Outcome.UNMATCHED, reasons))


def settle_broken(batch: Batch, books: Books, row: Payment) -> None:
    """The same for a row that cannot be read: the tax authority corrects it."""
    if total_of(row):
        batch.post(row, Purpose.TAX_RECEIVED, books.received(row.insurance_kind, total_of(row)))
    batch.settlements.append(Settlement(row.file_id, row.row_no, Outcome.BROKEN, row.reasons))


def paid_of(protector: FieldProtector, row: Payment) -> Paid:
    """A readable row as the rules see it."""
    assert row.name is not None, "only of rows without faults"
    assert row.paid_on is not None, "only of rows without faults"
    return Paid(
        row_no=row.row_no,
        serial=row.serial,
        payer_kind=PayerKind(row.payer_kind or ""),
        credit_code=row.credit_code,
        person_key=row.person_key or "",
        name=protector.decrypt(row.name, context_of(row, "name")),
        insurance_kind=InsuranceKind(row.insurance_kind),
        person_kind=PersonKind(row.person_kind or ""),
        period=row.period or "",
        base_fen=row.base_fen,
        unit_fen=row.unit_fen,
        personal_fen=row.personal_fen,
        late_fee_fen=row.late_fee_fen,
        kind=PaymentKind(row.kind or ""),
        corrects=row.corrects,
        paid_on=row.paid_on,
    )


def _decide(desk: Desk, row: Payment, people: People) -> Found:
    paid = paid_of(desk.protector, row)
    person, payer = people.find(row.person_key)
    told = attribute(paid, payer, packs(), desk.today)
    if payer is not None and isinstance(told, Attribution):
        _remember(payer, paid, told)  # a later row of the same chunk must see it
    return row, person, told


def _remember(payer: Payer, paid: Paid, told: Attribution) -> None:
    if paid.is_of_a_year:
        payer.years_paid.add((paid.insurance_kind, paid.period))
    for new in told.months:
        key = (counts_as(paid.insurance_kind), new.month)
        payer.known[key] = _known(paid.insurance_kind, new, payer.region_code)


def _known(kind: InsuranceKind, new: NewMonth, region_code: str) -> KnownMonth:
    return KnownMonth(
        month=new.month,
        insurance_kind=kind,
        base_fen=new.base_fen,
        account_fen=new.account_fen,
        source=OWN,
        origin_region_code=region_code,
        origin_agency_name=agency_name_of(region_code),
        is_leaving=False,
    )


def _settle_matched(
    batch: Batch, books: Books, row: Payment, person: LockedPerson, told: Attribution, *, received: bool
) -> None:
    kind = InsuranceKind(row.insurance_kind)
    rule = told.credit.rule if told.credit else None
    source = AccountKind.UNATTRIBUTED if received else AccountKind.BANK_MIRROR
    purpose, step = (Purpose.TAX_ATTRIBUTED, "attributed") if received else (Purpose.TAX_PAYMENT, "")
    amounts = books.paid(kind.value, total_of(row), told.account_fen, person.id, source=source)
    batch.post(row, purpose, amounts, step=step)
    has_base = row.base_fen is not None
    batch.months += [MonthToAdd(person.id, kind, new, has_base, row.serial, rule) for new in told.months]
    batch.settlements.append(
        Settlement(
            row.file_id,
            row.row_no,
            Outcome.MATCHED,
            person_id=person.id,
            account_fen=told.account_fen,
            rule=rule,
            recorded_through=_through(told, month_of(batch.desk.today)),
        )
    )
    assert row.person_kind is not None, "a matched row was readable"
    assert row.paid_on is not None, "a matched row was readable"
    fact = ContributionsRecorded(
        payment=row.serial,
        person_key=person.person_key,
        region_code=row.region_code,
        insurance_kind=kind.value,
        person_kind=PersonKind(row.person_kind).value,
        months=list(told.covers),
        paid_on=row.paid_on,
    )
    batch.tell(person.person_key, row.serial, fact)


def _through(told: Attribution, this_month: str) -> str | None:
    """Up to which month the record has been brought; None where no month is to come."""
    return this_month if told.covers[-1] > this_month else None


async def _people(desk: Desk, region_code: str, paid: Sequence[Paid]) -> People:
    session = desk.session
    records = await payers.lock_people(session, region_code, [row.person_key for row in paid])
    ids = {record.id for record in records.values()}
    spells = await payers.spells_of(session, ids)
    known = _by_person(await payers.months_of(session, ids, _months(paid)))
    years = await payers.years_paid(session, ids, {row.period for row in paid if row.is_of_a_year})
    leaving = await leaving_faults_of(desk, region_code, {record.person_key for record in records.values()})
    by_record = {
        record.id: _payer(desk.protector, record, spells[record.id], known[record.id], leaving)
        for record in records.values()
    }
    for person_id, kind, year in years:
        by_record[person_id].years_paid.add((kind, year))
    return People(records, {key: by_record[record.id] for key, record in records.items()})


def _payer(
    protector: FieldProtector,
    record: LockedPerson,
    spells: Sequence[tuple[Spell, str | None]],
    known: dict[tuple[str, str], KnownMonth],
    leaving: Mapping[str, Mapping[InsuranceKind, Sequence[Fault]]],
) -> Payer:
    context = f"{record.region_code}/person.name/{record.id}"
    return Payer(
        name=protector.decrypt(record.name, context),
        birth_date=record.birth_date,
        region_code=record.region_code,
        spells=[spell for spell, _ in spells],
        employer_codes={spell.enrolment_id or "": code for spell, code in spells},
        leaving=leaving.get(record.person_key, {}),
        known=known,
    )


async def leaving_faults_of(
    desk: Desk, region_code: str, person_keys: Collection[str]
) -> dict[str, dict[InsuranceKind, list[Fault]]]:
    """While a relation is on its way out, nothing is added to what its 信息表 says; by person and kind."""
    found: dict[str, dict[InsuranceKind, list[Fault]]] = {}
    for row in await payers.leaving_of(desk.session, region_code, person_keys):
        fault = under_way(OpenTransfer(row.case_no, Side(row.side), row.counterpart_region_code))
        found.setdefault(row.person_key, {}).setdefault(InsuranceKind(row.insurance_kind), []).append(fault)
    return found


def _months(paid: Sequence[Paid]) -> set[str]:
    months = {row.period for row in paid if not row.is_of_a_year}
    for row in paid:
        if row.is_of_a_year:
            months |= {f"{row.period}-{number:02d}" for number in range(1, 13)}
    return months


def _by_person(rows: Sequence[ContributionMonth]) -> dict[UUID, dict[tuple[str, str], KnownMonth]]:
    found: dict[UUID, dict[tuple[str, str], KnownMonth]] = defaultdict(dict)
    for row in rows:
        found[row.person_id][row.counts_as, row.month] = known_of(row)
    return found
