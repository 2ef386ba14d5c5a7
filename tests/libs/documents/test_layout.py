"""A sheet as PDF: what is on it is on the page, whole, in an embedded font."""

from __future__ import annotations

import datetime as dt
import re
from io import BytesIO

import pypdfium2
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from libs.documents.layout import lay_out
from libs.documents.typefaces import MissingCharacters
from tests.libs.documents.pages import AGENCY, AT, fonts, sheet, words

LONG_NAME = "阿卜杜热西提·买买提吐尔逊·伊敏江" * 4
RARE_NAME = "𠮷𬭊㛃"


def test_everything_on_the_sheet_is_read_from_the_page_in_its_order() -> None:
    told = sheet()
    assert words(lay_out(told, AT).pdf) == "".join(told.texts())


@pytest.mark.parametrize("name", [LONG_NAME, RARE_NAME, "John-Paul Alexander van der Westhuizen-Smith & <b>"])
def test_a_name_is_whole_however_long_or_rare(name: str) -> None:
    assert re.sub(r"\s", "", name) in words(lay_out(sheet(name), AT).pdf)


@pytest.mark.parametrize("text", [LONG_NAME, "W" * 100, "9" * 60, "一" * 100])
def test_no_character_leaves_its_cell(text: str) -> None:
    page = pypdfium2.PdfDocument(lay_out(sheet(name="王", address=text), AT).pdf)[0]
    read = page.get_textpage()
    start = read.get_text_range().index(text[0] * 3 if text[0] == text[1] else text[:3])
    left, right = 56.69 + 481.89 * 90 / 130, 56.69 + 481.89
    boxes = [read.get_charbox(index) for index in range(start, start + len(text))]
    assert all(left <= box[0] and box[2] <= right for box in boxes)


def test_fonts_are_embedded_and_subset() -> None:
    found = fonts(lay_out(sheet(), AT).pdf)
    assert found
    for font in found:
        assert re.fullmatch(r"/[A-Z]{6}\+NotoSansSC-(Regular|Bold)", font["/BaseFont"])
        assert "/FontFile2" in font["/FontDescriptor"]
        assert "/ToUnicode" in font


def test_the_same_sheet_and_moment_give_the_same_bytes() -> None:
    assert lay_out(sheet(), AT) == lay_out(sheet(), AT)
    assert lay_out(sheet(), AT).pdf != lay_out(sheet(), AT + dt.timedelta(seconds=1)).pdf


def test_title_author_language_and_date_are_told() -> None:
    document = PdfFileReader(BytesIO(lay_out(sheet(), AT).pdf))
    info = document.trailer["/Info"]
    assert (info["/Title"], info["/Author"]) == ("参保凭证", AGENCY)
    assert info["/CreationDate"] == "D:20260310093000+08'00'"
    assert document.root["/Lang"] == "zh-CN"


def test_a_long_grid_goes_on_over_pages_that_are_counted_and_headed() -> None:
    laid_out = lay_out(sheet(rows=80), AT)
    read = words(laid_out.pdf)
    assert laid_out.pages == 4
    assert all(f"第{page}页，共4页" in read for page in (1, 2, 3, 4))
    assert read.count("基本信息") == 4


def test_one_page_is_not_counted() -> None:
    assert "共1页" not in words(lay_out(sheet(), AT).pdf)


def test_the_seal_goes_over_the_agency() -> None:
    laid_out = lay_out(sheet(), AT)
    place = laid_out.seal_place
    assert place is not None
    read = pypdfium2.PdfDocument(laid_out.pdf)[place.page].get_textpage()
    last = read.get_charbox(read.get_text_range().index(AGENCY) + len(AGENCY) - 1)
    assert abs(place.y - (last[1] + last[3]) / 2) < 8
    assert abs(place.x - last[2]) < 60


def test_a_character_without_glyph_is_refused() -> None:
    with pytest.raises(MissingCharacters) as raised:
        lay_out(sheet("张\U0002a6d0"), AT)
    assert raised.value.characters == ("\U0002a6d0",)
