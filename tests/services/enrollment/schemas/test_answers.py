from __future__ import annotations

import pytest

from services.enrollment.schemas.answers import mask_telephone


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("19900001234", "199****1234"),
        ("0632-3312345", "063*****2345"),
        ("83312345", "******45"),
        ("3312345", "*****45"),
        ("12345", "***45"),
    ],
)
def test_a_telephone_is_masked_however_short(number: str, shown: str) -> None:
    assert mask_telephone(number) == shown
