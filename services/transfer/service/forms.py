"""Filling in the forms that travel: 申请, 联系函, 信息表, 划转通知, 办结反馈."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal, cast

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.contracts.enrollment import ContributionPeriod
from libs.exchange import bodies
from libs.exchange.forms import Agency as AgencyForm
from libs.exchange.forms import (
    Agent,
    BankAccount,
    InsuranceKind,
    Period,
    Person,
    amount_in_words,
    document_number,
)
from libs.identifiers.credentials import Credential, CredentialType
from libs.regions import names
from libs.regions.agencies import Agency
from services.transfer.domain.stages import Side
from services.transfer.models import Move
from services.transfer.service.desk import Desk

# Where a sign-in carries no name: the form must name somebody.
_HANDLER = "经办人员"


async def next_document_number(desk: Desk, region_code: str, kind: str) -> str:
    """``(山东省)(枣庄市)(2026)(第0001号)``: per region, kind and year, without gaps."""
    region = names.find(region_code)
    province = names.find(region.parent_code) if region and region.parent_code else region
    assert region is not None, f"{region_code} is in GB/T 2260"
    assert province is not None, f"{region_code} has its province in GB/T 2260"
    serial = await contents.next_number(desk.session, region_code, kind, desk.today.year)
    return document_number(province.name, region.name, desk.today.year, serial)


async def application(desk: Desk, case: Case, move: Move) -> bodies.TransferApplication:
    """转移接续申请 (form 9) as accepted here."""
    out_code, in_code = _ends(move)
    payload = case.application["payload"]
    agencies = desk.office.agencies
    origin = agencies.require(out_code, "/payload/from_region_code")
    destination = agencies.require(in_code, "/payload/to_region_code")
    return bodies.TransferApplication(
        number=await next_document_number(desk, case.region_code, "transfer_application"),
        regime=cast(Literal["letter", "platform"], move.regime),
        person=person(case),
        insurance=InsuranceKind(move.insurance_kind),
        transferring_out=_agency(origin, payload["from_agency"]),
        transferring_in=_agency(destination, payload["to_agency"]),
        agent=_agent(case),
        receiving_account=_account(destination),
        applied_at=case.submitted_on,
        accepted_case_no=case.case_no,
    )


async def contact_letter(desk: Desk, case: Case, move: Move) -> bodies.ContactLetter:
    """联系函 from the transferring-in agency."""
    origin = desk.office.agencies.require(move.counterpart_region_code, "/payload/from_region_code")
    own = desk.office.agencies.require(move.region_code, "/payload/to_region_code")
    return bodies.ContactLetter(
        number=await next_document_number(desk, case.region_code, "contact_letter"),
        person=person(case),
        insurance=InsuranceKind(move.insurance_kind),
        certificate_no=case.application["payload"]["certificate_no"],
        transferring_out=_agency(origin, {}),
        transferring_in=_agency(own, {}),
        receiving_account=_account(own),
        accepted_case_no=case.case_no,
        handler=desk.actor.name or _HANDLER,
        telephone=own.telephone,
        issued_on=desk.today,
    )


def information_sheet(
    desk: Desk, case: Case, move: Move, number: str, periods: Sequence[ContributionPeriod]
) -> bodies.InformationSheet:
    """信息表 (form 10) from the transferring-out agency."""
    own = desk.office.agencies.require(move.region_code, "/payload/from_region_code")
    amount_fen = move.amount_fen or 0
    return bodies.InformationSheet(
        number=number,
        person=person(case),
        periods=tuple(_row(period) for period in periods),
        account_amount_fen=amount_fen,
        account_amount_in_words=amount_in_words(amount_fen),
        handler=desk.actor.name or _HANDLER,
        telephone=own.telephone,
        issued_on=desk.today,
    )


def fund_notice(desk: Desk, move: Move, bank_reference: str, paid_on: dt.date) -> bodies.FundNotice:
    """划转通知: the money of the sheet, from our account to theirs; the remark carries the sheet's number."""
    own = desk.office.agencies.require(move.region_code, "/region_code")
    other = desk.office.agencies.require(move.counterpart_region_code, "/region_code")
    return bodies.FundNotice(
        amount_fen=move.amount_fen or 0,
        payer=_account(own),
        payee=_account(other),
        paid_on=paid_on,
        bank_reference=bank_reference,
        remark=f"医疗保险关系转移个人账户资金 信息表{move.sheet_number}",
    )


def person(case: Case) -> Person:
    """The person as the forms name them."""
    applicant = case.application["applicant"]
    credential = Credential(CredentialType(applicant["credential_type"]), applicant["credential_no"])
    return Person(
        name=applicant["name"],
        credential_type=applicant["credential_type"],
        credential_no=applicant["credential_no"],
        gender=cast(Literal["男", "女"] | None, credential.sex),
        telephone=applicant["telephone"],
    )


def periods_of(sheet: bodies.InformationSheet) -> list[ContributionPeriod]:
    """The sheet's rows as facts carry them."""
    return [
        ContributionPeriod(
            from_month=row.from_month,
            to_month=row.to_month,
            insurance_kind=row.insurance.value,
            months_paid=row.months,
            region_code=row.agency_region_code,
            agency_name=row.agency_name,
            remark=row.remark or "",
        )
        for row in sheet.periods
    ]


def _row(period: ContributionPeriod) -> Period:
    return Period(
        from_month=period.from_month,
        to_month=period.to_month,
        insurance=InsuranceKind(period.insurance_kind),
        months=period.months_paid,
        agency_name=period.agency_name,
        agency_region_code=period.region_code,
        remark=period.remark or None,
    )


def _ends(move: Move) -> tuple[str, str]:
    """Transferring-out and transferring-in region."""
    ends = (move.region_code, move.counterpart_region_code)
    return ends if move.side == Side.OUT else (ends[1], ends[0])


def _agency(agency: Agency, given: dict[str, str | None]) -> AgencyForm:
    return AgencyForm(
        name=agency.name,
        region_code=agency.region_code,
        telephone=agency.telephone,
        address=given.get("address") or agency.address,
        postcode=given.get("postcode") or agency.postcode,
    )


def _account(agency: Agency) -> BankAccount:
    return BankAccount(
        account_name=agency.account_name, bank_name=agency.bank_name, account_no=agency.account_no
    )


def _agent(case: Case) -> Agent | None:
    agent = case.application.get("agent")
    if agent is None:
        return None
    return Agent(
        name=agent["name"],
        credential_type=agent["credential_type"],
        credential_no=agent["credential_no"],
        relation=agent["relation"],
        telephone=agent["telephone"],
    )
