"""Which column of a file is what: found by its headings, everything wrong with them told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from libs.refusals.faults import Fault, invalid
from libs.rosters.cells import Line, shown
from libs.rosters.layouts import Layout

SEARCHED_LINES = 10
"""Titles and addressees stand above the headings of printed forms; further down nobody looks."""


@dataclass(frozen=True)
class Headings:
    """``line`` holds the headings; ``places``: key of a column -> its place in a line, from 0."""

    line: Line
    places: Mapping[str, int]


def find_headings(lines: Iterable[Line], layout: Layout) -> tuple[list[Line], Headings]:
    """The lines above the headings, and the headings. Raises Refusal (invalid) with all faults."""
    first = [line for line in islice(lines, SEARCHED_LINES) if line.number <= SEARCHED_LINES]
    best = max(first, key=lambda line: len(_recognised(line, layout)), default=None)
    found = _recognised(best, layout) if best else []
    if best is None or not found:
        wanted = "、".join(column.heading for column in layout.columns if column.required)
        message = f"前{SEARCHED_LINES}行中没有找到{layout.name}的表头；表头至少应有：{wanted}。"
        raise invalid("roster_headings", message, [Fault("headings_missing", message)])
    faults = [*_missing(found, layout), *_double(found, layout)]
    if faults:
        message = f"表头（第{best.number}行）有{len(faults)}处问题，文件未接收。"
        raise invalid("roster_headings", message, faults)
    return first[: first.index(best)], Headings(best, dict(found))


def _recognised(line: Line, layout: Layout) -> list[tuple[str, int]]:
    """(key, place) of every heading of the line that the layout knows."""
    columns = ((layout.column_headed(shown(cell)), place) for place, cell in enumerate(line.cells))
    return [(column.key, place) for column, place in columns if column is not None]


def _missing(found: Sequence[tuple[str, int]], layout: Layout) -> list[Fault]:
    present = {key for key, _ in found}
    return [
        Fault("heading_missing", f"缺少必需的列“{column.heading}”。", f"/{column.key}")
        for column in layout.columns
        if column.required and column.key not in present
    ]


def _double(found: Sequence[tuple[str, int]], layout: Layout) -> list[Fault]:
    keys = [key for key, _ in found]
    return [
        Fault(
            "heading_double",
            f"“{layout.column(key).heading}”有{keys.count(key)}列"
            f"（第{'、'.join(str(place + 1) for known, place in found if known == key)}列），请只保留一列。",
            f"/{key}",
        )
        for key in dict.fromkeys(keys)
        if keys.count(key) > 1
    ]
