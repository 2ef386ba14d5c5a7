"""The layouts of rosters: data beside this module, one file a kind."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

_IN_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_NO_PART_OF_A_NAME = re.compile(r"[\s*＊:：]")


class RosterKind(StrEnum):
    """Kinds of rosters; each has a layout of its name."""

    STUDENT = "student"
    EMPLOYEE = "employee"


class ValueKind(StrEnum):
    """How a column's texts are read (entries.py)."""

    NAME = "name"
    CREDENTIAL_TYPE = "credential_type"
    CREDENTIAL_NO = "credential_no"
    SEX = "sex"
    DATE = "date"
    TELEPHONE = "telephone"
    MONEY = "money"
    CHOICE = "choice"
    TEXT = "text"


@dataclass(frozen=True)
class Column:
    """A column: ``heading`` as printed, ``synonyms`` taken as well; ``choices`` text -> value."""

    key: str
    heading: str
    value: ValueKind
    required: bool = False
    synonyms: Sequence[str] = ()
    choices: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Layout:
    """All columns of a kind of roster, in the order of the printed form."""

    kind: RosterKind
    name: str
    columns: tuple[Column, ...]

    def column(self, key: str) -> Column:
        """Raises KeyError for a key this layout does not have."""
        return self._by_key[key]

    def column_headed(self, heading: str) -> Column | None:
        """The column meant by a heading, whatever its spaces, stars and brackets."""
        return self._by_heading.get(plain(heading))

    @property
    def _by_key(self) -> dict[str, Column]:
        return _keys(self.kind)

    @property
    def _by_heading(self) -> dict[str, Column]:
        return _headings(self.kind)


@cache
def layout_of(kind: RosterKind) -> Layout:
    """The layout that comes with the installation."""
    data = yaml.safe_load((Path(__file__).parent / f"{kind}.yaml").read_text(encoding="utf-8"))
    choices = data.get("choices", {})
    columns = tuple(
        Column(
            key=entry["key"],
            heading=entry["heading"],
            value=ValueKind(entry["value"]),
            required=entry.get("required", False),
            synonyms=tuple(entry.get("synonyms", ())),
            choices=choices.get(entry["key"]),
        )
        for entry in data["columns"]
    )
    return Layout(RosterKind(data["kind"]), data["name"], columns)


def plain(heading: str) -> str:
    """A heading without what people decorate it with: ``＊ 证件 号码（必填）：`` -> ``证件号码``."""
    return _NO_PART_OF_A_NAME.sub("", _IN_BRACKETS.sub("", heading))


@cache
def _keys(kind: RosterKind) -> dict[str, Column]:
    return {column.key: column for column in layout_of(kind).columns}


@cache
def _headings(kind: RosterKind) -> dict[str, Column]:
    return {
        plain(heading): column
        for column in layout_of(kind).columns
        for heading in (column.heading, *column.synonyms)
    }
