from __future__ import annotations

import pytest

from libs.identifiers.telephones import faults_of


@pytest.mark.parametrize("number", ["19900000001", "0632-0000000", "06320000000", "010-00000000"])
def test_mobile_and_fixed_numbers_are_right(number: str) -> None:
    assert faults_of(number, "/telephone") == []


@pytest.mark.parametrize(
    "number", ["", "1990000000", "29900000001", "１９９００００００００", "0632 0000000", "+8619900000001"]
)
def test_other_texts_are_told_where_they_stand(number: str) -> None:
    (fault,) = faults_of(number, "/telephone")
    assert (fault.code, fault.pointer) == ("telephone", "/telephone")
