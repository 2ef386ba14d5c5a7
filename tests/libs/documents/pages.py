"""What a reader of ours sees in a PDF: its words, its fonts, its pixels."""

from __future__ import annotations

import datetime as dt
import re
from io import BytesIO
from typing import Any

import pypdfium2
from pyhanko.pdf_utils.reader import PdfFileReader

from libs.casework.clock import SHANGHAI
from libs.documents.sheets import Cell, Grid, Sheet

AT = dt.datetime(2026, 3, 10, 9, 30, tzinfo=SHANGHAI)
AGENCY = "枣庄市医疗保障经办机构"


def sheet(name: str = "张三", address: str = "薛城区永兴路", rows: int = 1) -> Sheet:
    """A small form with a sealed cell; ``rows`` of it beneath one another."""
    body = [(Cell(f"{row}", "label"), Cell("一行", across=3)) for row in range(1, rows)]
    grid = Grid(
        (20, 40, 30, 40),
        (
            (Cell("基本信息", "heading", across=4),),
            (Cell("姓名", "label"), Cell(name), Cell("地址", "label"), Cell(address)),
            (Cell("机构名称", "label"), Cell(AGENCY, across=3, sealed=True)),
            *body,
        ),
        repeated=1,
    )
    return Sheet(
        "参保凭证", AGENCY, "测试", "凭证号：1", "日期：今天", (grid,), ("注意事项：", "1.请妥善保存。")
    )


def words(pdf: bytes) -> str:
    """All text of all pages, without spaces and line breaks."""
    document = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    return re.sub(r"\s", "", text)


def fonts(pdf: bytes) -> list[dict[str, Any]]:
    """Font dictionaries of the first page."""
    page = PdfFileReader(BytesIO(pdf)).root["/Pages"]["/Kids"][0].get_object()
    found = page["/Resources"]["/Font"]
    return [found[name] for name in found]


def red_share(pdf: bytes) -> float:
    """How much of the first page is of the seal's red, as it is shown."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    picture = document[0].render(scale=1, may_draw_forms=True).to_pil().convert("RGB").tobytes()
    pixels = list(zip(picture[::3], picture[1::3], picture[2::3], strict=True))
    return sum(red > 180 and green < 130 and blue < 130 for red, green, blue in pixels) / len(pixels)
