"""Files as schools and employers send them, made in memory."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook

HEADINGS = ["姓名", "证件类型", "证件号码", "性别", "出生日期", "联系电话"]


def csv_file(
    rows: Iterable[Sequence[object]],
    *,
    headings: Sequence[str] = HEADINGS,
    encoding: str = "utf-8",
    delimiter: str = ",",
) -> bytes:
    """A csv; cells are written as they are, quotes and all."""
    lines = [delimiter.join(str(cell) for cell in row) for row in [headings, *rows]]
    return "\r\n".join(lines).encode(encoding)


def xlsx_file(rows: Iterable[Sequence[Any]], *, headings: Sequence[str] = HEADINGS) -> bytes:
    """An xlsx with one sheet, as openpyxl writes it."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in [headings, *rows]:
        sheet.append(list(row))
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()
