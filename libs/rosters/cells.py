"""A line of a roster as its file says it: texts, and cells that cannot be taken as text."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_CELL = 500
"""Characters; no column of any layout needs a fifth of it."""

# Control characters, halves of surrogate pairs and what a decoder puts where bytes made no sense.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")
_FORMULA_START = ("=", "@")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that says nothing we may use: ``shown`` goes to the error file, ``why`` is told (Chinese)."""

    shown: str
    why: str
    code: str = "unreadable_cell"


Cell = str | Unreadable


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty; ``number`` is the row as the spreadsheet or editor counts it, from 1."""

    number: int
    cells: tuple[Cell, ...]


def cell_of(text: str) -> Cell:
    """The text of a cell, surrounding white space removed; told apart where it cannot be taken."""
    text = text.strip()
    if not text:
        return text
    if len(text) > LONGEST_CELL:
        why = f"单元格内容超过{LONGEST_CELL}个字符，请核对是否缺少引号或分隔符。"
        return Unreadable(text[:30] + "…", why, "cell_too_long")
    if _UNREADABLE.search(text):
        shown = _UNREADABLE.sub("�", text)
        return Unreadable(shown, "含有无法识别的字符，请重新录入后另存。", "unreadable_cell")
    # How our own error files, and Excel, keep a text from being taken for a formula.
    plain = text[1:].lstrip() if text[0] == "'" else text
    return formula(text) if plain.startswith(_FORMULA_START) else plain


def formula(shown: str) -> Unreadable:
    """A cell that is computed: never evaluated, and its last result is nobody's statement."""
    return Unreadable(shown, "内容为公式，请改为填写数值或文字（复制后“选择性粘贴—数值”）。", "formula")


def shown(cell: Cell) -> str:
    """What the error file repeats."""
    return cell.shown if isinstance(cell, Unreadable) else cell


def is_empty(cells: tuple[Cell, ...]) -> bool:
    """Whether a line has nothing in it."""
    return not any(cells)
