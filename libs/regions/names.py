"""Regions by their GB/T 2260 code: names and who belongs to whom.

The table comes with python-stdnum (it also holds abolished codes, marked by years).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from stdnum import numdb

_REGIONS = numdb.get("cn/loc")
_CODE = re.compile(r"\d{6}", re.ASCII)


@dataclass(frozen=True)
class Region:
    """A province, city or county in force today."""

    code: str
    name: str
    level: str  # province | city | county

    @property
    def parent_code(self) -> str | None:
        """Code of the city or province it belongs to."""
        match self.level:
            case "province":
                return None
            case "city":
                return self.code[:2] + "0000"
            case _:
                return self.code[:4] + "00"

    @property
    def full_name(self) -> str:
        """``山东省枣庄市``; ``北京市东城区`` and ``湖北省仙桃市`` without the table's headings between."""
        parent = find(self.parent_code) if self.parent_code else None
        above = parent.full_name if parent else ""
        return above if _HEADING.search(self.name) else above + self.name


# Rows of the table that head a group of counties and are no places themselves.
_HEADING = re.compile("^(市辖区|县)$|直辖县级行政")
_SPELL = re.compile(r"(?:\[(\d*)-(\d*)\])?([^,\[\]]+)")


@cache
def find(code: str) -> Region | None:
    """The region with this code, or None if no such code is in force."""
    if not _CODE.fullmatch(code):
        return None
    facts = [info for _, info in _REGIONS.info(code) if info]
    if len(facts) < 2:
        return None
    name = _name_in_force(facts[1]["county"])
    return Region(code, name, _level(code)) if name else None


def name_of(code: str) -> str:
    """Name for people; the code itself where it is unknown."""
    region = find(code)
    return region.name if region else code


def _name_in_force(spells: str) -> str | None:
    """``[1983-1990]旧名,[1990-]新名`` -> ``新名``; None where every spell has ended."""
    for match in _SPELL.finditer(spells):
        if not match[2]:
            return match[3]
    return None


def _level(code: str) -> str:
    if code.endswith("0000"):
        return "province"
    return "city" if code.endswith("00") else "county"
