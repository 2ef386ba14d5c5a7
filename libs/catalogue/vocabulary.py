"""The words the editions share: every key that may stand in a data file, and what it means.

A key means the same in every edition; tests hold the data files to this table and the table
to the data files, so that a service may rely on a key and an editor finds the one to use.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from libs.catalogue.schema import Strict, When

_FILE = Path(__file__).parent / "vocabulary.yaml"

Unit = Literal["month", "year", "natural_day", "working_day", "percent"]


class OperationEntry(Strict):
    """What a service does. ``parts``: the operations that together do the same."""

    name: str
    parts: tuple[str, ...] = ()


class ParameterEntry(Strict):
    """A value a service reads: what it says, its type, and the unit or the choices it comes from.

    ``choice`` is one of ``choices``, ``choices`` a list of them; ``regions`` a list of GB/T 2260 codes.
    """

    meaning: str
    type: Literal["flag", "number", "choice", "choices", "date", "form", "regions", "names"]
    unit: Unit | None = None
    choices: tuple[str, ...] = ()


class Vocabulary(Strict):
    """All keys of the data files with their Chinese names, sorted by what they are keys of."""

    operations: dict[str, OperationEntry]
    materials: dict[str, str]
    alternatives: dict[str, str]
    required_fields: dict[str, str]
    parameters: dict[str, ParameterEntry]
    stages: dict[str, str]
    when: dict[str, dict[str, str]]
    names: dict[str, dict[str, str]]

    def closure(self, operations: Iterable[str]) -> set[str]:
        """``operations`` with every whole whose parts are all among them, and every part of a whole."""
        done = set(operations)
        for whole, entry in self.operations.items():
            if entry.parts and done.issuperset(entry.parts):
                done.add(whole)
            elif whole in done:
                done.update(entry.parts)
        return done

    def kin(self, operation: str) -> tuple[str, ...]:
        """``operation``, its parts, and the wholes it is a part of."""
        wholes = [whole for whole, entry in self.operations.items() if operation in entry.parts]
        return (operation, *self.operations[operation].parts, *wholes)

    def condition_in_chinese(self, when: When) -> str:
        """``省内；现场办理``: all that must hold, alternatives joined by 或; empty for always."""
        return "；".join(
            "或".join(self.when[dimension][value] for value in values) for dimension, values in when if values
        )


@cache
def vocabulary() -> Vocabulary:
    """The table that comes with the editions."""
    return Vocabulary.model_validate(yaml.load(_FILE.read_text(encoding="utf-8"), yaml.CSafeLoader))
