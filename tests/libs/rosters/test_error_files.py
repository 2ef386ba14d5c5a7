from __future__ import annotations

import csv
import io

import pytest
from openpyxl import load_workbook

from libs.rosters.error_files import error_file
from libs.rosters.layouts import RosterKind, layout_of
from libs.rosters.reading import Format, open_roster
from tests.libs.rosters.files import HEADINGS, csv_file, xlsx_file

STUDENT = layout_of(RosterKind.STUDENT)
ROWS = [
    ["张安宁", "", "370402201001010017", "男", "", ""],
    ["=cmd|'/c calc'!A1", "", "370402201001010017", "男", "", "+8613"],
    ["李晨悦", "", "1.2E+17", "女", "", "-1"],
]
REASONS = {3: "=原因", 4: "证件号码已被Excel按数值保存"}


@pytest.mark.parametrize(
    ("encoding", "back"), [("utf-8", "utf-8-sig"), ("gb18030", "gb18030"), ("utf-16", "utf-16")]
)
def test_a_csv_comes_back_in_its_own_encoding_and_layout(encoding: str, back: str) -> None:
    content = csv_file([["标题"], HEADINGS, *ROWS], headings=[""], encoding=encoding, delimiter="\t")
    made = error_file(open_roster(content, STUDENT), {5: "原因五", 6: "原因六"})
    rows = list(csv.reader(io.StringIO(made.decode(back)), delimiter="\t"))
    assert rows[0] == ["标题"]
    assert rows[1] == [*HEADINGS, "行号", "错误原因"]
    assert [row[-2:] for row in rows[2:]] == [["5", "原因五"], ["6", "原因六"]]


def test_an_xlsx_comes_back_as_xlsx_with_identity_numbers_as_text() -> None:
    made = error_file(open_roster(xlsx_file(ROWS), STUDENT), {2: "姓名不符"})
    sheet = load_workbook(io.BytesIO(made)).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == [*HEADINGS, "行号", "错误原因"]
    assert rows[1][2] == "370402201001010017"
    assert rows[1][-2:] == ["2", "姓名不符"]


@pytest.mark.parametrize("make", [csv_file, xlsx_file])
def test_nothing_in_it_is_a_formula(make: object) -> None:
    roster = open_roster(make(ROWS), STUDENT)  # type: ignore[operator]
    made = error_file(roster, REASONS)
    again = open_roster(made, STUDENT)
    if again.format is Format.XLSX:
        sheet = load_workbook(io.BytesIO(made)).worksheets[0]
        cells = [cell.value for row in sheet.iter_rows() for cell in row if cell.value]
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    else:
        cells = [cell for row in csv.reader(io.StringIO(made.decode("utf-8-sig"))) for cell in row]
    assert not [cell for cell in cells if str(cell).startswith(("=", "+", "-", "@"))]


def test_it_can_be_put_right_and_sent_again() -> None:
    made = error_file(open_roster(csv_file(ROWS), STUDENT), REASONS)
    again = open_roster(made, STUDENT)
    assert [entry.values.get("name") for entry in again.entries()] == [None, "李晨悦"]
    twice = error_file(again, {3: "还是不对"}).decode("utf-8-sig").splitlines()
    assert twice[0].count("错误原因") == 1
    assert twice[1].endswith(",3,还是不对")


def test_cells_that_could_not_be_read_are_shown_as_far_as_they_could() -> None:
    content = csv_file([["李XX", "", "1", "", "", ""]]).replace(b"XX", b"\xff\x00")
    made = error_file(open_roster(content, STUDENT), {2: "含有无法识别的字符"})
    assert "李��" in made.decode("utf-8-sig")
