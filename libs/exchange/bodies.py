"""What each kind of message says. One typed body per kind and version.

Forms 9 and 10 follow the Hubei specification of 2022 (``hubei-2022``, 表9 and 表10); the contact letter
follows ``shandong-2020`` item 11. Amounts are integer fen, months ``YYYY-MM``, dates ``YYYY-MM-DD``.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self
from uuid import UUID

from pydantic import UUID7, Field, ValidationError, model_validator

from libs.exchange.canonical import INTEGER_MAX, JsonObject, canonical
from libs.exchange.envelope import Kind
from libs.exchange.faults import Code, ExchangeFault, Fault, faults_of
from libs.exchange.forms import (
    Agency,
    Agent,
    AmountFen,
    BankAccount,
    DocumentNumber,
    InsuranceKind,
    LongText,
    Period,
    Person,
    ShortText,
    Strict,
    Telephone,
    amount_in_words,
    order_problems,
    row_problems,
)


class TransferApplication(Strict, title="转移接续申请"):
    """转移接续申请 (form 9): opens a conversation in the platform regime, from either end."""

    number: DocumentNumber | None = Field(title="编号", default=None)
    regime: Literal["letter", "platform"] = Field(title="办理方式")
    person: Person = Field(title="参保人员")
    insurance: InsuranceKind = Field(title="基本医疗保险类型")
    insurance_remark: ShortText | None = Field(title="险种说明", default=None)
    transferring_out: Agency = Field(title="转出地经办机构")
    transferring_in: Agency = Field(title="转入地经办机构")
    agent: Agent | None = Field(title="申请人", default=None)
    receiving_account: BankAccount | None = Field(title="转入地收款账户", default=None)
    applied_at: dt.date = Field(title="申请日期")
    accepted_case_no: ShortText = Field(title="受理编号")

    @model_validator(mode="after")
    def _other_is_explained(self) -> Self:
        _explain(self.insurance, self.insurance_remark)
        return self


class ContactLetter(Strict, title="联系函"):
    """联系函: opens a conversation in the letter regime; says where the account money is to go."""

    number: DocumentNumber = Field(title="联系函编号")
    person: Person = Field(title="参保人员")
    insurance: InsuranceKind = Field(title="基本医疗保险类型")
    insurance_remark: ShortText | None = Field(title="险种说明", default=None)
    certificate_no: ShortText | None = Field(title="参保凭证号", default=None)
    transferring_out: Agency = Field(title="转出地经办机构")
    transferring_in: Agency = Field(title="转入地经办机构")
    receiving_account: BankAccount = Field(title="转入地收款账户")
    accepted_case_no: ShortText = Field(title="受理编号")
    handler: ShortText = Field(title="经办人")
    telephone: Telephone = Field(title="联系电话")
    issued_on: dt.date = Field(title="发函日期")

    @model_validator(mode="after")
    def _other_is_explained(self) -> Self:
        _explain(self.insurance, self.insurance_remark)
        return self


class InformationSheet(Strict, title="信息表"):
    """信息表 (form 10)."""

    number: DocumentNumber = Field(title="信息表编号")
    person: Person = Field(title="参保人员")
    periods: tuple[Period, ...] = Field(title="参保时间", min_length=1, max_length=600)
    account_amount_fen: AmountFen = Field(title="个人账户实际转出资金（分）")
    account_amount_in_words: ShortText = Field(title="个人账户实际转出资金大写")
    handler: ShortText = Field(title="经办人")
    telephone: Telephone = Field(title="联系电话")
    issued_on: dt.date = Field(title="日期")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        problems = [
            problem for row, period in enumerate(self.periods, 1) for problem in row_problems(row, period)
        ]
        problems += order_problems(self.periods)
        words = amount_in_words(self.account_amount_fen)
        if self.account_amount_in_words != words:
            problems.append(
                f"个人账户实际转出资金大写（account_amount_in_words）与{self.account_amount_fen}分不符，"
                f"应为“{words}”"
            )
        if problems:
            raise ValueError("；".join(problems))
        return self


class FundNotice(Strict, title="划转通知"):
    """划转通知: the account money has been paid; ``bank_reference`` is the bank's serial number."""

    amount_fen: int = Field(title="划转金额（分）", ge=1, le=INTEGER_MAX)
    payer: BankAccount = Field(title="付款账户")
    payee: BankAccount = Field(title="收款账户")
    paid_on: dt.date = Field(title="划转日期")
    bank_reference: ShortText = Field(title="银行流水号")
    remark: LongText = Field(title="附言")


class ReturnForCorrection(Strict, title="退回更正"):
    """退回更正: what was sent cannot be used; all faults at once."""

    reason: LongText = Field(title="退回原因")
    faults: tuple[LongText, ...] = Field(title="需更正之处", min_length=1, max_length=100)


