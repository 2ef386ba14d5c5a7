"""Unified social credit codes (GB 32100)."""

from __future__ import annotations

import pytest

from libs.identifiers.credit_codes import faults_of
from libs.identifiers.made_up import MadeUp

CODE = MadeUp(1).employer("370402", "枣庄").credit_code


def test_a_right_code_has_no_fault() -> None:
    assert faults_of(CODE, "/employer/credit_code") == []


@pytest.mark.parametrize(
    "code",
    [
        CODE[:-1] + ("A" if CODE[-1] != "A" else "B"),
        CODE[:-1],
        CODE + "0",
        "",
        "I" * 18,  # letters the standard leaves out
        "O" * 18,
        CODE.replace(CODE[9], "Z"),
        "９１３７０４０２ＭＡ０００００００１",
        "\x00" * 18,
    ],
)
def test_a_wrong_code_is_told_with_its_place(code: str) -> None:
    [fault] = faults_of(code, "/employer/credit_code")
    assert (fault.code, fault.pointer) == ("credit_code", "/employer/credit_code")
    assert fault.message.startswith("统一社会信用代码有误")
