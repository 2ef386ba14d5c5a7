from __future__ import annotations

from libs.protection.fields import FieldProtector
from libs.rosters.layouts import RosterKind, layout_of
from libs.rosters.reading import open_roster
from services.enrollment.service.rosters.chunks import ChunkReader
from tests.libs.rosters.files import csv_file
from tests.services.enrollment.registry import SCHOOL_HEADINGS, pupils, row_of, school_file

PROTECTOR = FieldProtector({"k1": b"k" * 32}, "k1", b"i" * 32)
STUDENT = layout_of(RosterKind.STUDENT)


def reader(content: bytes, next_row: int = 1) -> ChunkReader:
    return ChunkReader(open_roster(content, STUDENT), PROTECTOR, next_row)


def test_chunks_follow_one_another_without_gap_or_overlap() -> None:
    chunks, read = [], reader(school_file(pupils(25)))
    while not chunks or not chunks[-1].is_last:
        chunks.append(read.next(10))
    assert [(chunk.first_row, chunk.next_row, len(chunk.rows)) for chunk in chunks] == [
        (1, 12, 10),
        (12, 22, 10),
        (22, 27, 5),
    ]


def test_a_file_that_ends_with_a_chunk_has_an_empty_last_one() -> None:
    read = reader(school_file(pupils(10)))
    assert not read.next(10).is_last
    last = read.next(10)
    assert (last.rows, last.first_row, last.next_row, last.is_last) == ([], 12, 12, True)


def test_who_takes_up_in_the_middle_knows_who_stood_before() -> None:
    first, *others = pupils(5)
    content = csv_file([row_of(one) for one in (first, *others, first)], headings=SCHOOL_HEADINGS)
    whole, rest = reader(content).next(100), reader(content, next_row=5).next(100)
    assert rest.rows == whole.rows[3:]
    (fault,) = rest.rows[-1].faults
    assert (fault.code, "第2行" in fault.message) == ("double_in_file", True)


def test_wrong_numbers_are_compared_with_nothing() -> None:
    (one,) = pupils(1)
    content = csv_file([row_of(one, number="1")] * 2, headings=SCHOOL_HEADINGS)
    chunk = reader(content).next(9)
    assert [[fault.code for fault in row.faults] for row in chunk.rows] == [["credential"]] * 2
