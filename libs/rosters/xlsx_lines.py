"""The first sheet of an xlsx, row by row, as texts.

Our own reader over expat, because the libraries each lack something here: openpyxl's streaming
mode took 5.6 s for 50,000 rows of 8 cells (this one 1.6 s); calamine is fast, but holds the sheet
as a full rectangle, so one cell far out ends the process, and gives a formula's last result for a
value. It reads cells and nothing else: no formulas, links, macros or formats but those of dates.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from libs.rosters.cells import Cell, Line, Unreadable, cell_of, formula, is_empty
from libs.rosters.packages import (
    Attributes,
    Handlers,
    Package,
    broken,
    elements,
    feed,
    local,
    parser_of,
    relations,
)

MOST_COLUMNS = 60
"""Cells further right are not read: no layout is so wide."""

# Excel keeps fifteen places of a number: a longer one has lost the rest.
_KEPT_PLACES = 15
_BUILT_IN_DATES = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})
_NOT_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True)
class Book:
    """What cells refer to: shared texts, which cell formats are dates, and the day that is 0."""

    sheet: str
    texts: list[str]
    date_formats: frozenset[int]
    day_0: dt.date


def lines(content: bytes) -> Iterator[Line]:
    """All rows that are not empty. Raises Refusal (invalid) where the file is no sound xlsx."""
    package = Package(content)
    book = _book(package)
    reader = _SheetReader(book)
    for chunk in package.chunks(book.sheet):
        feed(reader.parser, chunk)
        yield from reader.taken()
    feed(reader.parser, b"", last=True)
    yield from reader.taken()


class _SheetReader:
    """Collects rows while expat reads."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._rows: list[Line] = []
        self._number = 0
        self._cells: list[Cell] = []
        self._column = 0
        self._attributes: Attributes = {}
        self._text: list[str] = []
        self._collecting = False
        self._formula = False
        self._phonetic = False
        self.parser = parser_of(Handlers(self._start, self._end, self._characters))

    def taken(self) -> list[Line]:
        """The rows complete so far, once."""
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: Attributes) -> None:
        tag = local(name) if ":" in name else name
        if tag == "c":
            self._attributes, self._text, self._formula = attributes, [], False
            reference = attributes.get("r")
            self._column = _column_of(reference) if reference else len(self._cells)
        elif tag == "v" or (tag == "t" and not self._phonetic):
            self._collecting = True
        elif tag == "f":
            self._formula = True
        elif tag == "rPh":
            self._phonetic = True
        elif tag == "row":
            self._number = _number(attributes["r"]) if "r" in attributes else self._number + 1
            self._cells = []

    def _end(self, name: str) -> None:
        tag = local(name) if ":" in name else name
        if tag in ("v", "t"):
            self._collecting = False
        elif tag == "c":
            self._keep_cell()
        elif tag == "rPh":
            self._phonetic = False
        elif tag == "row":
            cells = tuple(self._cells)
            if not is_empty(cells):
                self._rows.append(Line(self._number, cells))

    def _characters(self, text: str) -> None:
        if self._collecting:
            self._text.append(text)

    def _keep_cell(self) -> None:
        if self._column >= MOST_COLUMNS:
            return
        cell = self._cell("".join(self._text))
        if cell == "":
            return
        if self._column < len(self._cells):
            self._cells[self._column] = cell  # the same cell twice: the later one, as Excel has it
            return
        self._cells.extend([""] * (self._column - len(self._cells)))
        self._cells.append(cell)

    def _cell(self, text: str) -> Cell:
        kind = self._attributes.get("t", "n")
        if self._formula:
            return formula("=…")
        if not text:
            return ""
        if kind == "n":
            return cell_of(self._number_text(text))
        if kind == "s":
            return cell_of(_shared(self._book.texts, text))
        if kind == "e":
            return Unreadable(text[:20], f"单元格为错误值（{text[:20]}），请改为正确内容。", "error_value")
        if kind == "d":
            return cell_of(text.removesuffix("T00:00:00"))
        return cell_of(_unescaped(text))

    def _number_text(self, text: str) -> str:
        style = self._attributes.get("s", "0")
        if style.isdecimal() and int(style) in self._book.date_formats:
            return _day(text, self._book.day_0)
        return number_text(text)


