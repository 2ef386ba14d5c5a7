"""Credentials of people: type and number, checked and made uniform.

Resident identity numbers follow GB 11643 (python-stdnum); the residence permit for
Hong Kong, Macao and Taiwan residents (港澳台居民居住证, codes 81/82/83) and the new permanent
residence card for foreigners (codes 9) share the eighteen places and the check digit.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

from stdnum.cn import ric

from libs.refusals.faults import Fault
from libs.regions import names


class CredentialType(StrEnum):
    """Credential types; values are ours, names are what forms print."""

    RESIDENT_ID = "resident_id"
    HMT_RESIDENCE_PERMIT = "hmt_residence_permit"
    FOREIGN_PERMANENT_RESIDENCE = "foreign_permanent_residence"
    HM_TRAVEL_PERMIT = "hm_travel_permit"
    TAIWAN_TRAVEL_PERMIT = "taiwan_travel_permit"
    PASSPORT = "passport"


CREDENTIAL_NAMES = {
    CredentialType.RESIDENT_ID: "居民身份证",
    CredentialType.HMT_RESIDENCE_PERMIT: "港澳台居民居住证",
    CredentialType.FOREIGN_PERMANENT_RESIDENCE: "外国人永久居留身份证",
    CredentialType.HM_TRAVEL_PERMIT: "港澳居民来往内地通行证",
    CredentialType.TAIWAN_TRAVEL_PERMIT: "台湾居民来往大陆通行证",
    CredentialType.PASSPORT: "护照",
}

# Leading digits that only these cards have among the eighteen-place numbers.
_HMT_PREFIXES = ("81", "82", "83")
_NOT_MAINLAND = ("71", *_HMT_PREFIXES)
_PATTERNS = {
    CredentialType.HM_TRAVEL_PERMIT: re.compile(r"[HM]\d{8}(\d{2})?", re.ASCII),
    CredentialType.TAIWAN_TRAVEL_PERMIT: re.compile(r"\d{8}", re.ASCII),
    CredentialType.PASSPORT: re.compile(r"[A-Z0-9]{5,15}"),
}
_EIGHTEEN_PLACES = re.compile(r"\d{17}[\dX]", re.ASCII)


@dataclass(frozen=True)
class Credential:
    """A person's credential; ``number`` is upper case without spaces."""

    type: CredentialType
    number: str

    @property
    def birth_date(self) -> dt.date | None:
        """Date of birth where the number carries it."""
        if self.type not in _EIGHTEEN_PLACE_TYPES:
            return None
        digits = self.number[6:14]
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))

    @property
    def sex(self) -> str | None:
        """``男`` / ``女`` where the number carries it."""
        if self.type not in _EIGHTEEN_PLACE_TYPES:
            return None
        return "男" if int(self.number[16]) % 2 else "女"

    @property
    def canonical(self) -> str:
        """Stable text of this credential, the input of blind indexes."""
        return f"{self.type}:{self.number}"


_EIGHTEEN_PLACE_TYPES = frozenset(
    {
        CredentialType.RESIDENT_ID,
        CredentialType.HMT_RESIDENCE_PERMIT,
        CredentialType.FOREIGN_PERMANENT_RESIDENCE,
    }
)


def faults_of(credential_type: CredentialType, number: str, pointer: str) -> list[Fault]:
    """Everything wrong with the number for that type; empty when it is right."""
    text = clean(number)
    if credential_type not in _EIGHTEEN_PLACE_TYPES:
        fits = _PATTERNS[credential_type].fullmatch(text)
        return [] if fits else [_fault(credential_type, "号码格式不对", pointer)]
    if not _EIGHTEEN_PLACES.fullmatch(text):
        return [_fault(credential_type, "应为18位，前17位为数字，末位为数字或X", pointer)]
    found = []
    if ric.calc_check_digit(text[:-1]) != text[-1]:
        found.append(_fault(credential_type, "校验位不对，请核对是否录错", pointer))
    if _date(text[6:14]) is None:
        found.append(_fault(credential_type, "第7至14位不是存在的日期", pointer))
    if not _prefix_fits(credential_type, text):
        found.append(_fault(credential_type, "前几位与证件类型不符", pointer))
    return found


def clean(number: str) -> str:
    """Upper case, spaces and full-width forms put right."""
    return re.sub(r"\s", "", number.translate(_FULL_WIDTH)).upper()


_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


def masked(number: str) -> str:
    """``370402********0017``-style: first six and last four places stay, short ones the last two."""
    if len(number) <= 10:
        return "*" * max(len(number) - 2, 0) + number[-2:]
    return number[:6] + "*" * (len(number) - 10) + number[-4:]


def _prefix_fits(credential_type: CredentialType, text: str) -> bool:
    match credential_type:
        case CredentialType.HMT_RESIDENCE_PERMIT:
            return text.startswith(_HMT_PREFIXES)
        case CredentialType.FOREIGN_PERMANENT_RESIDENCE:
            return text.startswith("9")
        case _:
            # Only mainland provinces issue resident identity cards.
            return not text.startswith(_NOT_MAINLAND) and names.find(f"{text[:2]}0000") is not None


def _date(digits: str) -> dt.date | None:
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _fault(credential_type: CredentialType, what: str, pointer: str) -> Fault:
    name = CREDENTIAL_NAMES[credential_type]
    return Fault("credential", f"{name}号码有误：{what}。", pointer)
