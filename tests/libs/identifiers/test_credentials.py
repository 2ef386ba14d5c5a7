"""Credentials: numbers, prefixes, dates, check digits, masking."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from libs.identifiers.credentials import (
    CREDENTIAL_NAMES,
    Credential,
    CredentialType,
    clean,
    faults_of,
    masked,
)

T = CredentialType


def with_check(stem: str) -> str:
    return stem + str(ric.calc_check_digit(stem))


RESIDENT = with_check("37040219900101001")
ENDING_IN_X = next(
    number for serial in range(1, 100) if (number := with_check(f"37040219900101{serial:03d}")).endswith("X")
)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (T.RESIDENT_ID, RESIDENT),
        (T.RESIDENT_ID, ENDING_IN_X),
        (T.RESIDENT_ID, ENDING_IN_X.lower()),
        (T.RESIDENT_ID, with_check("65010119800229002")),
        (T.HMT_RESIDENCE_PERMIT, with_check("81000019900101001")),
        (T.HMT_RESIDENCE_PERMIT, with_check("82000019900101001")),
        (T.HMT_RESIDENCE_PERMIT, with_check("83000019900101001")),
        (T.FOREIGN_PERMANENT_RESIDENCE, with_check("91115619900101001")),
        (T.HM_TRAVEL_PERMIT, "H12345678"),
        (T.HM_TRAVEL_PERMIT, "m1234567801"),
        (T.TAIWAN_TRAVEL_PERMIT, "12345678"),
        (T.PASSPORT, "E12345678"),
        (T.PASSPORT, "Ｅ１２３４５６７８"),
        (T.RESIDENT_ID, " 370402 19900101 001" + RESIDENT[-1] + " "),
        (T.RESIDENT_ID, RESIDENT.translate({ord(str(d)): 0xFF10 + d for d in range(10)})),
    ],
)
def test_a_right_number_has_no_fault(kind: CredentialType, number: str) -> None:
    assert faults_of(kind, number, "/x") == []


@pytest.mark.parametrize(
    ("kind", "number", "said"),
    [
        (T.RESIDENT_ID, RESIDENT[:-1] + ("0" if RESIDENT[-1] != "0" else "1"), ["校验位不对"]),
        (T.RESIDENT_ID, with_check("37040219900230001"), ["不是存在的日期"]),
        (T.RESIDENT_ID, with_check("37040219000229001"), ["不是存在的日期"]),
        (T.RESIDENT_ID, with_check("16040219900101001"), ["前几位与证件类型不符"]),
        (T.RESIDENT_ID, with_check("71000019900101001"), ["前几位与证件类型不符"]),
        (T.RESIDENT_ID, with_check("81000019900101001"), ["前几位与证件类型不符"]),
        (T.RESIDENT_ID, "990402199002300010", ["校验位", "日期", "前几位"]),
        (T.HMT_RESIDENCE_PERMIT, RESIDENT, ["前几位与证件类型不符"]),
        (T.FOREIGN_PERMANENT_RESIDENCE, RESIDENT, ["前几位与证件类型不符"]),
        (T.RESIDENT_ID, RESIDENT[:-1], ["应为18位"]),
        (T.RESIDENT_ID, RESIDENT + "0", ["应为18位"]),
        (T.RESIDENT_ID, "37040219900101001Y", ["应为18位"]),
        (T.RESIDENT_ID, "", ["应为18位"]),
        (T.RESIDENT_ID, RESIDENT.translate({ord(str(d)): 0x0660 + d for d in range(10)}), ["应为18位"]),
        (T.HM_TRAVEL_PERMIT, "A12345678", ["号码格式不对"]),
        (T.TAIWAN_TRAVEL_PERMIT, "1234567", ["号码格式不对"]),
        (T.TAIWAN_TRAVEL_PERMIT, "١٢٣٤٥٦٧٨", ["号码格式不对"]),
        (T.PASSPORT, "E-1234567", ["号码格式不对"]),
        (T.PASSPORT, "\x00\x00\x00\x00\x00", ["号码格式不对"]),
    ],
)
def test_everything_wrong_is_said_and_the_number_is_not_repeated(
    kind: CredentialType, number: str, said: list[str]
) -> None:
    faults = faults_of(kind, number, "/applicant/credential_no")
    assert len(faults) == len(said)
    for fault, part in zip(faults, said, strict=True):
        assert part in fault.message
        assert fault.message.startswith(CREDENTIAL_NAMES[kind])
        assert fault.pointer == "/applicant/credential_no"
        assert not number or number not in fault.message


@given(st.dates(dt.date(1900, 1, 1), dt.date(2026, 1, 1)), st.integers(0, 999))
def test_birth_and_sex_stand_in_the_number(born: dt.date, serial: int) -> None:
    credential = Credential(T.RESIDENT_ID, with_check(f"370402{born:%Y%m%d}{serial:03d}"))
    assert credential.birth_date == born
    assert credential.sex == ("男" if serial % 2 else "女")


def test_other_credentials_carry_neither() -> None:
    passport = Credential(T.PASSPORT, "E12345678")
    assert (passport.birth_date, passport.sex) == (None, None)


def test_one_person_has_one_canonical_text_however_it_was_typed() -> None:
    typed = [
        ENDING_IN_X,
        ENDING_IN_X.lower(),
        f" {ENDING_IN_X[:6]} {ENDING_IN_X[6:]}",
        ENDING_IN_X[:-1] + "Ｘ",
    ]
    assert len({Credential(T.RESIDENT_ID, clean(number)).canonical for number in typed}) == 1
    other = Credential(T.PASSPORT, "12345678").canonical
    assert other != Credential(T.TAIWAN_TRAVEL_PERMIT, "12345678").canonical


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (RESIDENT, f"370402********{RESIDENT[-4:]}"),
        ("E12345678", "*******78"),
        ("12345678", "******78"),
        ("1", "1"),
        ("", ""),
    ],
)
def test_masked_numbers_show_only_their_ends(number: str, shown: str) -> None:
    assert masked(number) == shown
