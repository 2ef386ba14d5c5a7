"""Read catalogue editions from their data files.

Layout: ``editions/<id>/edition.yaml``, ``items/*.yaml`` (one item a file) and ``forms/*.yaml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from libs.catalogue.schema import Edition, Form, ServiceItem

EDITIONS_FOLDER = Path(__file__).parent / "editions"
SOURCES_FOLDER = Path(__file__).parent / "sources"

Record = TypeVar("Record", bound=BaseModel)


class CatalogueDataError(Exception):
    """A data file does not fit the schema; the message names the file and every fault."""


@dataclass(frozen=True)
class EditionFiles:
    """One edition with all it holds, in the document's order: a list before its guide chapters."""

    edition: Edition
    items: tuple[ServiceItem, ...]
    forms: tuple[Form, ...]


def edition_ids() -> list[str]:
    """Ids of all editions that come with the installation, sorted."""
    return sorted(path.parent.name for path in EDITIONS_FOLDER.glob("*/edition.yaml"))


@cache
def load_edition(edition_id: str) -> EditionFiles:
    """Load and validate one edition. Raises CatalogueDataError naming file and fault."""
    folder = EDITIONS_FOLDER / edition_id
    items = [_read(path, ServiceItem) for path in sorted((folder / "items").glob("*.yaml"))]
    return EditionFiles(
        edition=_read(folder / "edition.yaml", Edition),
        items=tuple(sorted(items, key=lambda item: item.part == "guide")),
        forms=tuple(_read(path, Form) for path in sorted((folder / "forms").glob("*.yaml"))),
    )


def source_lines(edition_id: str) -> list[str]:
    """Lines of the edition's document; line n of the document is element n - 1."""
    source = load_edition(edition_id).edition.source
    return (SOURCES_FOLDER / source).read_text(encoding="utf-8").split("\n")


def _read(path: Path, record_type: type[Record]) -> Record:
    try:
        return record_type.model_validate(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
    except (ValidationError, yaml.YAMLError) as error:
        raise CatalogueDataError(
            f"{path.parent.parent.name}/{path.parent.name}/{path.name}: {error}"
        ) from error