def number_text(text: str) -> str:
    """A number as a person would read it; one that has lost places as ``1.2E+17``, to be told so."""
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        return text
    if abs(value) >= 10**_KEPT_PLACES:
        return f"{value:.6G}"
    return str(int(value)) if value == int(value) else repr(value)


def _day(text: str, day_0: dt.date) -> str:
    try:
        day = day_0 + dt.timedelta(days=int(float(text)))
    except (ValueError, OverflowError):
        return text
    return day.isoformat()


def _book(package: Package) -> Book:
    main = next((name for kind, name in relations(package, "").values() if kind == "officeDocument"), None)
    content = package.part(main) if main else None
    if main is None or content is None:
        raise broken()
    parts = elements(content)
    related = relations(package, main)
    by_kind = dict(related.values())
    first = next(
        (at for tag, at in parts if tag == "sheet" and at.get("state", "visible") == "visible"), None
    )
    sheet = related.get(first.get("id", "")) if first else None
    if sheet is None:
        raise broken()
    from_1904 = any(tag == "workbookPr" and at.get("date1904") in ("1", "true") for tag, at in parts)
    return Book(
        sheet=sheet[1],
        texts=_shared_texts(package, by_kind.get("sharedStrings")),
        date_formats=_date_formats(package.part(by_kind.get("styles", ""))),
        # Day 60 of the older calendar is the 29 February 1900 that never was; later days are right.
        day_0=dt.date(1904, 1, 1) if from_1904 else dt.date(1899, 12, 30),
    )


def _shared_texts(package: Package, name: str | None) -> list[str]:
    if name is None:
        return []
    reader = _TextReader()
    for chunk in package.chunks(name):
        feed(reader.parser, chunk)
    feed(reader.parser, b"", last=True)
    return reader.texts


class _TextReader:
    """Collects the shared texts while expat reads; formats are dropped, and how a name is pronounced."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._inside = {"t": False, "rPh": False}
        self.parser = parser_of(Handlers(self._start, self._end, self._characters))

    def _start(self, name: str, _: Attributes) -> None:
        tag = local(name)
        if tag in self._inside:
            self._inside[tag] = True
        elif tag == "si":
            self._pieces = []

    def _end(self, name: str) -> None:
        tag = local(name)
        if tag in self._inside:
            self._inside[tag] = False
        elif tag == "si":
            self.texts.append(_unescaped("".join(self._pieces)))

    def _characters(self, text: str) -> None:
        if self._inside["t"] and not self._inside["rPh"]:
            self._pieces.append(text)


def _date_formats(content: bytes | None) -> frozenset[int]:
    """Which of the cell formats (cellXfs, from 0) show a date."""
    if content is None:
        return frozenset()
    codes: dict[int, str] = {}
    formats: list[int] = []
    inside = False
    for tag, at in elements(content):
        if tag == "numFmt":
            codes[_number(at.get("numFmtId", "0"))] = at.get("formatCode", "")
        elif tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            inside = tag == "cellXfs"
        elif tag == "xf" and inside:
            formats.append(_number(at.get("numFmtId", "0")))
    return frozenset(place for place, number in enumerate(formats) if _is_date(number, codes))


def _is_date(number: int, codes: dict[int, str]) -> bool:
    code = _NOT_FORMAT.sub("", codes.get(number, "")).lower()
    return number in _BUILT_IN_DATES or "y" in code or "d" in code


def _shared(texts: list[str], place: str) -> str:
    try:
        return texts[int(place)]
    except (ValueError, IndexError) as error:
        raise broken() from error


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _column_of(reference: str) -> int:
    """``C12`` -> 2."""
    column = 0
    for letter in reference:
        if not "A" <= letter <= "Z":
            break
        column = column * 26 + ord(letter) - 64
        if column > MOST_COLUMNS:
            break
    return column - 1 if column else MOST_COLUMNS


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise broken()
    return int(text)
