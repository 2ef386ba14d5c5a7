"""Values that requests are made of; each checks itself and says in Chinese what would be right."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema

from libs.identifiers import credit_codes, telephones
from libs.identifiers.credentials import clean
from libs.money.amounts import Yuan
from libs.regions import names
from services.enrollment.domain.months import number_of

# Typing mistakes, and one day before the first or after the last is no date: nothing behind must look.
_EARLIEST, _LATEST = dt.date(1900, 1, 1), dt.date(2999, 12, 31)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _printable(text: str) -> str:
    if any(unicodedata.category(char).startswith("C") for char in text):
        raise ValueError("含有不可见的控制字符，请删除后重新填写。")
    return text


def _region(code: str) -> str:
    if names.find(code) is None:
        raise ValueError("行政区划代码应为6位且现行有效，例如370400。")
    return code


def _month(month: str) -> str:
    if number_of(month) < number_of("1994-01"):
        raise ValueError("月份过早：职工医疗保险制度自1994年起试点。")
    if number_of(month) > number_of(f"{_LATEST.year}-12"):
        raise ValueError(f"月份过晚，最晚为{_LATEST.year}-12，请核对。")
    return month


def _credit_code(code: str) -> str:
    code = clean(code)
    faults = credit_codes.faults_of(code, "")
    if faults:
        raise ValueError(faults[0].message)
    return code


def _telephone(number: str) -> str:
    faults = telephones.faults_of(number, "")
    if faults:
        raise ValueError(faults[0].message)
    return number


def _date_text(value: Any) -> Any:
    # pydantic also takes numbers for dates (seconds since 1970): nobody means that here.
    if isinstance(value, dt.date) or (isinstance(value, str) and _DATE.fullmatch(value)):
        return value
    raise ValueError("应为日期，例如2026-03-10。")


def _plausible(day: dt.date) -> dt.date:
    if not _EARLIEST <= day <= _LATEST:
        raise ValueError(f"日期应在{_EARLIEST}至{_LATEST}之间，请核对年份。")
    return day


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_printable)
]
"""A short line of text without control characters."""

RegionCode = Annotated[
    str, AfterValidator(_region), WithJsonSchema({"type": "string", "pattern": r"^\d{6}$"})
]
"""GB/T 2260 code in force."""

MonthText = Annotated[
    str,
    AfterValidator(_month),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])$", "examples": ["2024-03"]}),
]

CreditCode = Annotated[
    str,
    StringConstraints(max_length=40),
    AfterValidator(_credit_code),
    WithJsonSchema({"type": "string", "maxLength": 40, "examples": ["91370402MA00000000"]}),
]
"""Unified social credit code (GB 32100)."""

Telephone = Annotated[
    str, AfterValidator(_telephone), WithJsonSchema({"type": "string", "examples": ["19900000000"]})
]

Day = Annotated[dt.date, BeforeValidator(_date_text), AfterValidator(_plausible)]
"""A date of law (Asia/Shanghai), from 1900 to 2999."""

SignedYuan = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": r"^-?\d+\.\d{2}$", "examples": ["-1234.56"]})
]
"""An amount in an answer, with its sign."""

__all__ = ["CreditCode", "Day", "Line", "MonthText", "RegionCode", "SignedYuan", "Telephone", "Yuan"]
