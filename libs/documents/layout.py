"""A sheet laid out as PDF (A4) with its typeface embedded, by reportlab.

Reportlab keeps fonts in a register of the process, so one paper is laid out at a time; it takes some
ten milliseconds of a processor all the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.enums import TA_CENTER, TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from libs.casework.clock import SHANGHAI
from libs.documents.sheets import Cell, Grid, Sheet
from libs.documents.typefaces import BOLD, REGULAR, typeface

_REGULAR, _BOLD = "NotoSansSC-Regular", "NotoSansSC-Bold"
_MARGIN = 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_ONE_AT_A_TIME = Lock()
_ALL = ((0, 0), (-1, -1))
# Of cells without text too: reportlab would name Helvetica for them.
_OUR_FONT = ("FONTNAME", *_ALL, _REGULAR)
_FOOTER = "第页共/，0123456789"


@dataclass(frozen=True)
class SealPlace:
    """Where a seal's centre goes: page from 0, points from the lower left corner."""

    page: int
    x: float
    y: float


@dataclass(frozen=True)
class LaidOut:
    """The PDF without its seal, how many pages, and where the seal goes (None: nowhere)."""

    pdf: bytes
    pages: int
    seal_place: SealPlace | None


def lay_out(sheet: Sheet, at: dt.datetime, extra_fonts: tuple[Path, ...] = ()) -> LaidOut:
    """Lay a sheet out; the same sheet and moment give the same bytes. Raises MissingCharacters."""
    text = "".join(sheet.texts()).replace("\n", "")
    fonts = [
        _EmbeddedFont(_REGULAR, BytesIO(typeface(REGULAR, extra_fonts).subset(text + _FOOTER, _REGULAR))),
        _EmbeddedFont(_BOLD, BytesIO(typeface(BOLD, extra_fonts).subset(text, _BOLD))),
    ]
    with _ONE_AT_A_TIME:
        for font in fonts:
            pdfmetrics.registerFont(font)
        try:
            laid_out = _build(sheet, at, pages=1)
            return laid_out if laid_out.pages == 1 else _build(sheet, at, pages=laid_out.pages)
        finally:
            for font in fonts:
                font.unregister()


class _EmbeddedFont(TTFont):  # type: ignore[misc]
    """A font whose map for readers holds every character.

    Reportlab writes one beyond U+FFFF as five digits, which no reader understands: a rare name would be
    seen, and neither found nor copied. The map is written anew, in UTF-16.
    """

    def __init__(self, name: str, file: BytesIO) -> None:
        super().__init__(name, file, asciiReadable=False, shapable=False)

    def addObjects(self, doc: Any) -> None:
        subsets = [list(subset) for subset in self.state[doc].subsets]
        super().addObjects(doc)
        streams = [
            stream
            for key, stream in doc.idToObject.items()
            if key.startswith("toUnicodeCMap:") and key.endswith(f"+{self.face.name.decode()}")
        ]
        for stream, subset in zip(streams, subsets, strict=True):
            stream.content = _to_unicode(subset)


def _to_unicode(subset: Sequence[int]) -> str:
    """A map of codes to characters (ISO 32000-1, 9.10.3), 100 to a section as the format allows."""
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CMapName /PaperToUnicode def /CMapType 2 def",
        "1 begincodespacerange <00> <FF> endcodespacerange",
    ]
    for start in range(0, len(subset), 100):
        section = list(enumerate(subset))[start : start + 100]
        lines.append(f"{len(section)} beginbfchar")
        lines += [f"<{code:02X}> <{chr(value).encode('utf-16-be').hex().upper()}>" for code, value in section]
        lines.append("endbfchar")
    return "\n".join([*lines, "endcmap CMapName currentdict /CMap defineresource pop end end"])


@dataclass
class _Seen:
    """What is only known once it is drawn."""

    pages: int = 0
    seal_place: SealPlace | None = None


def _build(sheet: Sheet, at: dt.datetime, pages: int) -> LaidOut:
    file, seen = BytesIO(), _Seen()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=22 * mm,
        bottomMargin=22 * mm,
        title=sheet.title,
        author=sheet.author,
        subject=sheet.subject,
        creator="yibao",
        producer="yibao",
        lang="zh-CN",
        invariant=1,
        initialFontName=_REGULAR,  # otherwise a canvas begins with Helvetica, which no paper embeds
    )
    moment = at.astimezone(SHANGHAI)

    def page(canvas: Any, _: Any) -> None:
        seen.pages = canvas.getPageNumber()
        canvas.setDateFormatter(lambda *_: f"D:{moment:%Y%m%d%H%M%S}+08'00'")
        if pages > 1:
            canvas.setFont(_REGULAR, 9)
            canvas.drawCentredString(A4[0] / 2, 12 * mm, f"第{seen.pages}页，共{pages}页")

    document.build(_story(sheet, seen), onFirstPage=page, onLaterPages=page)
    return LaidOut(file.getvalue(), seen.pages, seen.seal_place)


