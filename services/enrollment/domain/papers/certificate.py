"""参保凭证: form 8 of hubei-2022 (L9056-9124)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from libs.documents.blanks import Blank
from libs.documents.sheets import Sheet
from libs.money.amounts import in_capitals, yuan_of
from libs.regions import names
from libs.regions.agencies import Agency
from services.enrollment.domain.contributing import KnownMonth
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import INSURANCE_NAMES, InsuranceKind
from services.enrollment.domain.months import month_of
from services.enrollment.domain.people import PersonalData

KIND = "participation_certificate"
TITLE = "基本医疗保险参保凭证"
# Form 8 asks for somebody to call (L9115); the directory of agencies names no people.
CONTACT = "服务窗口"
_NO_ACCOUNT = "不设个人账户"


@dataclass(frozen=True)
class InsuredTime:
    """参保时间 起、止 (``YYYY-MM``, None: not known) and 其中累计实际缴费月数."""

    first: str | None
    last: str | None
    months_paid: int


@dataclass(frozen=True)
class Certificate:
    """What a certificate says. ``balance_fen`` is None where the insurance has no personal accounts."""

    number: str
    generated_on: dt.date
    person: PersonalData
    credential_name: str
    household_place: str | None
    household_type: str | None
    insurance_kind: InsuranceKind
    time: InsuredTime
    balance_fen: int | None
    agency: Agency

    def fields(self) -> dict[str, str]:
        """Every field of form 8 by its key in the catalogue, as it is printed; blank stays blank."""
        region = names.find(self.agency.region_code)
        return {
            "certificate-number": self.number,
            "generated-on": f"{self.generated_on:%Y年%m月%d日}",
            "name": self.person.name,
            "credential": f"{self.credential_name}\n{self.person.credential.number}",
            "household-place": self.household_place or "",
            "household-type": self.household_type or "",
            "insurance-type": INSURANCE_NAMES[self.insurance_kind],
            "insured-place": region.full_name if region else "",
            "insured-from": _in_chinese(self.time.first),
            "insured-to": _in_chinese(self.time.last),
            "contribution-months": str(self.time.months_paid),
            "account-balance-in-words": _in_words(self.balance_fen),
            "account-balance": "—" if self.balance_fen is None else yuan_of(self.balance_fen),
            "agency-name": self.agency.name,
            "agency-address": self.agency.address,
            "agency-region-code": self.agency.region_code,
            "agency-postcode": self.agency.postcode,
            "agency-contact": CONTACT,
            "agency-telephone": self.agency.telephone,
        }


def insured_time(
    kind: InsuranceKind, months: Sequence[KnownMonth], spells: Sequence[Spell], today: dt.date
) -> InsuredTime | None:
    """Insured from when to when, and how many months were paid; None for who was never insured so.

    By the months that count here; where none was paid yet, by the enrolments. What left with a
    transfer is certified where it went.
    """
    here = sorted(known.month for known in months if known.insurance_kind is kind and not known.has_left)
    if here:
        return InsuredTime(here[0], here[-1], len(here))
    own = [spell for spell in spells if spell.insurance_kind is kind and spell.transferred_out_on is None]
    if not own:
        return None
    # One that begins only later has no end yet either.
    last = max(spell.stopped_on or max(today, spell.started_on) for spell in own)
    return InsuredTime(month_of(min(spell.started_on for spell in own)), month_of(last), 0)


def sheet_of(fields: Mapping[str, str]) -> Sheet:
    """The certificate as it is laid out."""
    return _blank().filled(fields, author=fields["agency-name"], subject=TITLE)


@cache
def _blank() -> Blank:
    return Blank.from_file(Path(__file__).with_name("participation-certificate.yaml"))


def _in_chinese(month: str | None) -> str:
    return f"{month[:4]}年{month[5:]}月" if month else ""


def _in_words(balance_fen: int | None) -> str:
    if balance_fen is None:
        return _NO_ACCOUNT
    # The ledger lets no personal account go below zero; a paper must not fail over one that did.
    return ("负" if balance_fen < 0 else "") + in_capitals(abs(balance_fen))
