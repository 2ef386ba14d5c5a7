"""What becomes of a payment of the tax authority: whose months it pays, what is credited, or why not."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from libs.money.amounts import yuan_of
from libs.refusals.faults import Fault, Refusal
from services.enrollment.domain import contributing
from services.enrollment.domain.contributing import KnownMonth, NewMonth
from services.enrollment.domain.contribution_rules import contribution_rules
from services.enrollment.domain.crediting.packs import Packs
from services.enrollment.domain.crediting.rules import Credit
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import (
    INSURANCE_NAMES,
    PERSON_KIND_NAMES,
    InsuranceKind,
    PersonKind,
    counts_as,
    has_personal_account,
)
from services.enrollment.domain.months import month_of
from services.enrollment.domain.tax_files.rows import PayerKind, PaymentKind


class Outcome(StrEnum):
    """What has come of a row.

    ``unmatched`` waits for an officer: its money is received and not attributed. ``broken`` rows are for
    the tax authority to correct; ``repeated`` ones moved nothing, their serial number had come before;
    ``reversed`` was taken back by a red entry.
    """

    PENDING = "pending"
    MATCHED = "matched"
    UNMATCHED = "unmatched"
    BROKEN = "broken"
    REPEATED = "repeated"
    REVERSED = "reversed"


OUTCOME_NAMES = {
    Outcome.PENDING: "待处理",
    Outcome.MATCHED: "已入账",
    Outcome.UNMATCHED: "待核对",
    Outcome.BROKEN: "格式有误",
    Outcome.REPEATED: "重复传送",
    Outcome.REVERSED: "已被更正",
}


@dataclass(frozen=True)
class Paid:
    """A readable row. ``period`` is a month, or a year for residents; amounts in fen."""

    row_no: int
    serial: str
    payer_kind: PayerKind
    credit_code: str | None
    person_key: str
    name: str
    insurance_kind: InsuranceKind
    person_kind: PersonKind
    period: str
    base_fen: int | None
    unit_fen: int
    personal_fen: int
    late_fee_fen: int
    kind: PaymentKind
    corrects: str | None
    paid_on: dt.date

    @property
    def total_fen(self) -> int:
        return self.unit_fen + self.personal_fen + self.late_fee_fen

    @property
    def is_of_a_year(self) -> bool:
        """Residents pay by the year."""
        return self.insurance_kind is InsuranceKind.RESIDENT


@dataclass
class Payer:
    """What is known here of the person a row is about; ``known`` and ``years_paid`` grow with each row.

    ``known`` is by what a month counts as and the month. ``employer_codes`` are by enrolment.
    """

    name: str
    birth_date: dt.date
    region_code: str
    spells: Sequence[Spell]
    employer_codes: Mapping[str, str | None]
    leaving: Mapping[InsuranceKind, Sequence[Fault]]
    known: dict[tuple[str, str], KnownMonth] = field(default_factory=dict)
    years_paid: set[tuple[InsuranceKind, str]] = field(default_factory=set)

    def months_known(self, kind: InsuranceKind) -> dict[str, KnownMonth]:
        """Months that count as ``kind`` does, by month."""
        group = counts_as(kind)
        return {month: known for (counted, month), known in self.known.items() if counted == group}


@dataclass(frozen=True)
class Attribution:
    """A payment found its place: months to record now, and what goes to the personal account.

    ``covers`` are all months paid for, those of a resident's year that are still to come included.
    """

    covers: tuple[str, ...]
    months: tuple[NewMonth, ...]
    credit: Credit | None

    @property
    def account_fen(self) -> int:
        return self.credit.amount_fen if self.credit else 0


def attribute(paid: Paid, payer: Payer | None, packs: Packs, today: dt.date) -> Attribution | list[Fault]:
    """Where a payment belongs, or every reason why it cannot be attributed."""
    if payer is None:
        told = "本统筹区没有该证件号码的参保档案，请核对证件号码或先办理参保登记。"
        return [Fault("unknown_person", told)]
    faults = [*_faults_of_name(paid, payer), *payer.leaving.get(paid.insurance_kind, ())]
    covered = _year(paid, payer, today) if paid.is_of_a_year else _month(paid, payer, today)
    if isinstance(covered, list):
        return faults + covered
    faults += _faults_of_relation(paid, payer, covered[0])
    credit = _credit(paid, payer, packs)
    if isinstance(credit, list) or faults:
        return faults + (credit if isinstance(credit, list) else [])
    known = payer.months_known(paid.insurance_kind)
    amount_fen = credit.amount_fen if credit else 0
    due = [month for month in covered if month <= month_of(today) and month not in known]
    months = tuple(NewMonth(month, paid.base_fen or 0, amount_fen) for month in due)
    return Attribution(tuple(covered), months, credit)


def _month(paid: Paid, payer: Payer, today: dt.date) -> tuple[str, ...] | list[Fault]:
    known = payer.months_known(paid.insurance_kind)
    new = NewMonth(paid.period, paid.base_fen or 0, 0)
    faults = contributing.faults_of_contributions(
        paid.insurance_kind, [new], spells=payer.spells, known=known, today=today
    )
    if not faults and paid.period in known:
        # The same month with the same amounts is a repeat only within one serial number.
        faults = [Fault(contributing.ALREADY_RECORDED, f"{paid.period}已记录缴费，一个月不能计算两次。")]
    return faults or (paid.period,)


def _year(paid: Paid, payer: Payer, today: dt.date) -> tuple[str, ...] | list[Fault]:
    """The months of a resident's year from January, or from the enrolment on."""
    kind, year = paid.insurance_kind, paid.period
    if int(year) > today.year + contribution_rules().paid_ahead_years:
        return [Fault("year_too_early", f"{year}年度尚不能缴费。")]
    if (kind, year) in payer.years_paid:
        return [Fault("year_paid", f"{year}年度已缴费，一年不能缴两次。")]
    months = [f"{year}-{number:02d}" for number in range(1, 13)]
    spells = [spell for spell in payer.spells if spell.insurance_kind == kind]
    covered = tuple(month for month in months if any(contributing.covers(spell, month) for spell in spells))
    if not covered:
        # Told as for any month outside an enrolment; the last one, so that nothing is in the future.
        return contributing.faults_of_contributions(
            kind, [NewMonth(months[-1], 0, 0)], spells=spells, known={}, today=dt.date(int(year), 12, 31)
        )
    if all(month in payer.months_known(kind) for month in covered):
        return [Fault(contributing.ALREADY_RECORDED, f"{year}年度参保各月均已计月，一个月不能计算两次。")]
    return covered


