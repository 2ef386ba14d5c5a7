"""The file of what was refused: the same format and layout, the original cells, and why.

It is put right and uploaded again: its two more columns are no headings we know, and are passed over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from libs.rosters.cells import Line, shown
from libs.rosters.reading import Roster

MORE_HEADINGS = ("行号", "错误原因")
# A program that opens the file must not compute what somebody wrote into a name (formula injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def error_file(roster: Roster, reasons: Mapping[int, str]) -> bytes:
    """``reasons``: number of a refused line -> why. Other lines are left out."""
    rows = _rows(roster, reasons)
    return _xlsx(rows) if roster.dialect is None else _csv(roster, rows)


def _rows(roster: Roster, reasons: Mapping[int, str]) -> Iterator[list[str]]:
    for line in roster.above:
        yield _cells(line)
    headings = _cells(roster.headings.line)
    # An error file that came back: its two columns are made anew.
    kept = [place for place, heading in enumerate(headings) if heading not in MORE_HEADINGS]
    yield [*(headings[place] for place in kept), *MORE_HEADINGS]
    for line in roster.lines():
        if line.number in reasons:
            cells = _cells(line)
            own = (cells[place] if place < len(cells) else "" for place in kept)
            yield [*own, str(line.number), neutral(reasons[line.number])]


def neutral(text: str) -> str:
    """A text no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _cells(line: Line) -> list[str]:
    return [neutral(shown(cell)) for cell in line.cells]


def _csv(roster: Roster, rows: Iterator[list[str]]) -> bytes:
    assert roster.dialect is not None, "a csv has a dialect"
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=roster.dialect.delimiter).writerows(rows)
    # With its mark Excel opens UTF-8 as such; what was never decoded is written as the mark for that.
    encoding = "utf-8-sig" if roster.dialect.encoding == "utf-8" else roster.dialect.encoding
    return text.getvalue().encode(encoding, "replace")


def _xlsx(rows: Iterator[list[str]]) -> bytes:
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("需更正的人员")
    for row in rows:
        if row[-len(MORE_HEADINGS) :] == list(MORE_HEADINGS):
            sheet.append([_bold(sheet, text) for text in row])
        else:
            sheet.append(row)
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def _bold(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=True)
    return cell
