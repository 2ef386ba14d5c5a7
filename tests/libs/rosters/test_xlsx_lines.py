from __future__ import annotations

import contextlib
import datetime as dt
import io
import random
import zipfile
from collections.abc import Callable

import pytest
from openpyxl import Workbook, load_workbook

from libs.refusals.faults import Refusal
from libs.rosters import packages
from libs.rosters.cells import Line, Unreadable
from libs.rosters.xlsx_lines import MOST_COLUMNS, lines, number_text
from tests.libs.rosters.files import xlsx_file

SHEET = "xl/worksheets/sheet1.xml"


def read(content: bytes) -> list[Line]:
    return list(lines(content))


def first_cells(*values: object) -> tuple[object, ...]:
    (line,) = read(xlsx_file([], headings=list(values)))  # type: ignore[arg-type]
    return line.cells


def changed(content: bytes, member: str, change: Callable[[bytes], bytes]) -> bytes:
    """The package with one member changed."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == member else old.read(name))
    return target.getvalue()


RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def relations_xml(**targets: str) -> str:
    """Relations to members by their kind, which is the id as well."""
    each = (
        f'<Relationship Id="{kind}" Type="{RELATION}/{kind}" Target="{target}"/>'
        for kind, target in targets.items()
    )
    return f"<Relationships>{''.join(each)}</Relationships>"


def as_excel_writes(*, texts: int = 3, date_1904: bool = False) -> bytes:
    """By hand, as Excel writes it: shared texts with formats and pronunciation, prefixes, own date format."""
    shared = [
        "<x:si><x:t>张安宁</x:t></x:si>",
        "<x:si><x:r><x:t>枣庄</x:t></x:r><x:r><x:t>小学</x:t></x:r><x:rPh><x:t>zao</x:t></x:rPh></x:si>",
        "<x:si><x:t>一_x000D_二</x:t></x:si>",
    ]
    cells = [
        *(f'<x:c t="s"><x:v>{place}</x:v></x:c>' for place in range(3)),
        *(f'<x:c s="{style}"><x:v>40422</x:v></x:c>' for style in (1, 2)),
    ]
    parts = {
        "_rels/.rels": relations_xml(officeDocument="/xl/w.xml"),
        "xl/_rels/w.xml.rels": relations_xml(worksheet="s.xml", sharedStrings="t.xml", styles="f.xml"),
        "xl/w.xml": f'<workbook xmlns:r="{RELATION}"><workbookPr date1904="{int(date_1904)}"/>'
        '<sheets><sheet name="1" r:id="worksheet"/></sheets></workbook>',
        "xl/t.xml": f'<x:sst xmlns:x="x">{"".join(shared[:texts])}</x:sst>',
        "xl/f.xml": '<styleSheet><numFmts><numFmt numFmtId="176" formatCode="yyyy&quot;年&quot;m"/>'
        '<numFmt numFmtId="177" formatCode="[Red]0&quot;d&quot;"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        '<cellXfs><xf/><xf numFmtId="176"/><xf numFmtId="177"/></cellXfs></styleSheet>',
        "xl/s.xml": '<x:worksheet xmlns:x="x"><x:sheetData><x:row>'
        f"{''.join(cells)}</x:row></x:sheetData></x:worksheet>",
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            package.writestr(name, text)
    return target.getvalue()


def test_shared_texts_and_own_date_formats_read_as_in_excel() -> None:
    (line,) = read(as_excel_writes())
    assert line == Line(1, ("张安宁", "枣庄小学", "一\r二", "2010-09-01", "40422"))


def test_books_that_count_from_1904_have_the_same_days() -> None:
    (line,) = read(as_excel_writes(date_1904=True))
    assert line.cells[3] == "2014-09-02"


def test_texts_numbers_and_dates_read_as_people_see_them() -> None:
    day = dt.date(2010, 9, 1)
    told = first_cells(
        "张安宁", 19900000001, 4500.5, day, dt.datetime.combine(day, dt.time()), True, 40422, 1
    )
    assert told == ("张安宁", "19900000001", "4500.5", "2010-09-01", "2010-09-01", "1", "40422", "1")


def test_a_number_that_lost_places_is_shown_as_excel_shows_it() -> None:
    assert first_cells("x", 370402201001010017)[1] == "3.70402E+17"
    assert number_text("3.70402201001E17") == "3.70402E+17"
    assert number_text("370402201001010") == "370402201001010"


@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "x"])
def test_numbers_that_are_none_are_left_as_they_stand(text: str) -> None:
    assert number_text(text) == text


def test_formulas_are_never_read_for_their_result() -> None:
    content = changed(
        xlsx_file([["=A1", "x"]]), SHEET, lambda xml: xml.replace(b"<v></v>", b"<v>370402201001010017</v>")
    )
    (cell, text) = read(content)[1].cells
    assert isinstance(cell, Unreadable)
    assert (cell.code, text) == ("formula", "x")


def test_error_values_are_told() -> None:
    (cell,) = first_cells("#N/A")
    assert isinstance(cell, Unreadable)
    assert cell.code == "error_value"


def test_rows_keep_their_numbers_and_empty_ones_are_passed_over() -> None:
    assert [line.number for line in read(xlsx_file([["a"], [], [None, None], ["b"]]))] == [1, 2, 5]


def test_only_the_first_visible_sheet_is_read() -> None:
    workbook = Workbook()
    hidden = workbook.active
    assert hidden is not None
    hidden.append(["hidden"])
    hidden.sheet_state = "hidden"
    workbook.create_sheet("名册").append(["张安宁"])
    workbook.create_sheet("说明").append(["later"])
    target = io.BytesIO()
    workbook.save(target)
    assert [line.cells for line in read(target.getvalue())] == [("张安宁",)]


def test_what_openpyxl_reads_is_what_we_read() -> None:
    rng = random.Random(20260310)
    pool = [
        None,
        "张安宁",
        " 两端空格 ",
        "多\n行",
        "370402201001010017",
        7,
        12.25,
        "<&>",
        dt.date(2010, 2, 28),
    ]
    rows = [[rng.choice(pool) for _ in range(rng.randrange(9))] for _ in range(300)]
    content = xlsx_file(rows)
    sheet = load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    expected = {
        number: tuple(_shown(value) for value in row)
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1)
    }
    for line in read(content):
        wanted = expected.pop(line.number)
        assert line.cells + ("",) * (len(wanted) - len(line.cells)) == wanted
    assert all(not any(row) for row in expected.values())


def _shown(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return "" if value is None else str(value).strip()


def test_a_cell_far_out_costs_nothing() -> None:
    content = changed(
        xlsx_file([["张安宁"]]),
        SHEET,
        lambda xml: xml.replace(
            b"</sheetData>", b'<row r="99999"><c r="XFD99999" t="str"><v>x</v></c></row></sheetData>'
        ),
    )
    found = read(content)
    assert [line.number for line in found] == [1, 2]
    assert max(len(line.cells) for line in found) <= MOST_COLUMNS


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = changed(xlsx_file([["张安宁"]]), SHEET, lambda _: b" " * 50_000_000)
    assert len(bomb) < 100_000
    monkeypatch.setattr(packages, "LARGEST_UNPACKED", 40_000_000)
    with pytest.raises(Refusal, match="解压后过大"):
        read(bomb)


def test_more_members_than_any_workbook_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MOST_MEMBERS", 3)
    with pytest.raises(Refusal, match="解压后过大"):
        read(xlsx_file([["张安宁"]]))


@pytest.mark.parametrize("member", [SHEET, "xl/workbook.xml", "xl/styles.xml"])
def test_document_types_and_their_entities_are_refused(member: str) -> None:
    doctype = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    content = changed(
        xlsx_file([["张安宁"]]), member, lambda xml: doctype + xml.replace(b"<?xml version='1.0'?>", b"")
    )
    with pytest.raises(Refusal, match="损坏"):
        read(content)


def test_damaged_files_are_refused_in_one_sentence() -> None:
    whole = xlsx_file([["张安宁"]] * 50)
    cases = [
        whole[: len(whole) // 2],
        b"PK\x03\x04" + b"\0" * 100,
        changed(whole, SHEET, lambda xml: xml[:-40]),
        changed(whole, SHEET, lambda xml: xml.replace(b'r="5"', b'r="-5"')),
        changed(whole, "xl/workbook.xml", lambda _: b"<workbook/>"),
        changed(whole, "_rels/.rels", lambda _: b"<Relationships/>"),
        as_excel_writes(texts=1),
    ]
    for content in cases:
        with pytest.raises(Refusal, match="损坏"):
            read(content)


def test_a_flipped_bit_anywhere_never_breaks_the_reader() -> None:
    whole = bytearray(xlsx_file([["张安宁", 1, dt.date(2010, 9, 1)]] * 20))
    rng = random.Random(7)
    for _ in range(400):
        place = rng.randrange(len(whole))
        kept = whole[place]
        whole[place] ^= 1 << rng.randrange(8)
        with contextlib.suppress(Refusal):
            read(bytes(whole))
        whole[place] = kept
