from __future__ import annotations

import datetime as dt

import pytest

from libs.identifiers.credentials import CredentialType
from libs.identifiers.made_up import MadeUp
from libs.refusals.faults import Refusal
from libs.rosters import reading
from libs.rosters.entries import Entry
from libs.rosters.layouts import Layout, RosterKind, layout_of
from libs.rosters.reading import Format, open_roster
from tests.libs.rosters.files import HEADINGS, csv_file, xlsx_file

STUDENT, EMPLOYEE = layout_of(RosterKind.STUDENT), layout_of(RosterKind.EMPLOYEE)
CHILD = MadeUp(3).person("370402", born=(2012, 2015))
ROW = [CHILD.name, "居民身份证", CHILD.id_number, CHILD.sex, CHILD.birth_date.isoformat(), CHILD.telephone]


def entries(content: bytes, layout: Layout = STUDENT) -> list[Entry]:
    return list(open_roster(content, layout).entries())


def told(cell: str, value: object) -> list[str]:
    """Messages about one cell of an otherwise right row."""
    row: list[object] = list(ROW)
    row[HEADINGS.index(cell)] = value
    (entry,) = entries(csv_file([row]))
    return [fault.message for fault in entry.faults]


@pytest.mark.parametrize("make", [csv_file, xlsx_file])
def test_a_row_becomes_values(make: object) -> None:
    (entry,) = entries(make([ROW]))  # type: ignore[operator]
    assert entry.faults == []
    assert entry.credential is not None
    assert (entry.credential.type, entry.credential.number) == (CredentialType.RESIDENT_ID, CHILD.id_number)
    assert entry.values["birth_date"] == CHILD.birth_date
    assert entry.values["name"] == CHILD.name


def test_headings_are_found_below_titles_whatever_they_are_decorated_with() -> None:
    above = ["某某小学学生花名册", "填报人：王老师"]
    heading = " * 学生姓名 ,身份证号码（必填）,班 级,随便一列"
    content = "\n".join([*above, heading, f"张安宁,{CHILD.id_number},一班,x"]).encode("gb18030")
    roster = open_roster(content, STUDENT)
    assert (roster.headings.line.number, len(roster.above)) == (3, 2)
    (entry,) = roster.entries()
    assert (entry.number, entry.values["class"], entry.faults) == (4, "一班", [])


def test_everything_wrong_with_the_headings_is_told_at_once() -> None:
    with pytest.raises(Refusal) as refused:
        open_roster(csv_file([ROW], headings=["证件类型", "证件类别", "手机号码", "电话"]), STUDENT)
    assert [(fault.code, fault.pointer) for fault in refused.value.faults] == [
        ("heading_missing", "/name"),
        ("heading_missing", "/credential_no"),
        ("heading_double", "/credential_type"),
        ("heading_double", "/telephone"),
    ]
    assert "第3、4列" in refused.value.faults[3].message


def test_headings_below_the_tenth_row_are_not_looked_for() -> None:
    content = "\n".join(["标题"] * 10 + ["姓名,证件号码"]).encode()
    with pytest.raises(Refusal, match="没有找到学生花名册的表头"):
        open_roster(content, STUDENT)


def test_all_faults_of_a_row_are_told_at_once_and_repeat_nothing_of_it() -> None:
    row = ["123", "驾驶证", CHILD.id_number, "女性别", "2012-02-30", "12345"]
    (entry,) = entries(csv_file([row]))
    assert [fault.pointer for fault in entry.faults] == [
        "/name", "/credential_type", "/sex", "/birth_date", "/telephone",
    ]  # fmt: skip
    assert entry.credential is None
    everything = "".join(fault.message for fault in entry.faults)
    assert not any(cell in everything for cell in row)


@pytest.mark.parametrize("number", ["3.70402E+17", "3.70402201001010E+17", "3.7E17"])
def test_a_number_that_excel_has_mangled_is_told_as_exactly_that(number: str) -> None:
    (message,) = told("证件号码", number)
    assert "Excel" in message
    assert "文本格式" in message


