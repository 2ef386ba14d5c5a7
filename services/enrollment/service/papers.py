"""Papers: a certificate is issued once and given out again as it is; a rights record is made when asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.casebook.contents import Document
from libs.exchange.forms import document_number
from libs.identifiers.credentials import CREDENTIAL_NAMES, masked
from libs.ledger.accounts import statement
from libs.refusals.faults import Fault, Refusal, invalid, not_found
from libs.regions import names
from libs.webapp.database import asyncpg_of
from services.enrollment.domain.kinds import InsuranceKind, has_personal_account
from services.enrollment.domain.papers import certificate, rights, rights_sheet
from services.enrollment.domain.papers.certificate import Certificate, InsuredTime, insured_time
from services.enrollment.domain.papers.rights import Movement, RightsRecord, YearAccount
from services.enrollment.models import Paper, Person
from services.enrollment.repository import enrolments, papers, reads
from services.enrollment.service import money
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import personal_data
from services.enrollment.service.press import Press

_LINES_A_PAGE = 500


@dataclass(frozen=True)
class Household:
    """户籍所在地、户籍类型 as the applicant states them; nothing is asked where they do not."""

    place: str | None = None
    kind: str | None = None


async def time_of(desk: Desk, person: Person, kind: InsuranceKind) -> InsuredTime | None:
    """参保时间 and months paid; None for who was never insured so here, or moved away for good."""
    known = await reads.booked_months(await asyncpg_of(desk.session), person.id)
    return insured_time(kind, known, await enrolments.spells_here(desk.session, person.id), desk.today)


async def issue_certificate(
    desk: Desk, press: Press, case: Case, person: Person, kind: InsuranceKind, household: Household
) -> Document:
    """参保凭证 with the next number of region and year, as document of the case and as sealed PDF.

    All in the caller's transaction: a number is taken only by a certificate that is kept. Raises
    Refusal: not found for who is not insured here, and as ``Press.sealed`` does.
    """
    time = await time_of(desk, person, kind)
    if time is None:
        raise not_found("never_insured", "没有可以证明的参保记录。")
    balance = await money.balance_of(desk.session, person, kind)
    data = personal_data(desk.protector, person)
    filled = Certificate(
        number=await _next_number(desk, person.region_code),
        generated_on=desk.today,
        person=data,
        credential_name=CREDENTIAL_NAMES[data.credential.type],
        household_place=household.place or address_of(desk, person),
        household_type=household.kind,
        insurance_kind=kind,
        time=time,
        balance_fen=balance.balance_fen if has_personal_account(kind) else None,
        agency=press.agencies.require(person.region_code, "/region_code"),
    )
    fields = filled.fields()
    document = await contents.add_document(
        desk.session,
        case,
        desk.protector,
        kind=certificate.KIND,
        number=filled.number,
        title=certificate.TITLE,
        content=fields,
        at=desk.now,
    )
    pdf = await press.sealed(certificate.sheet_of(fields), person.region_code, desk.now)
    await _keep(desk, document, person, pdf)
    return document


async def paper_of(desk: Desk, document_id: UUID) -> tuple[Paper, bytes]:
    """A paper as it was sealed. Raises Refusal (not found), also for one of a foreign region."""
    paper = await papers.find_paper(desk.session, document_id)
    if paper is None or not desk.may_see(paper.region_code):
        raise no_paper()
    return paper, desk.protector.decrypt_bytes(paper.pdf, _context(paper.region_code, document_id))


def no_paper() -> Refusal:
    """The same answer whether there is none or it is none of the caller's business."""
    return not_found("no_paper", "没有这份凭证，或不在您可查询的范围内。")


async def rights_record(desk: Desk, press: Press, person: Person, year: int) -> RightsRecord:
    """个人权益记录 of a year, up to today while it runs. Raises Refusal (invalid) for a year to come."""
    if not rights.FIRST_YEAR <= year <= desk.today.year:
        message = f"年度应为{rights.FIRST_YEAR}至{desk.today.year}之间，例如{desk.today.year - 1}。"
        raise invalid("year", message, [Fault("year", message, "/query/year")])
    until = rights.last_day(year, desk.today)
    known = await reads.booked_months(await asyncpg_of(desk.session), person.id)
    spells = await enrolments.spells_here(desk.session, person.id)
    return RightsRecord(
        region_code=person.region_code,
        year=year,
        until=until,
        is_running=year == desk.today.year,
        person=personal_data(desk.protector, person),
        spells=rights.spells_within(spells, year, until),
        months=rights.months_within(known, year),
        accounts=await _year_accounts(desk, person, year),
        cumulative=rights.cumulative_months(known, until),
        agency=press.agencies.require(person.region_code, "/path/person_id"),
    )


async def sealed_rights_record(desk: Desk, press: Press, record: RightsRecord, *, in_full: bool) -> bytes:
    """The record as sealed PDF. Made anew whenever asked for: it certifies the day it was made on."""
    number = record.person.credential.number
    sheet = rights_sheet.sheet_of(record, number if in_full else masked(number))
    return await press.sealed(sheet, record.region_code, desk.now)


def address_of(desk: Desk, person: Person) -> str | None:
    """户籍地址 on the person's record, in clear text."""
    context = f"{person.region_code}/person.address/{person.id}"
    return person.address and desk.protector.decrypt(person.address, context)


async def _year_accounts(desk: Desk, person: Person, year: int) -> tuple[YearAccount, ...]:
    """Years of all personal accounts the person has here."""
    found = []
    for kind in (kind for kind in InsuranceKind if has_personal_account(kind)):
        account = await money.find_personal_account(desk.session, person, kind)
        if account is not None:
            found.append(rights.year_account(kind, await _movements(desk, account), year))
    return tuple(found)


async def _movements(desk: Desk, account: UUID) -> list[Movement]:
    """The account's whole statement: forty years of months are some 500 lines."""
    movements: list[Movement] = []
    after = 0
    while True:
        lines = await statement(desk.session, account, after_version=after, limit=_LINES_A_PAGE)
        movements += [Movement(line.occurred_on, line.purpose, line.amount_fen) for line in lines]
        if len(lines) < _LINES_A_PAGE:
            return movements
        after = lines[-1].version


async def _next_number(desk: Desk, region_code: str) -> str:
    """``(山东省)(枣庄市)(2026)(第0001号)``: per region and year, without gaps (hubei-2022 L9057)."""
    region = names.find(region_code)
    assert region is not None, f"{region_code} is in GB/T 2260"
    above = names.find(region.parent_code) if region.parent_code else region
    assert above is not None, f"{region_code} has its province in GB/T 2260"
    serial = await contents.next_number(desk.session, region_code, certificate.KIND, desk.today.year)
    return document_number(above.name, region.name, desk.today.year, serial)


async def _keep(desk: Desk, document: Document, person: Person, pdf: bytes) -> None:
    paper = Paper(
        document_id=document.id,
        region_code=person.region_code,
        person_id=person.id,
        person_key=person.person_key,
        kind=document.kind,
        pdf=desk.protector.encrypt_bytes(pdf, _context(person.region_code, document.id)),
        digest=hashlib.sha256(pdf).hexdigest(),
        sealed_at=desk.now,
    )
    await papers.add_paper(desk.session, paper)


def _context(region_code: str, document_id: Any) -> str:
    return f"{region_code}/paper/{document_id}"
