"""A roster's file: can it be taken, what does it say line by line.

Nothing but the file's bytes is kept: lines are read anew each time, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from libs.refusals.faults import Fault, Refusal, invalid
from libs.rosters import csv_lines, xlsx_lines
from libs.rosters.cells import Line
from libs.rosters.csv_lines import Dialect
from libs.rosters.entries import Entry, entry_of
from libs.rosters.headings import Headings, find_headings
from libs.rosters.layouts import Layout

# 本系统约定: the largest school district of a city fits; more is a second file.
MOST_PEOPLE = 60_000
LARGEST_FILE = 8 * 1024 * 1024
_LAST_LINE = 100_000
_ZIP, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class Format(StrEnum):
    """Formats that are taken."""

    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True)
class Roster:
    """A file that was opened: ``dialect`` of a csv, ``above`` what stands over the headings."""

    content: bytes
    layout: Layout
    format: Format
    dialect: Dialect | None
    above: list[Line]
    headings: Headings

    def lines(self) -> Iterator[Line]:
        """The lines below the headings, from the first."""
        for line in _lines(self.content, self.dialect):
            if line.number > self.headings.line.number:
                yield line

    def entries(self) -> Iterator[Entry]:
        """The people of the file, in its order."""
        for line in self.lines():
            entry = entry_of(line, self.headings, self.layout)
            if entry is not None:
                yield entry

    def count(self) -> int:
        """How many people the file names, read to its end.

        Raises Refusal (invalid) for none, too many, or a file damaged further down.
        """
        count = 0
        for entry in self.entries():
            count += 1
            if count > MOST_PEOPLE or entry.number > _LAST_LINE:
                message = f"一个文件最多{MOST_PEOPLE}人（{_LAST_LINE}行以内），请分成几个文件上传。"
                raise _refused("roster_too_long", message)
        if count == 0:
            raise _refused("roster_empty", "表头之下没有人员，请核对文件。")
        return count


def open_roster(content: bytes, layout: Layout) -> Roster:
    """Find format and headings. Raises Refusal (invalid) for a file that cannot be taken, saying why."""
    if not content:
        raise _refused("roster_empty", "文件是空的，请核对后重新上传。")
    if len(content) > LARGEST_FILE:
        raise _refused("roster_too_large", f"文件超过{LARGEST_FILE // 1024 // 1024}MB，请分批上传。")
    if content.startswith(_OLD_OFFICE):
        message = "文件为旧版xls格式或设有密码，请取消密码并另存为xlsx或csv后上传。"
        raise _refused("roster_format", message)
    is_xlsx = content.startswith(_ZIP)
    dialect = None if is_xlsx else csv_lines.dialect_of(content)
    above, headings = find_headings(_lines(content, dialect), layout)
    return Roster(content, layout, Format.XLSX if is_xlsx else Format.CSV, dialect, above, headings)


def _lines(content: bytes, dialect: Dialect | None) -> Iterator[Line]:
    return xlsx_lines.lines(content) if dialect is None else csv_lines.lines(content, dialect)


def _refused(code: str, message: str) -> Refusal:
    return invalid(code, message, [Fault(code, message, "/file")])
