"""The catalogue for programs: bodies of ``GET /v1/regions/{region_code}/service-items[/{item_key}]``.

``yibao catalogue show --json`` prints the same bodies, made by the same functions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from libs.catalogue.editions import load_edition
from libs.catalogue.lookup import Catalogues, ItemInForce
from libs.catalogue.schema import Edition, Form, Quote, ServiceItem, Strict, TimeLimit
from libs.regions.names import name_of


class EditionView(Strict):
    """The document an item stands in. Every ``at`` of the item is a line of ``source``."""

    id: str
    title: str
    publisher: str
    document_number: str | None
    region_codes: list[str]
    effective_on: dt.date
    effective_reason: str = Field(description="施行日期的依据")
    source: str


class ItemSummary(Strict):
    """One line of a region's list of service items."""

    key: str
    national_code: str | None
    number: str
    part: Literal["list", "guide", "specification"]
    name: Quote
    main_item: Quote | None
    operations: list[str]
    audience: list[str]
    case_kind: Literal["immediate", "commitment"] | None
    time_limits: list[TimeLimit]
    edition: EditionView


class ItemView(ServiceItem):
    """A service item with every fact of its document, each quoted with its lines.

    The facts are the readings in force; where list and guide of the edition differ, ``differences``
    has both readings, which one is in force, and why. ``guides`` are the edition's guide chapters of
    this item, ``forms`` the printed forms its materials and results name.
    """

    edition: EditionView
    guides: list[ServiceItem]
    forms: list[Form]


class ServiceItems(Strict):
    """All service items in force in a region on a date, the most local document's first."""

    region_code: str
    region_name: str
    on: dt.date
    items: list[ItemSummary]


def service_items(catalogues: Catalogues, region_code: str, on: dt.date) -> ServiceItems:
    """The list of a region on a date of law. Raises Refusal (not found) where there is none."""
    items = [item_summary(in_force) for in_force in catalogues.items(region_code, on)]
    return ServiceItems(region_code=region_code, region_name=name_of(region_code), on=on, items=items)


def service_item(catalogues: Catalogues, region_code: str, item_key: str, on: dt.date) -> ItemView:
    """One item in force, by its key. Raises Refusal (not found)."""
    in_force = catalogues.item(region_code, item_key, on)
    return item_view(in_force, catalogues.guides(region_code, item_key, on))


def item_summary(in_force: ItemInForce) -> ItemSummary:
    """The item's line in the list."""
    own = set(ItemSummary.model_fields) - {"edition"}
    facts = {name: getattr(in_force.item, name) for name in own}
    return ItemSummary(**facts, edition=edition_view(in_force.edition))


def item_view(in_force: ItemInForce, guides: Sequence[ServiceItem]) -> ItemView:
    """The item in full, with ``guides``, its guide chapters of the same edition."""
    facts = {name: getattr(in_force.item, name) for name in ServiceItem.model_fields}
    return ItemView(
        **facts,
        edition=edition_view(in_force.edition),
        guides=list(guides),
        forms=forms_of(in_force),
    )


def edition_view(edition: Edition) -> EditionView:
    """The head of a document, without its repairs and oddities."""
    return EditionView(**{name: getattr(edition, name) for name in EditionView.model_fields})


def forms_of(in_force: ItemInForce) -> list[Form]:
    """Forms of the edition that the item's materials and results name, in the document's order."""
    item = in_force.item
    named = {material.form for material in item.materials} | {result.form for result in item.result_documents}
    return [form for form in load_edition(in_force.edition.id).forms if form.key in named]
