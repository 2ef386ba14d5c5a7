"""One row of the tax authority's file: read, checked, told column by column what is wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from libs.identifiers import credentials, credit_codes
from libs.identifiers.credentials import CREDENTIAL_NAMES, Credential, CredentialType
from libs.refusals.faults import Fault
from services.enrollment.domain.kinds import (
    INSURANCE_NAMES,
    PERSON_KIND_NAMES,
    InsuranceKind,
    PersonKind,
    fits,
)
from services.enrollment.domain.months import number_of


class PayerKind(StrEnum):
    """Who paid."""

    EMPLOYER = "employer"
    PERSON = "person"


class PaymentKind(StrEnum):
    """What a row is: a payment in time, a back payment, or the red entry that takes one back."""

    NORMAL = "normal"
    BACK = "back"
    CORRECTION = "correction"


PAYER_NAMES = {PayerKind.EMPLOYER: "单位", PayerKind.PERSON: "个人"}
PAYMENT_KIND_NAMES = {
    PaymentKind.NORMAL: "正常缴费",
    PaymentKind.BACK: "补缴",
    PaymentKind.CORRECTION: "更正",
}

COLUMNS = {
    "serial": "缴费流水号",
    "payer_kind": "缴费主体",
    "credit_code": "统一社会信用代码",
    "credential_type": "证件类型",
    "credential_number": "证件号码",
    "name": "姓名",
    "insurance_kind": "险种",
    "person_kind": "人员类别",
    "period": "费款所属期",
    "base": "缴费基数",
    "unit": "单位部分",
    "personal": "个人部分",
    "late_fee": "滞纳金",
    "kind": "缴费类型",
    "corrects": "被更正流水号",
    "paid_on": "缴费日期",
}

_SERIAL = re.compile(r"[0-9A-Za-z-]{6,40}", re.ASCII)
_AMOUNT = re.compile(r"(-?)(\d{1,10})\.(\d{2})", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YEAR = re.compile(r"(19|20)\d{2}", re.ASCII)
LONGEST_NAME = 100
EARLIEST_MONTH = "1994-01"  # 职工医疗保险制度自1994年起试点

T = TypeVar("T")


@dataclass(frozen=True)
class Money:
    """The part of a row that must be right for a file to be taken at all: what is booked, in which fund."""

    serial: str
    insurance_kind: InsuranceKind
    unit_fen: int
    personal_fen: int
    late_fee_fen: int

    @property
    def total_fen(self) -> int:
        return self.unit_fen + self.personal_fen + self.late_fee_fen


@dataclass(frozen=True)
class TaxRow:
    """A row as it was read; what could not be read is None and stands in ``faults``."""

    row_no: int
    money: Money
    payer_kind: PayerKind | None
    credit_code: str | None
    credential: Credential | None
    name: str | None
    person_kind: PersonKind | None
    period: str | None
    base_fen: int | None
    kind: PaymentKind | None
    corrects: str | None
    paid_on: dt.date | None
    faults: Sequence[Fault] = field(default=())


def money_of(cells: Sequence[str]) -> Money | list[Fault]:
    """Serial number, fund and amounts, or what is wrong with them; cells are in the order of COLUMNS."""
    if len(cells) != len(COLUMNS):
        return [Fault("columns", f"应有{len(COLUMNS)}列，实际{len(cells)}列。")]
    told, faults = dict(zip(COLUMNS, cells, strict=True)), list[Fault]()
    if not _SERIAL.fullmatch(told["serial"]):
        faults.append(_fault("serial", "应为6至40位字母、数字或短横线"))
    if told["insurance_kind"] not in set(InsuranceKind):
        faults.append(_fault("insurance_kind", f"应为{'、'.join(InsuranceKind)}之一"))
    amounts = {name: _amount(told[name]) for name in ("unit", "personal", "late_fee")}
    faults += [_fault(name, "应为元，两位小数") for name, amount in amounts.items() if amount is None]
    if faults:
        return faults
    unit_fen, personal_fen, late_fee_fen = (amount or 0 for amount in amounts.values())
    kind = InsuranceKind(told["insurance_kind"])
    return Money(told["serial"], kind, unit_fen, personal_fen, late_fee_fen)


def row_of(row_no: int, money: Money, cells: Sequence[str], *, today: dt.date) -> TaxRow:
    """The rest of the row with every fault of it; ``money`` is what ``money_of`` made of the same cells."""
    reading = _Reading(dict(zip(COLUMNS, cells, strict=True)))
    row = TaxRow(
        row_no=row_no,
        money=money,
        payer_kind=reading.named("payer_kind", PAYER_NAMES),
        credit_code=reading.told["credit_code"] or None,
        credential=reading.credential(),
        name=reading.read("name", _name, f"应为1至{LONGEST_NAME}个字符"),
        person_kind=reading.named("person_kind", PERSON_KIND_NAMES),
        period=reading.read("period", _period_of(money.insurance_kind), _PERIODS),
        base_fen=reading.read("base", _base, "应为元，两位小数，不为负"),
        kind=reading.named("kind", PAYMENT_KIND_NAMES),
        corrects=reading.told["corrects"] or None,
        paid_on=reading.read("paid_on", _date, "应为日期，例如2026-03-10"),
    )
    faults = [*reading.faults, *_faults_between(row, today)]
    return TaxRow(**{**row.__dict__, "faults": tuple(faults)})


class _Reading:
    """Reads cells one by one and keeps what is wrong."""

    def __init__(self, told: dict[str, str]) -> None:
        self.told = told
        self.faults: list[Fault] = []

    def read(self, column: str, reader: Callable[[str], T], wanted: str) -> T | None:
        try:
            return reader(self.told[column])
        except ValueError:
            self.faults.append(_fault(column, wanted))
            return None

    def named(self, column: str, names: dict[T, str]) -> T | None:
        """The value whose Chinese name stands in the cell."""
        by_name = {name: value for value, name in names.items()}
        found = by_name.get(self.told[column])
        if found is None:
            self.faults.append(_fault(column, f"应为{'、'.join(by_name)}之一"))
        return found

    def credential(self) -> Credential | None:
        kind: CredentialType | None = self.named("credential_type", CREDENTIAL_NAMES)
        if kind is None:
            return None
        wrong = credentials.faults_of(kind, self.told["credential_number"], "")
        self.faults += [Fault(fault.code, fault.message, "证件号码") for fault in wrong]
        return None if wrong else Credential(kind, credentials.clean(self.told["credential_number"]))


def _faults_between(row: TaxRow, today: dt.date) -> list[Fault]:
    return [
        *_faults_of_payer(row),
        *_faults_of_kinds(row),
        *_faults_of_amounts(row),
        *_faults_of_date(row, today),
    ]


def _faults_of_payer(row: TaxRow) -> list[Fault]:
    if row.payer_kind is PayerKind.EMPLOYER:
        if row.credit_code is None:
            return [_fault("credit_code", "单位缴费时必须填写")]
        return [
            Fault(fault.code, fault.message, "统一社会信用代码")
            for fault in credit_codes.faults_of(row.credit_code, "")
        ]
    if row.payer_kind is PayerKind.PERSON and row.credit_code is not None:
        return [_fault("credit_code", "个人缴费时应为空")]
    return []


def _faults_of_kinds(row: TaxRow) -> list[Fault]:
    kind = row.money.insurance_kind
    if row.person_kind is None or fits(row.person_kind, kind):
        return []
    told = f"{PERSON_KIND_NAMES[row.person_kind]}不参加{INSURANCE_NAMES[kind]}"
    return [_fault("person_kind", told)]


def _faults_of_amounts(row: TaxRow) -> list[Fault]:
    """Red entries are negative in every part, all others in none; nothing is no payment."""
    money, faults = row.money, list[Fault]()
    parts = (money.unit_fen, money.personal_fen, money.late_fee_fen)
    is_red = row.kind is PaymentKind.CORRECTION
    if row.kind is not None and any((part > 0) if is_red else (part < 0) for part in parts):
        faults.append(
            _fault("personal", "更正的各部分金额应为负数或零" if is_red else "各部分金额不应为负数")
        )
    if money.total_fen == 0:
        faults.append(_fault("personal", "各部分金额合计不应为零"))
    if is_red and row.corrects is None:
        faults.append(_fault("corrects", "更正时必须填写"))
    if row.kind in (PaymentKind.NORMAL, PaymentKind.BACK) and row.corrects is not None:
        faults.append(_fault("corrects", "只在更正时填写"))
    return faults


def _faults_of_date(row: TaxRow, today: dt.date) -> list[Fault]:
    if row.paid_on is not None and row.paid_on > today:
        return [_fault("paid_on", f"不能晚于今天（{today}）")]
    return []


def _fault(column: str, wanted: str) -> Fault:
    name = COLUMNS[column]
    return Fault(column, f"{name}：{wanted}。", name)


_PERIODS = "城乡居民为年度，例如2026；其他险种为月份，例如2026-03，不早于1994-01"


def _amount(text: str) -> int | None:
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return None
    amount_fen = int(match[2]) * 100 + int(match[3])
    return -amount_fen if match[1] else amount_fen


def _base(text: str) -> int | None:
    """Residents pay fixed amounts: for them the base may be left out."""
    if not text:
        return None
    amount = _amount(text)
    if amount is None or amount < 0:
        raise ValueError(text)
    return amount


def _period_of(kind: InsuranceKind) -> Callable[[str], str]:
    def read(text: str) -> str:
        if kind is InsuranceKind.RESIDENT:
            if not _YEAR.fullmatch(text):
                raise ValueError(text)
        elif number_of(text) < number_of(EARLIEST_MONTH):
            raise ValueError(text)
        return text

    return read


def _date(text: str) -> dt.date:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return dt.date.fromisoformat(text)


def _name(text: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME or not text.isprintable():
        raise ValueError(text)
    return text
