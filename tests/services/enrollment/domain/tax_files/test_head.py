"""Files that are none of ours: told what they should be, whatever their bytes."""

from __future__ import annotations

import datetime as dt

import pytest

from libs.refusals.faults import Refusal, RefusalKind
from services.enrollment.domain.tax_files.head import require_file

TODAY = dt.date(2026, 3, 10)
OTHERS = {
    "nothing": b"",
    "a spreadsheet": b"PK\x03\x04\x14\x00\r\x06\x08\x00 \x0b<e\xd3",
    "UTF-16": "YBJF1,SW-0001,370400,2026-03\r\n".encode("utf-16"),
    "old line ends": b"YBJF1,SW-0001\rserial,payer\r",
    "an open quote": b'YBJF1,"SW-0001\n',
    "zeros": b"\x00" * 100,
    "a long cell": b"x" * 200_000,
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_what_is_no_such_file_is_told_what_would_be(content: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        require_file(content, today=TODAY)
    assert refused.value.kind is RefusalKind.INVALID
    assert refused.value.faults[0].pointer == "/head"
    assert "YBJF1" in refused.value.faults[0].message
