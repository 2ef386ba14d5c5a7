"""Case numbers people can read aloud."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from libs.casework.case_numbers import CaseNumber, operation_codes, parse
from libs.catalogue.vocabulary import vocabulary
from libs.refusals.faults import Refusal

NUMBER = CaseNumber("370400", operation_codes()["transfer.in"], dt.date(2026, 11, 22), 17)

numbers = st.builds(
    CaseNumber,
    st.from_regex(r"[1-8][0-9]{5}", fullmatch=True),
    st.sampled_from(sorted(operation_codes().values(), key=lambda code: code.code)),
    st.dates(dt.date(2000, 1, 1), dt.date(2999, 12, 31)),
    st.integers(1, 999_999),
)


@given(numbers)
def test_what_is_written_is_read_again(number: CaseNumber) -> None:
    assert parse(str(number)) == number


@given(numbers, st.integers(0, 22), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(number: CaseNumber, position: int, by: int) -> None:
    digits = [index for index, character in enumerate(str(number)) if character.isdigit()]
    text = list(str(number))
    place = digits[position]
    text[place] = str((int(text[place]) + by) % 10)
    with pytest.raises(Refusal):
        parse("".join(text))


def test_a_number_looks_like_this() -> None:
    assert str(NUMBER).startswith("370400-33-20261122-000017-")


@pytest.mark.parametrize("serial", [0, -1, 1_000_000])
def test_a_serial_fits_its_places(serial: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        str(CaseNumber("370400", NUMBER.operation, NUMBER.applied_on, serial))


def with_check_digit(region: str, code: str, date: str, serial: str) -> str:
    return "-".join([region, code, date, serial, luhn.calc_check_digit(region + code + date + serial)])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (str(NUMBER)[:-1] + str((int(str(NUMBER)[-1]) + 1) % 10), "校验码不对"),
        (with_check_digit("370400", "33", "20260230", "000017"), "日期"),
        (with_check_digit("370400", "33", "00000101", "000017"), "日期"),
        (with_check_digit("370400", "99", "20260228", "000017"), "业务代码"),
        (with_check_digit("370400", "33", "20260228", "000000"), "顺序号"),
        ("", "办件编号应为"),
        ("370400-33-20261122-000017", "办件编号应为"),
        ("３７０４００-33-20261122-000017-1", "办件编号应为"),
        ("370400-33-20261122-00001a-1", "办件编号应为"),
        ("370400-33-20261122-000017-1\n", "办件编号应为"),
        ("370400 33 20261122 000017 1", "办件编号应为"),
    ],
)
def test_what_is_wrong_with_a_number_is_said(text: str, says: str) -> None:
    with pytest.raises(Refusal, match=says) as refused:
        parse(text)
    assert refused.value.faults[0].pointer == "/case_no"


def test_codes_are_unique_and_their_operations_known() -> None:
    codes = operation_codes()
    assert len({entry.code for entry in codes.values()}) == len(codes)
    assert set(codes) <= set(vocabulary().operations)
    assert codes["transfer.in"].service == "transfer"
