from __future__ import annotations

import pytest

from libs.rosters.cells import LONGEST_CELL, Line, Unreadable
from libs.rosters.csv_lines import dialect_of, lines
from tests.libs.rosters.files import csv_file

ZHANG = ["张安宁", "居民身份证", "370402201001010017", "男", "", "19900000001"]


def read(content: bytes) -> list[Line]:
    return list(lines(content, dialect_of(content)))


def codes(line: Line) -> list[str]:
    return [cell.code for cell in line.cells if isinstance(cell, Unreadable)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_every_usual_way_of_saving_a_csv_reads_the_same(encoding: str, delimiter: str) -> None:
    _, line = read(csv_file([ZHANG], encoding=encoding, delimiter=delimiter))
    assert line == Line(2, tuple(ZHANG))


def test_rare_characters_of_gb18030_arrive() -> None:
    _, line = read(csv_file([["张㐂𠮷", *ZHANG[1:]]] * 1, encoding="gb18030"))
    assert line.cells[0] == "张㐂𠮷"


def test_lines_keep_the_numbers_an_editor_shows_and_empty_ones_are_passed_over() -> None:
    content = csv_file([ZHANG, [], ["", "", ""], ZHANG])
    assert [line.number for line in read(content)] == [1, 2, 5]


def test_a_heading_with_a_line_break_in_quotes_is_one_cell() -> None:
    first, second = read('"证件\n号码",姓名\n1,张安宁\n'.encode())
    assert first.cells == ("证件\n号码", "姓名")
    assert second.number == 3


def test_a_quote_forgotten_spoils_its_own_line_only() -> None:
    content = csv_file([ZHANG, ['"张安宁', *ZHANG[1:]], *[ZHANG] * 9])
    found = read(content)
    assert [line.number for line in found] == list(range(1, 13))
    assert [line.number for line in found if codes(line)] == [3]
    assert set(codes(found[2])) == {"quotes"}


@pytest.mark.parametrize(
    "bad",
    [b"\xed\xa0\x80", b"\x00", b"\x1b[31m", b"\xff\xfe"],
    ids=["half a pair", "NUL", "escape", "no text"],
)
def test_bytes_that_are_no_text_spoil_their_cell_only(bad: bytes) -> None:
    content = csv_file([ZHANG, ZHANG, ["李XX", *ZHANG[1:]], ZHANG]).replace(b"XX", bad)
    found = read(content)
    assert [codes(line) for line in found] == [[], [], [], ["unreadable_cell"], []]
    assert found[3].cells[1:] == tuple(ZHANG[1:])


def test_a_cell_too_long_is_told_and_not_carried_along() -> None:
    _, line = read(csv_file([["张" * (LONGEST_CELL + 1), *ZHANG[1:]]]))
    cell = line.cells[0]
    assert isinstance(cell, Unreadable)
    assert (cell.code, len(cell.shown)) == ("cell_too_long", 31)


def test_a_line_of_a_megabyte_is_one_broken_line() -> None:
    found = read(csv_file([['"' + "张" * 1_000_000 + '"'], ZHANG]))
    assert [codes(line) for line in found] == [[], ["line_broken"], []]


@pytest.mark.parametrize("text", ["=1+1", '"=HYPERLINK(""http://x"")"', "@SUM(A1)", "'=1+1"])
def test_formulas_are_refused_not_read(text: str) -> None:
    _, line = read(csv_file([[text, *ZHANG[1:]]]))
    assert codes(line) == ["formula"]


def test_an_apostrophe_that_keeps_a_text_a_text_is_no_part_of_it() -> None:
    _, line = read(csv_file([["张安宁", "", "'370402201001010017", "", "", "'+8619900000001"]]))
    assert line.cells == ("张安宁", "", "370402201001010017", "", "", "+8619900000001")
