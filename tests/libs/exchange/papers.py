"""Bodies about made-up people, and messages made of them."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.exchange.bodies import (
    BODIES,
    Body,
    Completion,
    ContactLetter,
    Correction,
    FundNotice,
    InformationSheet,
    Inquiry,
    ReturnForCorrection,
    TransferApplication,
    Withdrawal,
    write_body,
)
from libs.exchange.envelope import Kind, Message, draft
from libs.exchange.forms import (
    Agency,
    BankAccount,
    InsuranceKind,
    Period,
    Person,
    amount_in_words,
    document_number,
)

YANTAI, ZAOZHUANG, WUHAN = "370600", "370400", "420100"
NAMES = {YANTAI: "烟台市医疗保险事业中心", ZAOZHUANG: "枣庄市医疗保险事业中心", WUHAN: "武汉市医疗保障中心"}
MONDAY = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
TODAY = MONDAY.date()
MONTHS = 22

# A made-up person: the address code 000000 belongs to no place.
PERSON = Person(name="测试甲", credential_type="01", credential_no="000000199001010010", gender="女")


def agency(region_code: str) -> Agency:
    return Agency(name=NAMES[region_code], region_code=region_code, telephone="0535-0000000")


def account(region_code: str) -> BankAccount:
    return BankAccount(
        account_name=NAMES[region_code], bank_name="测试银行营业部", account_no=f"000{region_code}0001"
    )


def contact_letter(to: str = ZAOZHUANG, *, out: str = YANTAI) -> ContactLetter:
    return ContactLetter(
        number=document_number("山东省", "枣庄市", 2026, 1),
        person=PERSON,
        insurance=InsuranceKind.EMPLOYEE,
        certificate_no="(山东省)(烟台市)(2026)(第0007号)",
        transferring_out=agency(out),
        transferring_in=agency(to),
        receiving_account=account(to),
        accepted_case_no="ZZ-2026-000001",
        handler="经办乙",
        telephone="0632-0000000",
        issued_on=TODAY,
    )


def application(to: str = ZAOZHUANG, *, out: str = YANTAI) -> TransferApplication:
    return TransferApplication(
        regime="platform",
        person=PERSON,
        insurance=InsuranceKind.EMPLOYEE,
        transferring_out=agency(out),
        transferring_in=agency(to),
        applied_at=TODAY,
        accepted_case_no="ZZ-2026-000002",
    )


def periods(region_code: str = YANTAI) -> tuple[Period, ...]:
    rows = (("2022-01", "2022-12", 12), ("2023-03", "2023-12", 10))
    return tuple(
        Period(
            from_month=first,
            to_month=last,
            insurance=InsuranceKind.EMPLOYEE,
            months=months,
            agency_name=NAMES[region_code],
            agency_region_code=region_code,
        )
        for first, last, months in rows
    )


def sheet(amount_fen: int = 234567) -> InformationSheet:
    return InformationSheet(
        number=document_number("山东省", "烟台市", 2026, 12),
        person=PERSON,
        periods=periods(),
        account_amount_fen=amount_fen,
        account_amount_in_words=amount_in_words(amount_fen),
        handler="经办丙",
        telephone="0535-0000000",
        issued_on=TODAY,
    )


def fund_notice(amount_fen: int = 234567) -> FundNotice:
    return FundNotice(
        amount_fen=amount_fen,
        payer=account(YANTAI),
        payee=account(ZAOZHUANG),
        paid_on=TODAY,
        bank_reference="TEST0001",
        remark="医保个人账户转移",
    )


def completion(amount_fen: int = 234567) -> Completion:
    return Completion(
        credited_amount_fen=amount_fen,
        credited_on=TODAY if amount_fen else None,
        months_recorded=MONTHS,
        completed_on=TODAY,
    )


def returned() -> ReturnForCorrection:
    return ReturnForCorrection(reason="信息有误", faults=("第1行起止年月与参保凭证不符",))


def withdrawal() -> Withdrawal:
    return Withdrawal(reason="本人申请撤回")


def inquiry() -> Inquiry:
    return Inquiry(waiting_since=TODAY, overdue_working_days=2)


def correction(
    *replaces: UUID, sheet: InformationSheet | None = None, funds: FundNotice | None = None
) -> Correction:
    return Correction(replaces=replaces, reason="按退回意见更正", information_sheet=sheet, fund_notice=funds)


def message(
    kind: Kind,
    body: Body,
    *,
    sequence: int = 1,
    from_region: str = ZAOZHUANG,
    to_region: str = YANTAI,
    conversation: str = "c-1",
    created_at: dt.datetime = MONDAY,
    lifetime: dt.timedelta = dt.timedelta(days=10),
    answers: str | None = None,
    id: UUID | None = None,
) -> Message:
    """An unsealed message."""
    return draft(
        id=id or uuid7(),
        kind=kind,
        kind_version=max(BODIES[kind]),
        conversation=conversation,
        sequence=sequence,
        from_region=from_region,
        to_region=to_region,
        created_at=created_at,
        expires_at=created_at + lifetime,
        body=write_body(body),
        answers_digest=answers,
    )
