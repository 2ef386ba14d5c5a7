"""What a line says, column by column: values, and everything that is wrong with them at once.

Faults point to the column's key and never repeat what stands in a cell.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from libs.identifiers import credentials, telephones
from libs.identifiers.credentials import CREDENTIAL_NAMES, Credential, CredentialType
from libs.refusals.faults import Fault
from libs.rosters.cells import Line, Unreadable
from libs.rosters.headings import Headings
from libs.rosters.layouts import Column, Layout, ValueKind, plain

LONGEST_NAME = 100
_LARGEST_YUAN = 10_000_000
_SEXES = {"男": "男", "女": "女", "男性": "男", "女性": "女"}
# What Excel makes of an identity number typed into a cell that is no text.
_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+?\d{1,2}", re.IGNORECASE | re.ASCII)
_DAY = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?: 0?0:00(?::00)?)?", re.ASCII
)
_SERIAL = re.compile(r"\d{5}", re.ASCII)
_DAY_0 = dt.date(1899, 12, 30)
_CREDENTIAL_TYPES = {name: kind for kind, name in CREDENTIAL_NAMES.items()} | {
    "身份证": CredentialType.RESIDENT_ID,
    "港澳台居住证": CredentialType.HMT_RESIDENCE_PERMIT,
    "外国人永久居留证": CredentialType.FOREIGN_PERMANENT_RESIDENCE,
    "港澳通行证": CredentialType.HM_TRAVEL_PERMIT,
    "台湾通行证": CredentialType.TAIWAN_TRAVEL_PERMIT,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One person's line. ``values`` by column key, only of cells that are filled and right;

    ``credential`` where type and number are right together.
    """

    number: int
    values: dict[str, Any]
    faults: list[Fault] = field(default_factory=list)
    credential: Credential | None = None


class _Wrong(Exception):
    """A cell's text is not what its column asks for; the message is told."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def entry_of(line: Line, headings: Headings, layout: Layout) -> Entry | None:
    """The line's entry; None where no column of the layout has anything in it (numbered empty rows)."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    filled = False
    for column in layout.columns:
        place = headings.places.get(column.key)
        cell = line.cells[place] if place is not None and place < len(line.cells) else ""
        if not cell:
            continue
        filled = True
        try:
            if isinstance(cell, Unreadable):
                raise _Wrong(cell.code, cell.why)
            values[column.key] = _READERS[column.value](cell, column)
        except _Wrong as wrong:
            faults.append(Fault(wrong.code, f"{column.heading}：{wrong.message}", f"/{column.key}"))
    if not filled:
        return None
    faulty = {fault.pointer for fault in faults}
    faults += [
        Fault("missing", f"未填写{column.heading}。", f"/{column.key}")
        for column in layout.columns
        if column.required and column.key not in values and f"/{column.key}" not in faulty
    ]
    credential = _credential(values, faults)
    return Entry(line.number, values, faults, credential)


def _credential(values: dict[str, Any], faults: list[Fault]) -> Credential | None:
    """Type (an identity card unless told) and number together; adds what is wrong."""
    number = values.get("credential_no")
    if number is None or any(fault.pointer == "/credential_type" for fault in faults):
        return None
    kind = values.get("credential_type", CredentialType.RESIDENT_ID)
    found = credentials.faults_of(kind, number, "/credential_no")
    faults += found
    return None if found else Credential(kind, number)


def _name(text: str, _: Column) -> str:
    if len(text) > LONGEST_NAME or not any(char.isalpha() for char in text):
        raise _Wrong("name", f"应为不超过{LONGEST_NAME}个字的姓名。")
    return text


def _credential_type(text: str, _: Column) -> CredentialType:
    kind = _CREDENTIAL_TYPES.get(plain(text))
    if kind is None:
        raise _Wrong("credential_type", f"应为以下之一：{'、'.join(CREDENTIAL_NAMES.values())}。")
    return kind


def _credential_no(text: str, _: Column) -> str:
    if _SCIENTIFIC.fullmatch(text):
        message = (
            "已被Excel按数值保存（形如1.2E+17），后几位已经丢失；请把该列设为文本格式后重新录入完整号码。"
        )
        raise _Wrong("number_mangled", message)
    return credentials.clean(text)


def _sex(text: str, _: Column) -> str:
    sex = _SEXES.get(text)
    if sex is None:
        raise _Wrong("sex", "应为“男”或“女”。")
    return sex


def _date(text: str, _: Column) -> dt.date:
    try:
        if _SERIAL.fullmatch(text):
            return _DAY_0 + dt.timedelta(days=int(text))
        match = _DAY.fullmatch(text)
        if match:
            return dt.date(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5]))
    except ValueError:  # 31 June
        pass
    raise _Wrong("date", "应为存在的日期，例如2010-09-01。")


def _telephone(text: str, column: Column) -> str:
    found = telephones.faults_of(text, f"/{column.key}")
    if found:
        raise _Wrong(found[0].code, found[0].message)
    return text


def _money(text: str, _: Column) -> int:
    """Yuan with at most two decimals -> fen."""
    try:
        fen = Decimal(text.replace(",", "")) * 100
    except InvalidOperation:
        fen = Decimal("NaN")
    if not fen.is_finite() or fen != fen.to_integral_value() or not 0 < fen <= _LARGEST_YUAN * 100:
        raise _Wrong("money", "应为大于0的金额（元），最多两位小数，例如4500.00。")
    return int(fen)


def _choice(text: str, column: Column) -> str:
    choices = column.choices or {}
    value = choices.get(text)
    if value is None:
        raise _Wrong("choice", f"花名册可填：{'、'.join(choices)}；其他情形请单独办理。")
    return value


def _text(text: str, _: Column) -> str:
    return text


_READERS: dict[ValueKind, Callable[[str, Column], Any]] = {
    ValueKind.NAME: _name,
    ValueKind.CREDENTIAL_TYPE: _credential_type,
    ValueKind.CREDENTIAL_NO: _credential_no,
    ValueKind.SEX: _sex,
    ValueKind.DATE: _date,
    ValueKind.TELEPHONE: _telephone,
    ValueKind.MONEY: _money,
    ValueKind.CHOICE: _choice,
    ValueKind.TEXT: _text,
}
