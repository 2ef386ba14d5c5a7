from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.tax_files.rows import Money, PayerKind, PaymentKind, TaxRow, money_of, row_of
from tests.services.enrollment.tax import Row

TODAY = dt.date(2026, 3, 10)
RIGHT = Row("SN-000001", "37040219900101001X", "甲某")


def read(row: Row) -> TaxRow:
    money = money_of(row.cells())
    assert isinstance(money, Money)
    return row_of(1, money, row.cells(), today=TODAY)


def faults(**other: str) -> list[str]:
    return [fault.code for fault in read(replace(RIGHT, **other)).faults]


def test_a_right_row_is_read() -> None:
    row = read(RIGHT)
    assert row.faults == ()
    assert row.money == Money("SN-000001", InsuranceKind.EMPLOYEE, 40_000, 10_000, 0)
    assert (row.payer_kind, row.kind) == (PayerKind.PERSON, PaymentKind.NORMAL)
    assert (row.person_kind, row.period, row.base_fen) == (PersonKind.FLEXIBLE_WORKER, "2026-02", 500_000)
    assert row.credential is not None
    assert (row.credential.number, row.paid_on) == ("37040219900101001X", dt.date(2026, 3, 5))


@pytest.mark.parametrize(
    ("other", "codes"),
    [
        ({"payer": "单位"}, ["credit_code"]),
        ({"payer": "单位", "credit_code": "91370402MA0000000X"}, ["credit_code"]),
        ({"credit_code": "91370402MA00000000"}, ["credit_code"]),
        ({"credential": "驾驶证"}, ["credential_type"]),
        ({"number": "370402199001010010"}, ["credential"]),
        ({"name": ""}, ["name"]),
        ({"name": "甲\x00"}, ["name"]),
        ({"person_kind": "城乡居民"}, ["person_kind"]),
        ({"person_kind": "某人"}, ["person_kind"]),
        ({"period": "2026"}, ["period"]),
        ({"period": "1993-12"}, ["period"]),
        ({"insurance": "390", "person_kind": "学生"}, ["period"]),
        ({"insurance": "390", "person_kind": "学生", "period": "2026", "base": ""}, []),
        ({"base": "5000"}, ["base"]),
        ({"base": "-1.00"}, ["base"]),
        ({"unit": "-400.00", "personal": "500.00"}, ["personal"]),
        ({"unit": "0.00", "personal": "0.00"}, ["personal"]),
        ({"kind": "更正"}, ["personal", "corrects"]),
        ({"corrects": "SN-000000"}, ["corrects"]),
        ({"kind": "退费"}, ["kind"]),
        ({"paid_on": "2026-03-11"}, ["paid_on"]),
        ({"paid_on": "20260305"}, ["paid_on"]),
        ({"paid_on": "2026-02-30"}, ["paid_on"]),
    ],
)
def test_what_is_wrong_is_told(other: dict[str, str], codes: list[str]) -> None:
    assert faults(**other) == codes


def test_everything_wrong_is_told_at_once() -> None:
    assert faults(payer="x", name="", period="x", base="x", kind="x", paid_on="x") == [
        "payer_kind",
        "name",
        "period",
        "base",
        "kind",
        "paid_on",
    ]


@pytest.mark.parametrize(
    "amount", ["1", "1.0", "1.000", "+1.00", "--1.00", "1,000.00", "１.００", "", " 1.00"]
)
def test_amounts_are_yuan_with_two_decimals(amount: str) -> None:
    told = money_of(replace(RIGHT, unit=amount).cells())
    assert isinstance(told, list)
    assert [fault.code for fault in told] == ["unit"]


def test_a_row_with_other_columns_cannot_be_booked() -> None:
    told = money_of(RIGHT.cells()[:-1])
    assert isinstance(told, list)
    assert [fault.message for fault in told] == ["应有16列，实际15列。"]
