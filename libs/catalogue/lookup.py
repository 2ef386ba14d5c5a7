"""Which catalogue applies in a region on a date, and what it says there.

A city's edition overrides its province's edition in force, operation by operation; a region
without an edition of its own uses its city's, then its province's. A region may be pinned to
an edition by configuration (a city that has not switched yet).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from libs.catalogue.editions import EditionFiles, edition_ids, load_edition
from libs.catalogue.schema import Edition, ServiceItem
from libs.refusals.faults import not_found


@dataclass(frozen=True)
class ItemInForce:
    """A service item and the edition that says so."""

    edition: Edition
    item: ServiceItem


class Catalogues:
    """All editions, asked by region and date. ``pins``: region code -> edition id."""

    def __init__(self, pins: Mapping[str, str] | None = None) -> None:
        self._pins = dict(pins or {})
        self._editions = [load_edition(edition_id) for edition_id in edition_ids()]
        self._items_in_force = lru_cache(maxsize=1024)(self._find_items)

    def editions_in_force(self, region_code: str, on: dt.date) -> list[EditionFiles]:
        """The chain that applies, most local first. Empty where no edition covers the region."""
        chain: list[EditionFiles] = []
        for code in _upwards(region_code):
            pinned = self._pins.get(code)
            if pinned:
                return [*chain, load_edition(pinned)]
            newest = max(
                (
                    files
                    for files in self._editions
                    if code in files.edition.region_codes and files.edition.effective_on <= on
                ),
                key=lambda files: files.edition.effective_on,
                default=None,
            )
            if newest:
                chain.append(newest)
        return chain

    def items(self, region_code: str, on: dt.date) -> tuple[ItemInForce, ...]:
        """All items in force, the most local edition's first. Raises Refusal (not found)."""
        found = self._items_in_force(region_code, on)
        if not found:
            raise not_found("no_catalogue", f"行政区划{region_code}在{on}没有服务事项目录。")
        return found

    def item(self, region_code: str, item_key: str, on: dt.date) -> ItemInForce:
        """The item with this key. Raises Refusal (not found)."""
        for in_force in self.items(region_code, on):
            if in_force.item.key == item_key:
                return in_force
        raise not_found("no_item", f"行政区划{region_code}在{on}没有编码为“{item_key}”的服务事项。")

    def guides(self, region_code: str, item_key: str, on: dt.date) -> list[ServiceItem]:
        """Guide chapters of the list item with this key, in the same edition."""
        in_force = self.item(region_code, item_key, on)
        files = load_edition(in_force.edition.id)
        return [item for item in files.items if item.list_item == item_key]

    def item_for(self, region_code: str, operations: tuple[str, ...], on: dt.date) -> ItemInForce:
        """The first item that does one of ``operations`` (tried in order). Raises Refusal."""
        for operation in operations:
            for in_force in self.items(region_code, on):
                if operation in in_force.item.operations:
                    return in_force
        raise not_found("no_item", f"行政区划{region_code}在{on}不办理此项业务（{'、'.join(operations)}）。")

    def _find_items(self, region_code: str, on: dt.date) -> tuple[ItemInForce, ...]:
        covered: set[str] = set()
        found: list[ItemInForce] = []
        for files in self.editions_in_force(region_code, on):
            own = [item for item in files.items if item.list_item is None]
            found += [
                ItemInForce(files.edition, item) for item in own if not covered.issuperset(item.operations)
            ]
            covered.update(operation for item in own for operation in item.operations)
        return tuple(found)


def parameter(item: ServiceItem, key: str) -> object | None:
    """The value of an item's parameter, or None where the document says nothing."""
    return next((entry.value for entry in item.parameters if entry.key == key), None)


def scope_between(region_code: str, other_region_code: str) -> str:
    """``in_province`` or ``cross_province``, by the first two digits of GB/T 2260."""
    return "in_province" if region_code[:2] == other_region_code[:2] else "cross_province"


def _upwards(region_code: str) -> Iterator[str]:
    """County, city, province: 370402 -> 370402, 370400, 370000."""
    seen = set()
    for code in (region_code, region_code[:4] + "00", region_code[:2] + "0000"):
        if code not in seen:
            seen.add(code)
            yield code