def test_an_identity_number_in_a_numeric_cell_is_mangled_too() -> None:
    (entry,) = entries(xlsx_file([[CHILD.name, "", int(CHILD.id_number[:17] + "0"), "", "", ""]]))
    assert [fault.code for fault in entry.faults] == ["number_mangled"]


@pytest.mark.parametrize(
    "text", ["2012-03-04", "2012/3/4", "2012.3.4", "20120304", "2012年3月4日", "2012-03-04 00:00:00", "40972"]
)
def test_dates_are_taken_as_people_write_them_and_as_serial_numbers(text: str) -> None:
    row = [ROW[0], "护照", "E12345678", "男", text, ""]
    (entry,) = entries(csv_file([row]))
    assert (entry.values["birth_date"], entry.faults) == (dt.date(2012, 3, 4), [])


@pytest.mark.parametrize("text", ["2012-02-30", "99999999", "12/3/2012", "明天", "2012-3"])
def test_other_texts_are_no_dates(text: str) -> None:
    assert told("出生日期", text) == ["出生日期：应为存在的日期，例如2010-09-01。"]


def test_a_broken_check_digit_is_told() -> None:
    broken = CHILD.id_number[:-1] + ("0" if CHILD.id_number[-1] != "0" else "1")
    (message,) = told("证件号码", broken)
    assert "校验位" in message


def test_what_is_missing_is_told_by_its_heading() -> None:
    assert told("姓名", "") == ["未填写姓名。"]
    assert told("证件号码", "") == ["未填写证件号码。"]


def test_numbered_rows_without_anybody_are_passed_over() -> None:
    content = csv_file([["1", *ROW], ["2"], ["3", *ROW]], headings=["序号", *HEADINGS])
    assert [entry.number for entry in entries(content)] == [2, 4]


WAGES = {"4500": 450000, "4,500.50": 450050, "0.01": 1}
NO_WAGES = dict.fromkeys(["4500.005", "-1", "0", "1E400", "NaN", "四千"])


@pytest.mark.parametrize(("wage", "fen"), [*WAGES.items(), *NO_WAGES.items()])
def test_wages_are_yuan(wage: str, fen: int | None) -> None:
    content = csv_file(
        [[CHILD.name, CHILD.id_number, wage, "增加"]],
        headings=["姓名", "证件号码", "申报工资（元/月）", "变更类别"],
        delimiter="\t",
    )
    (entry,) = entries(content, EMPLOYEE)
    assert entry.values.get("declared_wage") == fen
    assert bool(entry.faults) == (fen is None)


def test_a_change_the_roster_does_not_do_is_sent_elsewhere() -> None:
    content = csv_file(
        [[CHILD.name, CHILD.id_number, "1", "恢复"]], headings=["姓名", "证件号码", "申报工资", "变更类别"]
    )
    (entry,) = entries(content, EMPLOYEE)
    assert [fault.code for fault in entry.faults] == ["choice"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "空的"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "旧版xls"),
        (b"\x89PNG\r\n\x1a\n", "没有找到"),
        (b"x" * (reading.LARGEST_FILE + 1), "8MB"),
    ],
    ids=["empty", "old office", "picture", "too large"],
)
def test_what_is_no_roster_is_refused_with_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        open_roster(content, STUDENT)


def test_too_many_people_or_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_PEOPLE", 2)
    assert open_roster(csv_file([ROW] * 2), STUDENT).count() == 2
    with pytest.raises(Refusal, match="最多2人"):
        open_roster(csv_file([ROW] * 3), STUDENT).count()
    with pytest.raises(Refusal, match="没有人员"):
        open_roster(csv_file([]), STUDENT).count()


def test_the_format_is_that_of_the_content() -> None:
    assert open_roster(csv_file([ROW]), STUDENT).format is Format.CSV
    assert open_roster(xlsx_file([ROW]), STUDENT).format is Format.XLSX