def _faults_of_relation(paid: Paid, payer: Payer, month: str) -> list[Fault]:
    """The enrolment of that month is by the same employer and in the same quality."""
    spells = [
        spell
        for spell in payer.spells
        if spell.insurance_kind == paid.insurance_kind and contributing.covers(spell, month)
    ]
    alike = [spell for spell in spells if spell.person_kind is paid.person_kind]
    if not alike:
        told = "、".join(PERSON_KIND_NAMES[spell.person_kind] for spell in spells)
        message = f"文件中为{PERSON_KIND_NAMES[paid.person_kind]}，{month}的参保身份为{told}，请核对。"
        return [Fault("other_person_kind", message)]
    if paid.payer_kind is PayerKind.PERSON:
        return []
    if any(payer.employer_codes.get(spell.enrolment_id or "") == paid.credit_code for spell in alike):
        return []
    message = f"{month}的参保单位不是统一社会信用代码为{paid.credit_code}的单位，请核对缴费单位或参保关系。"
    return [Fault("other_employer", message)]


def _credit(paid: Paid, payer: Payer, packs: Packs) -> Credit | list[Fault] | None:
    if not has_personal_account(paid.insurance_kind):
        return None
    if not paid.base_fen:
        return [
            Fault("base_missing", f"{INSURANCE_NAMES[paid.insurance_kind]}应有缴费基数，不能计算划入金额。")
        ]
    try:
        rule = packs.crediting(payer.region_code, paid.period)
    except Refusal as refusal:
        return list(refusal.faults)
    credit = rule.of_contribution(
        month=paid.period,
        birth_date=payer.birth_date,
        base_fen=paid.base_fen,
        unit_fen=paid.unit_fen,
        personal_fen=paid.personal_fen,
    )
    if credit.amount_fen > paid.base_fen:
        told = f"划入金额{yuan_of(credit.amount_fen)}元高于缴费基数{yuan_of(paid.base_fen)}元，请核对。"
        return [Fault("account_above_base", told)]
    return credit


def _faults_of_name(paid: Paid, payer: Payer) -> list[Fault]:
    if _written(paid.name) == _written(payer.name):
        return []
    return [Fault("other_name", "文件中的姓名与参保档案不一致，请核对是否串户。")]


def _written(name: str) -> str:
    """Names are compared without spaces, middle dots and differences of width."""
    return re.sub(r"[\s·•.]", "", unicodedata.normalize("NFKC", name)).upper()


@dataclass(frozen=True)
class Original:
    """The payment a red entry refers to; ``available_fen`` is what may be taken from the account, where
    something had been credited. ``months_leave``: its months go, or went, with a transfer."""

    serial: str
    outcome: Outcome
    is_correction: bool
    total_fen: int
    account_fen: int
    person_key: str | None
    available_fen: int
    months_leave: bool


def faults_of_correction(paid: Paid, original: Original | None) -> list[Fault]:
    """Every reason why a red entry cannot be carried out."""
    if original is None:
        return [Fault("no_original", f"没有流水号为{paid.corrects}的缴费记录，请核对被更正流水号。")]
    if original.is_correction:
        return [Fault("corrects_correction", "更正记录不能再被更正，请重新传送正确的缴费。")]
    if original.outcome in (Outcome.REVERSED, Outcome.PENDING):
        told = "已经更正过，不能再次更正" if original.outcome is Outcome.REVERSED else "尚未处理，请稍后再办"
        return [Fault("original_" + original.outcome, f"流水号{paid.corrects}的缴费{told}。")]
    faults = []
    if original.person_key not in (None, paid.person_key):
        faults.append(Fault("other_person", "证件号码与被更正的缴费不一致，请核对。"))
    if paid.total_fen != -original.total_fen:
        amounts = f"更正金额{yuan_of(paid.total_fen)}元与原缴费{yuan_of(original.total_fen)}元"
        faults.append(Fault("other_amount", f"{amounts}不相抵，只能全额更正。"))
    if original.months_leave:
        faults.append(Fault("months_left", "原缴费的月份已随医保关系转出（或正在转出），不能收回。"))
    if original.available_fen < original.account_fen:
        told = (
            f"原缴费划入个人账户{yuan_of(original.account_fen)}元，"
            f"账户可用余额只有{yuan_of(original.available_fen)}元，不能收回。"
        )
        faults.append(Fault("account_spent", told))
    return faults