class Correction(Strict, title="更正"):
    """更正: whole corrected documents, and the messages they replace."""

    replaces: tuple[UUID7, ...] = Field(title="被更正的消息", min_length=1, max_length=2)
    reason: LongText = Field(title="更正原因")
    transfer_application: TransferApplication | None = Field(title="更正后的申请", default=None)
    contact_letter: ContactLetter | None = Field(title="更正后的联系函", default=None)
    information_sheet: InformationSheet | None = Field(title="更正后的信息表", default=None)
    fund_notice: FundNotice | None = Field(title="更正后的划转通知", default=None)

    @model_validator(mode="after")
    def _corrects_one_side(self) -> Self:
        requests = sum(part is not None for part in (self.transfer_application, self.contact_letter))
        results = sum(part is not None for part in (self.information_sheet, self.fund_notice))
        if (requests, results) in ((1, 0), (0, 1), (0, 2)):
            return self
        raise ValueError("应附更正后的申请、联系函之一，或更正后的信息表、划转通知（可同时附两者）")


class Withdrawal(Strict, title="撤回"):
    """撤回."""

    reason: LongText = Field(title="撤回原因")


class Completion(Strict, title="办结反馈"):
    """办结反馈: what the transferring-in agency recorded and credited."""

    credited_amount_fen: AmountFen = Field(title="计入个人账户金额（分）")
    credited_on: dt.date | None = Field(title="计入日期", default=None)
    months_recorded: int = Field(title="登记的参保缴费月数", ge=0, le=1200)
    completed_on: dt.date = Field(title="办结日期")

    @model_validator(mode="after")
    def _money_has_its_date(self) -> Self:
        if (self.credited_amount_fen > 0) == (self.credited_on is not None):
            return self
        raise ValueError("计入日期（credited_on）：有计入金额时必填，无计入金额时不填")


class Inquiry(Strict, title="催办"):
    """催办: which message is unanswered, since when, how long overdue."""

    about_message_id: UUID | None = Field(title="所催消息", default=None)
    about_kind: Kind | None = Field(title="所催事项", default=None)
    waiting_since: dt.date = Field(title="等候起始日")
    overdue_working_days: int = Field(title="逾期工作日", ge=0, le=10_000)
    remark: LongText | None = Field(title="说明", default=None)


Body = (
    TransferApplication
    | ContactLetter
    | InformationSheet
    | FundNotice
    | ReturnForCorrection
    | Correction
    | Withdrawal
    | Completion
    | Inquiry
)

BODIES: dict[Kind, dict[int, type[Body]]] = {
    Kind.TRANSFER_APPLICATION: {1: TransferApplication},
    Kind.CONTACT_LETTER: {1: ContactLetter},
    Kind.INFORMATION_SHEET: {1: InformationSheet},
    Kind.FUND_NOTICE: {1: FundNotice},
    Kind.RETURN_FOR_CORRECTION: {1: ReturnForCorrection},
    Kind.CORRECTION: {1: Correction},
    Kind.WITHDRAWAL: {1: Withdrawal},
    Kind.COMPLETION: {1: Completion},
    Kind.INQUIRY: {1: Inquiry},
}


def read_body(kind: str, version: int, body: JsonObject) -> Body:
    """The typed body. Raises ExchangeFault: unknown kind, unsupported version, or every fault of the body."""
    if kind not in BODIES:
        said = f"消息种类（kind）：不认识{kind}，应为{'、'.join(BODIES)}之一"
        raise ExchangeFault([Fault(code=Code.KIND_UNKNOWN, field="kind", message=said)])
    versions = BODIES[Kind(kind)]
    if version not in versions:
        known = "、".join(str(number) for number in versions)
        said = f"消息种类版本（kind_version）：{kind}支持第{known}版，实际是第{version}版"
        raise ExchangeFault([Fault(code=Code.VERSION_UNSUPPORTED, field="kind_version", message=said)])
    try:
        return versions[version].model_validate_json(canonical(body), strict=True)
    except ValidationError as error:
        raise ExchangeFault(
            faults_of(error, versions[version], code=Code.BODY_INVALID, under="body")
        ) from None


def write_body(body: Body) -> JsonObject:
    """The body as JSON values, absent fields left out."""
    return body.model_dump(mode="json", exclude_none=True)


def _explain(insurance: InsuranceKind, remark: str | None) -> None:
    if insurance is InsuranceKind.OTHER and not remark:
        raise ValueError("险种说明（insurance_remark）：基本医疗保险类型为其他时必填")


def money_of(body: Body) -> JsonObject:
    """What the body says about money, for the journal: ``{"sheet": fen}``, ``funds``, ``credited``; or {}."""
    if isinstance(body, InformationSheet):
        return {"sheet": body.account_amount_fen}
    if isinstance(body, FundNotice):
        return {"funds": body.amount_fen}
    if isinstance(body, Completion):
        return {"credited": body.credited_amount_fen}
    if isinstance(body, Correction):
        parts = (part for part in (body.information_sheet, body.fund_notice) if part is not None)
        return {name: fen for part in parts for name, fen in money_of(part).items()}
    return {}
