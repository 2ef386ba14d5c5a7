"""A roster's file in chunks: read once from the front, the credentials seen so far remembered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault
from libs.rosters.entries import Entry
from libs.rosters.reading import Roster as OpenedRoster
from services.enrollment.domain.rosters import duplicate_of


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row as far as the file alone tells; ``person_key`` where its credential is right."""

    entry: Entry
    person_key: str | None
    faults: list[Fault]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are applied in one transaction: from ``first_row`` up to before ``next_row``."""

    first_row: int
    next_row: int
    rows: list[FileRow]
    is_last: bool


class ChunkReader:
    """Chunks from row ``next_row`` on. Rows before it are read too: later ones may repeat them."""

    def __init__(self, opened: OpenedRoster, protector: FieldProtector, next_row: int) -> None:
        self._next_row = next_row
        self._protector = protector
        self._first_row_of: dict[str, int] = {}
        self._rows = self._read(opened.entries())

    def next(self, size: int) -> Chunk:
        """The next ``size`` rows, fewer at the end. Not to be called after the last."""
        rows = list(islice(self._rows, size))
        first_row = self._next_row
        self._next_row = rows[-1].entry.number + 1 if rows else first_row
        return Chunk(first_row, self._next_row, rows, is_last=len(rows) < size)

    def _read(self, entries: Iterator[Entry]) -> Iterator[FileRow]:
        done_before = self._next_row
        for entry in entries:
            row = self._row(entry)
            if entry.number >= done_before:
                yield row

    def _row(self, entry: Entry) -> FileRow:
        if entry.credential is None:
            return FileRow(entry, None, entry.faults)
        key = self._protector.blind_index(entry.credential.canonical)
        first = self._first_row_of.setdefault(key, entry.number)
        faults = entry.faults if first == entry.number else [*entry.faults, duplicate_of(first)]
        return FileRow(entry, key, faults)
