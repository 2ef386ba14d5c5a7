"""Case numbers people can read aloud: ``370400-31-20261122-000017-5``.

Region (GB/T 2260), kind of business (operations.yaml), date of application in Shanghai,
serial of that day, and a check digit (Luhn over all digits, by python-stdnum).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from stdnum import luhn

from libs.refusals.faults import Fault, invalid

_SERIAL_DIGITS = 6
_LAST_SERIAL = 10**_SERIAL_DIGITS - 1


@dataclass(frozen=True)
class OperationCode:
    """A kind of business: two digits, its name, the service that owns it."""

    operation: str
    code: str
    name: str

    @property
    def service(self) -> str:
        return self.operation.split(".")[0]


@dataclass(frozen=True)
class CaseNumber:
    """The parts of a case number."""

    region_code: str
    operation: OperationCode
    applied_on: dt.date
    serial: int

    def __str__(self) -> str:
        if not 1 <= self.serial <= _LAST_SERIAL:
            raise ValueError(f"serial {self.serial} does not fit {_SERIAL_DIGITS} digits")
        parts = [
            self.region_code,
            self.operation.code,
            f"{self.applied_on:%Y%m%d}",
            f"{self.serial:0{_SERIAL_DIGITS}d}",
        ]
        return "-".join([*parts, luhn.calc_check_digit("".join(parts))])


@cache
def operation_codes() -> dict[str, OperationCode]:
    """All kinds of business by operation, e.g. ``transfer.in``."""
    table = yaml.safe_load((Path(__file__).parent / "operations.yaml").read_text(encoding="utf-8"))
    return {row["operation"]: OperationCode(**row) for row in table}


@cache
def _by_code() -> dict[str, OperationCode]:
    return {entry.code: entry for entry in operation_codes().values()}


def parse(text: str) -> CaseNumber:
    """Read a case number. Raises Refusal (invalid) naming what is wrong with it."""
    parts = text.split("-")
    lengths_fit = [len(part) for part in parts] == [6, 2, 8, _SERIAL_DIGITS, 1]
    if not lengths_fit or not text.replace("-", "").isascii() or not text.replace("-", "").isdigit():
        raise _wrong("办件编号应为“行政区划代码6位-业务2位-日期8位-顺序号6位-校验码1位”的数字")
    if not luhn.is_valid("".join(parts)):
        raise _wrong("办件编号的校验码不对，请核对是否抄错")
    operation = _by_code().get(parts[1])
    try:
        applied_on = dt.datetime.strptime(parts[2], "%Y%m%d").date()  # noqa: DTZ007 -- a date of law
    except ValueError:
        applied_on = None
    if operation is None or applied_on is None or int(parts[3]) == 0:
        raise _wrong("办件编号中的业务代码、日期或顺序号不存在")
    return CaseNumber(parts[0], operation, applied_on, int(parts[3]))


def _wrong(message: str) -> Exception:
    return invalid("case_number", message, [Fault("case_number", message, "/case_no")])
