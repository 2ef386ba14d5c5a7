"""The data beside the document: what a reviewer reads to compare one with the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from libs.catalogue.editions import EditionFiles, load_edition, source_lines
from libs.catalogue.fidelity import facts, line_numbers


@dataclass(frozen=True)
class ReviewedFact:
    """One fact: its place in the data file, the words, what they were coded as, and the lines."""

    path: str
    text: str
    coded: str
    at: str
    lines: list[tuple[int, str]]


def facts_beside_lines(edition_id: str, name: str) -> Iterator[ReviewedFact]:
    """Every fact of the items and forms called ``name`` (key, national code or number)."""
    lines = source_lines(edition_id)
    for record in _called(load_edition(edition_id), name):
        for fact in facts(record):
            quoted = [(number, lines[number - 1]) for number in line_numbers(fact.at)]
            shown = [(number, line.strip()) for number, line in quoted if line.strip()]
            yield ReviewedFact(fact.path, fact.text, _coded(fact.entry), fact.at, shown)


def _called(files: EditionFiles, name: str) -> list[BaseModel]:
    items: list[BaseModel] = [i for i in files.items if name in (i.key, i.national_code, i.number)]
    return items + [form for form in files.forms if name in (form.key, form.number)]


def _coded(entry: BaseModel) -> str:
    values = entry.model_dump(exclude={"text", "at", "label"}, exclude_defaults=True, mode="json")
    return "\n".join(f"{key}: {value}" for key, value in values.items())
