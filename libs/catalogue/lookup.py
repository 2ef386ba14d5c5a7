"""Which catalogue applies in a region on a date, and what it says there.

A city's edition overrides its province's edition in force on the date, operation by operation; a
region without an edition of its own uses its city's, then its province's. A region may be pinned
to an edition by configuration (a city that has not switched yet).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from libs.catalogue.editions import EditionFiles, edition_ids, load_edition
from libs.catalogue.schema import Edition, Parameter, ServiceItem
from libs.catalogue.vocabulary import vocabulary
from libs.refusals.faults import Refusal, not_found


@dataclass(frozen=True)
class ItemInForce:
    """A service item and the edition that says so."""

    edition: Edition
    item: ServiceItem


@dataclass(frozen=True)
class ParameterInForce:
    """A parameter and the item and edition that state it."""

    edition: Edition
    item: ServiceItem
    parameter: Parameter

    @property
    def value(self) -> Any:
        return self.parameter.value


class Catalogues:
    """All editions, asked by region and date. ``pins``: region code -> edition id."""

    def __init__(self, pins: Mapping[str, str] | None = None) -> None:
        self._pins = dict(pins or {})
        self._editions = [load_edition(edition_id) for edition_id in edition_ids()]
        self._items_in_force = lru_cache(maxsize=1024)(self._find_items)

    def editions_in_force(self, region_code: str, on: dt.date) -> list[EditionFiles]:
        """The chain that applies, most local first. Empty where no edition covers the region.

        A pin takes the place of the newest edition of its region. An edition pinned to a region
        it was not written for (a city held at its province's) ends the chain: nothing above it applies.
        """
        chain: list[EditionFiles] = []
        for code in _upwards(region_code):
            pinned = self._pins.get(code)
            if pinned and code not in load_edition(pinned).edition.region_codes:
                return [*chain, load_edition(pinned)]
            in_force = load_edition(pinned) if pinned else self._newest(code, on)
            if in_force:
                chain.append(in_force)
        return chain

    def items(self, region_code: str, on: dt.date) -> tuple[ItemInForce, ...]:
        """All items in force, the most local edition's first. Raises Refusal (not found).

        An item of a higher edition stands unless all its operations are done by more local items
        (one that does only part of an operation leaves it standing) or are not offered there.
        """
        found = self._items_in_force(region_code, on)
        if not found:
            raise not_found("no_catalogue", f"行政区划{region_code}在{on}没有服务事项目录。")
        return found

    def item(self, region_code: str, item_key: str, on: dt.date) -> ItemInForce:
        """The item with this key. Raises Refusal (not found)."""
        for in_force in self.items(region_code, on):
            if in_force.item.key == item_key:
                return in_force
        raise _no_item(region_code, item_key, on)

    def find(self, region_code: str, name: str, on: dt.date) -> ItemInForce:
        """The item people mean by its key, national code or printed number. Raises Refusal (not found)."""
        for attribute in ("key", "national_code", "number"):
            for in_force in self.items(region_code, on):
                if getattr(in_force.item, attribute) == name:
                    return in_force
        raise _no_item(region_code, name, on)

    def guides(self, region_code: str, item_key: str, on: dt.date) -> list[ServiceItem]:
        """Guide chapters of the list item with this key, in the same edition."""
        in_force = self.item(region_code, item_key, on)
        files = load_edition(in_force.edition.id)
        return [item for item in files.items if item.list_item == item_key]

    def item_for(
        self, region_code: str, operations: tuple[str, ...], on: dt.date, audience: str | None = None
    ) -> ItemInForce:
        """The first item that does one of ``operations`` (tried in order). Raises Refusal.

        Among items for the same operation, one that serves ``audience`` goes first: 枣庄 has a chapter
        for employees and another for residents.
        """
        for operation in operations:
            doing = [entry for entry in self.items(region_code, on) if operation in entry.item.operations]
            if doing:
                return next((entry for entry in doing if audience in entry.item.audience), doing[0])
        raise not_found("no_item", f"行政区划{region_code}在{on}不办理此项业务（{'、'.join(operations)}）。")

    def parameter_in_force(
        self, region_code: str, operations: tuple[str, ...], key: str, on: dt.date
    ) -> ParameterInForce | None:
        """What the most local edition that states ``key`` for these operations says; None if none does.

        Goes up the chain even past overridden items: 烟台 states no ``transfer.regime``, so its
        province's edition in force does. A whole and its parts answer for each other.
        """
        wanted = {kin for operation in operations for kin in vocabulary().kin(operation)}
        for files in self.editions_in_force(region_code, on):
            for item in sorted(files.items, key=lambda item: item.list_item is not None):  # the list first
                stated = next((entry for entry in item.parameters if entry.key == key), None)
                if stated and not wanted.isdisjoint(item.operations):
                    return ParameterInForce(files.edition, item, stated)
        return None

    def _newest(self, code: str, on: dt.date) -> EditionFiles | None:
        candidates = [
            files
            for files in self._editions
            if code in files.edition.region_codes and files.edition.effective_on <= on
        ]
        return max(candidates, key=lambda files: files.edition.effective_on, default=None)

    def _find_items(self, region_code: str, on: dt.date) -> tuple[ItemInForce, ...]:
        covered: set[str] = set()
        found: list[ItemInForce] = []
        for files in self.editions_in_force(region_code, on):
            own = [item for item in files.items if item.list_item is None]
            done = vocabulary().closure(covered)
            standing = [item for item in own if not done.issuperset(item.operations)]
            found += [ItemInForce(files.edition, item) for item in standing]
            covered.update(_settled_by(files.edition, own))
        return tuple(found)


def parameter(item: ServiceItem, key: str) -> object | None:
    """The value of an item's parameter, or None where the document says nothing."""
    return next((entry.value for entry in item.parameters if entry.key == key), None)


def scope_between(region_code: str, other_region_code: str) -> str:
    """``in_province`` or ``cross_province``, by the first two digits of GB/T 2260."""
    return "in_province" if region_code[:2] == other_region_code[:2] else "cross_province"


def _settled_by(edition: Edition, items: Iterable[ServiceItem]) -> Iterator[str]:
    """Operations on which nothing is inherited: done in full here, or done away with."""
    for item in items:
        if not item.partial:
            yield from item.operations
    for absent in edition.not_offered:
        yield absent.operation


def _no_item(region_code: str, name: str, on: dt.date) -> Refusal:
    return not_found("no_item", f"行政区划{region_code}在{on}没有编码为“{name}”的服务事项。")


def _upwards(region_code: str) -> Iterator[str]:
    """County, city, province: 370402 -> 370402, 370400, 370000."""
    seen = set()
    for code in (region_code, region_code[:4] + "00", region_code[:2] + "0000"):
        if code not in seen:
            seen.add(code)
            yield code
