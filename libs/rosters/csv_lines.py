"""csv, whatever the program that saved it: encoding and delimiter found out, broken lines kept apart."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from libs.rosters.cells import Cell, Line, Unreadable, cell_of, is_empty

_DELIMITERS = (",", "\t", ";", "，", "|")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# A heading with a line break stands in quotes over a few lines; a quote forgotten reaches no further.
_MOST_LINES_IN_QUOTES = 4
_SAMPLE_LINES = 10


@dataclass(frozen=True)
class Dialect:
    """How a csv is written: ``encoding`` a Python codec, ``delimiter`` one character."""

    encoding: str
    delimiter: str


def dialect_of(content: bytes) -> Dialect:
    """Encoding and delimiter of a csv; never fails: what does not decode is told line by line."""
    encoding = _encoding_of(content)
    sample = "".join(islice(_text(content, encoding), _SAMPLE_LINES))
    found = Counter({mark: sample.count(mark) for mark in _DELIMITERS})
    delimiter, times = found.most_common(1)[0]
    return Dialect(encoding, delimiter if times else ",")


def lines(content: bytes, dialect: Dialect) -> Iterator[Line]:
    """All lines that are not empty, in order; a broken one is a line of unreadable cells."""
    for number, text in _joined(_text(content, dialect.encoding)):
        cells = _cells(text, dialect.delimiter)
        if not is_empty(cells):
            yield Line(number, cells)


def _encoding_of(content: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return encoding
    # UTF-8 with a few broken bytes stays UTF-8, its broken lines are told; GB18030 read as UTF-8
    # breaks at nearly every Chinese character.
    broken = content.decode("utf-8", "replace").count("�")
    not_ascii = len(content) - len(content.translate(None, bytes(range(0x80, 0x100))))
    return "utf-8" if broken * 4 <= not_ascii else "gb18030"


def _text(content: bytes, encoding: str) -> Iterator[str]:
    stream = io.BytesIO(content)
    return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")


def _joined(physical: Iterator[str]) -> Iterator[tuple[int, str]]:
    """(number of the first line, text): quoted line breaks joined, a line of unpaired quotes alone."""
    ahead: deque[str] = deque()
    number = 1
    while ahead or (ahead := deque(islice(physical, 1))):
        count = _paired(ahead, physical)
        yield number, "".join(ahead.popleft() for _ in range(count))
        number += count


def _paired(ahead: deque[str], physical: Iterator[str]) -> int:
    """How many of the lines ahead are one; reads on while a quote is open."""
    quotes = 0
    for count in range(1, _MOST_LINES_IN_QUOTES + 1):
        if len(ahead) < count:
            ahead.extend(islice(physical, 1))
        if len(ahead) < count:
            break
        quotes += ahead[count - 1].count('"')
        if quotes % 2 == 0:
            return count
    return 1


def _cells(text: str, delimiter: str) -> tuple[Cell, ...]:
    if text.count('"') % 2:
        why = "引号不成对，无法区分各列，请核对本行后重新保存。"
        return tuple(Unreadable(cell.strip(), why, "quotes") for cell in text.split(delimiter))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        rows = []
    if len(rows) != 1:
        why = "本行过长或引号位置有误，无法区分各列，请核对后重新保存。"
        return (Unreadable(text.strip()[:30] + "…", why, "line_broken"),)
    return tuple(cell_of(cell) for cell in rows[0])
