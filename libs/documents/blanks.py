"""Blank forms as data: labels, cells and notes in a YAML file, values filled in by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml

from libs.documents.sheets import Cell, CellKind, Grid, Sheet

_KINDS: tuple[CellKind, ...] = get_args(CellKind)


@dataclass(frozen=True)
class Blank:
    """A form before it is filled in; every text may hold ``{key}`` for a value."""

    title: str
    left: str
    right: str
    grid: Grid
    notes: tuple[str, ...]

    @classmethod
    def from_file(cls, path: Path) -> Blank:
        """Read a blank (shape: any ``*.yaml`` beside those who use it). Raises KeyError, ValueError."""
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        rows = tuple(tuple(_cell(entry) for entry in row) for row in data["rows"])
        grid = Grid(tuple(data["columns"]), rows, padding=data["padding"])
        return cls(data["title"], data["left"], data["right"], grid, tuple(data["notes"]))

    def filled(self, values: Mapping[str, str], *, author: str, subject: str) -> Sheet:
        """The form with its values. Raises KeyError where one is missing."""
        rows = tuple(tuple(_filled(cell, values) for cell in row) for row in self.grid.rows)
        return Sheet(
            title=self.title,
            author=author,
            subject=subject,
            left=self.left.format_map(values),
            right=self.right.format_map(values),
            grids=(Grid(self.grid.columns, rows, padding=self.grid.padding),),
            notes=self.notes,
        )


def _cell(entry: dict[str, Any]) -> Cell:
    options = dict(entry)
    kinds = [kind for kind in _KINDS if kind in options]
    if len(kinds) != 1:
        raise ValueError(f"a cell is one of {', '.join(_KINDS)}: {entry}")
    return Cell(options.pop(kinds[0]), kinds[0], **options)


def _filled(cell: Cell, values: Mapping[str, str]) -> Cell:
    return Cell(cell.text.format_map(values), cell.kind, cell.across, cell.down, cell.sealed)
