"""What stands on a paper and where, before it is drawn: title, two lines above, grids of cells, notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

CellKind = Literal["label", "value", "heading", "amount"]


@dataclass(frozen=True)
class Cell:
    """A cell of a grid. ``across`` and ``down``: how many columns and rows it takes.

    ``sealed``: the agency's seal goes over this cell. Text may hold line breaks; it is wrapped, never cut.
    """

    text: str
    kind: CellKind = "value"
    across: int = 1
    down: int = 1
    sealed: bool = False


@dataclass(frozen=True)
class Grid:
    """Rows of cells between lines. A cell that reaches down is left out of the rows below it.

    ``columns``: their widths, in any unit; ``repeated``: rows that begin every page the grid goes on to;
    ``padding``: points above and below the text of every cell.
    """

    columns: tuple[float, ...]
    rows: tuple[tuple[Cell, ...], ...]
    repeated: int = 0
    padding: float = 6.0


@dataclass(frozen=True)
class Sheet:
    """A paper. ``author`` is the agency; the language is Chinese (zh-CN)."""

    title: str
    author: str
    subject: str
    left: str = ""
    right: str = ""
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()

    def texts(self) -> Iterator[str]:
        """Everything to be read on it, from top to bottom."""
        yield from (text for text in (self.title, self.left, self.right) if text)
        for grid in self.grids:
            for row in grid.rows:
                yield from (cell.text for cell in row if cell.text)
        yield from self.notes
