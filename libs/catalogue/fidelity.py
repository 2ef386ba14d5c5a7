"""Hold every quoted fact of an edition to the lines of its document.

``python -m libs.catalogue.fidelity EDITION…`` prints what does not stand where it says.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from libs.catalogue.editions import edition_ids, load_edition, source_lines
from libs.catalogue.schema import Edition, FormField, Quote

# Layout the scan and its conversion left behind: white space, markdown and HTML marks, dot leaders.
_LAYOUT = re.compile(
    r"\s+|</?b>|\[bookmark:[^\]]*\]|\[image:[^\]]*\]|[#*]{2,}|[|·•…￾\u200b\ufeff]|^[-#] ", re.MULTILINE
)


@dataclass(frozen=True)
class Fact:
    """A quotation inside a record: where in the record, the words, the lines, and the entry itself."""

    path: str
    text: str
    at: str
    entry: BaseModel


def normalise(text: str) -> str:
    """Text without layout, full-width and half-width forms made one, dashes unified."""
    folded = unicodedata.normalize("NFKC", _LAYOUT.sub("", text))
    return re.sub(r"[-—–―─]+", "-", re.sub(r"\s+", "", folded)).translate(
        str.maketrans("。：；、（），〔〕[]〈〉《》“”‘’", ".:;,(),()()<><>\"\"''")
    )


def line_numbers(at: str) -> list[int]:
    """``L3-5,L9`` -> [3, 4, 5, 9]."""
    numbers: list[int] = []
    for part in at.split(","):
        first, _, last = part.replace("L", "").partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def faults(edition_id: str) -> Iterator[str]:
    """Yield a sentence for each fact whose words are not in the lines it names."""
    files = load_edition(edition_id)
    lines = source_lines(edition_id)
    owners = [("edition", files.edition), *((f"item {i.key}", i) for i in files.items)]
    owners += [(f"form {form.key}", form) for form in files.forms]
    for owner, record in owners:
        for fact in facts(record):
            numbers = line_numbers(fact.at)
            if numbers[-1] > len(lines):
                yield f"{owner} {fact.path}: {fact.at} lies beyond the document's {len(lines)} lines"
            elif normalise(fact.text) not in _repaired(files.edition, numbers, lines):
                yield f"{owner} {fact.path}: not in {fact.at}: {fact.text!r}"


def _repaired(edition: Edition, numbers: list[int], lines: list[str]) -> str:
    quoted = normalise("\n".join(lines[number - 1] for number in numbers))
    for repair in edition.repairs:
        if set(line_numbers(repair.at)) & set(numbers):
            quoted = quoted.replace(normalise(repair.original), normalise(repair.repaired))
    return quoted


def facts(record: BaseModel, path: str = "") -> Iterator[Fact]:
    """Every quoted fact of an edition, item or form, depth first in the schema's order."""
    for name in type(record).model_fields:
        value = getattr(record, name)
        for place, child in enumerate(value if isinstance(value, list) else [value]):
            here = f"{path}{name}[{place}]" if isinstance(value, list) else f"{path}{name}"
            if isinstance(child, dict):
                for key, reading in child.items():
                    if isinstance(reading, Quote):
                        yield Fact(f"{here}.{key}", reading.text, reading.at, reading)
            elif isinstance(child, Quote):
                yield Fact(here, child.text, child.at, child)
            elif isinstance(child, FormField):
                yield Fact(here, child.label, child.at, child)
            elif isinstance(child, BaseModel):
                yield from facts(child, f"{here}.")


def main(arguments: list[str]) -> int:
    """Print all faults of the named editions (all when none is named); 1 if there are any."""
    count = 0
    for edition_id in arguments or edition_ids():
        files = load_edition(edition_id)
        print(f"{edition_id}: {len(files.items)} items, {len(files.forms)} forms")
        for fault in faults(edition_id):
            count += 1
            print("  " + fault)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