def _story(sheet: Sheet, seen: _Seen) -> list[Flowable]:
    story: list[Flowable] = [_paragraph(sheet.title, _TITLE), Spacer(0, 5 * mm)]
    if sheet.left or sheet.right:
        line = [[_paragraph(sheet.left, _LINE), _paragraph(sheet.right, _LINE_RIGHT)]]
        flat = TableStyle([_OUR_FONT, ("LEFTPADDING", *_ALL, 0), ("RIGHTPADDING", *_ALL, 0)])
        story += [Table(line, colWidths=[_WIDTH * 0.64, _WIDTH * 0.36], style=flat), Spacer(0, 1 * mm)]
    for number, grid in enumerate(sheet.grids):
        story += [Spacer(0, 4 * mm)] if number else []
        story.append(_table(grid, seen))
    story.append(Spacer(0, 4 * mm))
    story += [_paragraph(note, _NOTE) for note in sheet.notes]
    return story


def _table(grid: Grid, seen: _Seen) -> Table:
    unit = _WIDTH / sum(grid.columns)
    cells, spans, sealed = _placed(grid)
    style = [
        _OUR_FONT,
        ("BOX", *_ALL, 1.0, "black"),
        ("INNERGRID", *_ALL, 0.5, "black"),
        ("VALIGN", *_ALL, "MIDDLE"),
        ("TOPPADDING", *_ALL, grid.padding),
        ("BOTTOMPADDING", *_ALL, grid.padding),
        ("LEFTPADDING", *_ALL, 4),
        ("RIGHTPADDING", *_ALL, 4),
        *(("SPAN", *span) for span in spans),
    ]
    content: list[list[Any]] = []
    for y, row in enumerate(cells):
        content.append([_content(cell, seen) for cell in row])
        if y in sealed:
            # The seal is wider than a line: room enough that it lies over the name and little else.
            style += [("TOPPADDING", (0, y), (-1, y), 32), ("BOTTOMPADDING", (0, y), (-1, y), 32)]
    widths = [width * unit for width in grid.columns]
    return Table(content, colWidths=widths, repeatRows=grid.repeated, style=TableStyle(style))


def _placed(grid: Grid) -> tuple[list[list[Cell | None]], list[Any], set[int]]:
    """Cells by row and column (None: taken by another), the spans, and the rows that are sealed."""
    width, height = len(grid.columns), len(grid.rows)
    cells: list[list[Cell | None]] = [[None] * width for _ in range(height)]
    taken: set[tuple[int, int]] = set()
    spans, sealed = [], set()
    for y, row in enumerate(grid.rows):
        free = iter([x for x in range(width) if (x, y) not in taken])
        for cell in row:
            x = next(free)
            last = x + cell.across - 1, y + cell.down - 1
            taken |= {(i, j) for i in range(x, last[0] + 1) for j in range(y, last[1] + 1)}
            for _ in range(cell.across - 1):
                next(free)
            cells[y][x] = cell
            if last != (x, y):
                spans.append(((x, y), last))
            if cell.sealed:
                sealed.add(y)
    return cells, spans, sealed


def _content(cell: Cell | None, seen: _Seen) -> Any:
    if cell is None:
        return ""
    text = _paragraph(cell.text, _STYLES[cell.kind])
    return [text, _SealMark(seen)] if cell.sealed else text


class _SealMark(Flowable):  # type: ignore[misc]
    """Takes no room; says where the seal goes: towards the right of its cell, at the height of the text."""

    def __init__(self, seen: _Seen) -> None:
        super().__init__()
        self._seen = seen
        self._room = 0.0

    def wrap(self, width: float, _: float) -> tuple[float, float]:
        self._room = width
        return 0, 0

    def draw(self) -> None:
        x, y = self.canv.absolutePosition(0, 0)
        self._seen.seal_place = SealPlace(self.canv.getPageNumber() - 1, x + 0.42 * self._room, y + 8)


def _style(name: str, size: float, *, font: str = _REGULAR, align: int = TA_LEFT) -> ParagraphStyle:
    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=size * 1.4, alignment=align, wordWrap="CJK"
    )


# Sizes in points, as forms are set: 二号 for the title, about 小四 and 五号 for the rest.
_TITLE = _style("title", 20, font=_BOLD, align=TA_CENTER)
_LINE = _style("line", 10.5)
_LINE_RIGHT = _style("line-right", 10.5, align=TA_RIGHT)
_NOTE = _style("note", 10)
_STYLES = {
    "label": _style("label", 10.5, align=TA_CENTER),
    "value": _style("value", 10.5),
    "heading": _style("heading", 11.5, font=_BOLD, align=TA_CENTER),
    "amount": _style("amount", 10.5, align=TA_RIGHT),
}


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(text).replace("\n", "<br/>"), style)


__all__ = ["LaidOut", "SealPlace", "lay_out"]
