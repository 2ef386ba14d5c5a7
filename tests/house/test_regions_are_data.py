"""A region's rule is data: no code names a region, neither by its code nor by its name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.regions import names
from tests.support.sources import python_files, tree_of

# Files that may name regions, and why.
MAY_NAME_REGIONS: dict[str, str] = {
    "libs/identifiers/made_up.py": "made-up people are born somewhere",
}
MAY_NAME_REGIONS_FOLDERS = {"demo": "the demonstration tells of places", "bench": "made-up load has places"}

SHORT_NAMES = ("山东", "湖北", "烟台", "枣庄", "武汉", "济南", "青岛")


def names_a_region(text: str) -> bool:
    """Whether the whole text is a region's code, or its name in full or in short."""
    return names.find(text) is not None or text in SHORT_NAMES or text in region_names()


def region_names() -> frozenset[str]:
    """Names of the provinces and cities in force."""
    if not _NAMES:
        codes = (f"{number:04d}00" for number in range(1100, 8300))
        _NAMES.update(region.name for code in codes if (region := names.find(code)))
    return frozenset(_NAMES)


_NAMES: set[str] = set()


def regions_named_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of every constant that is a region; docstrings are no code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and names_a_region(node.value):
            yield node.lineno, node.value


def exempt(path: Path) -> bool:
    return str(path) in MAY_NAME_REGIONS or bool(set(path.parts) & set(MAY_NAME_REGIONS_FOLDERS))


def test_no_code_names_a_region() -> None:
    found = {
        f"{path}:{line}": text
        for path in python_files("libs", "services")
        if not exempt(path)
        for line, text in regions_named_in(tree_of(path))
    }
    assert not found, f"put the rule into the data: {found}"


@pytest.mark.parametrize(
    "code",
    [
        'if region_code == "370400": pass',
        'LIMITS = {"420100": 15}',
        'limit = 9 if name in ("枣庄市", "烟台市") else 15',
        'match region:\n    case "湖北省":\n        pass',
    ],
)
def test_a_region_in_code_would_be_found(code: str) -> None:
    assert list(regions_named_in(ast.parse(code)))


def test_what_is_no_region_is_left_alone() -> None:
    assert not list(regions_named_in(ast.parse('x = "123456"\ny = "受理"\nz = "%Y%m%d"')))
