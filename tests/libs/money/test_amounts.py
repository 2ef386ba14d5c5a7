"""Money: integer fen inside, two decimals outside, 大写 on documents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from libs.money.amounts import Yuan, fen_of, in_capitals, yuan_of


@given(st.integers(0, 10**14 - 1))
def test_fen_and_yuan_go_back_and_forth(amount_fen: int) -> None:
    assert fen_of(yuan_of(amount_fen)) == amount_fen


@pytest.mark.parametrize(
    ("amount_fen", "yuan"),
    [
        (0, "0.00"),
        (1, "0.01"),
        (99, "0.99"),
        (100, "1.00"),
        (123_456, "1234.56"),
        (-5, "-0.05"),
        (-100, "-1.00"),
    ],
)
def test_yuan_have_two_decimals_and_their_sign(amount_fen: int, yuan: str) -> None:
    assert yuan_of(amount_fen) == yuan


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "1.0",
        "1.000",
        "1,234.56",
        "1234.5６",
        "-1.00",
        "+1.00",
        " 1.00",
        "1.00\n",
        "1e3",
        "",
        "NaN",
        "1234567890123.00",
        "٣.٠٠",
        ".50",
        "1.",
    ],
)
def test_anything_but_two_decimals_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="保留两位小数"):
        fen_of(text)


@pytest.mark.parametrize(
    ("amount_fen", "capitals"),
    [
        (0, "零元整"),
        (123_456, "壹仟贰佰叁拾肆元伍角陆分"),
        (230_050, "贰仟叁佰元伍角"),
        (100_000_000, "壹佰万元整"),
        (100_005, "壹仟元零伍分"),
        (1_000_100, "壹万零壹元整"),
        (10, "壹角"),
        (1, "壹分"),
    ],
)
def test_amounts_in_capitals(amount_fen: int, capitals: str) -> None:
    assert in_capitals(amount_fen) == capitals


def test_negative_amounts_have_no_capitals() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        in_capitals(-1)


def test_an_amount_in_a_request_is_checked_and_described() -> None:
    adapter = TypeAdapter(Yuan)
    assert adapter.validate_python("12.30") == "12.30"
    for wrong in ("12.3", 12.3, None):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)
    assert adapter.json_schema()["pattern"] == r"^\d{1,12}\.\d{2}$"
