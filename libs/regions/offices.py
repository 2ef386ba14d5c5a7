"""Offices (经办窗口) and telephones of a city, as its catalogue document prints them.

Data files: ``data/offices/<city code>.yaml``, laid out as the README beside them says. Telephone
numbers are printed without dialling code and kept so.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from libs.regions import names

OFFICES_FOLDER = Path(__file__).parent / "data" / "offices"


class OfficeDataError(Exception):
    """A data file does not fit the shape below; the message names the file and every fault."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Printed(_Strict):
    """Where the document prints an address, and for which item (None: for all)."""

    purpose: Literal["handling", "progress"]
    item: str | None
    at: str


class Address(_Strict):
    """One reading of an address."""

    text: str
    printed: list[Printed]


class Telephone(_Strict):
    """A number for asking about progress, or for complaints, about one item (None: about all)."""

    purpose: Literal["progress", "supervision"]
    item: str | None
    number: str
    at: str


class OfficeNote(_Strict):
    """A contradiction of the document, kept as printed."""

    text: str
    at: str


class Office(_Strict):
    """A place where people are served. ``region_code`` is the county it serves, or the city's."""

    key: str
    region_code: str
    name: str
    address: str
    at: str
    addresses: list[Address]
    telephones: list[Telephone]
    notes: list[OfficeNote] = []

    def serves(self, item_key: str) -> bool:
        """Whether the document sends people here with this item."""
        return any(
            printed.purpose == "handling" and printed.item in (None, item_key)
            for address in self.addresses
            for printed in address.printed
        )

    def telephones_about(self, item_key: str) -> list[Telephone]:
        """Numbers the document gives for this item, in its order, each once a purpose."""
        fitting = (phone for phone in self.telephones if phone.item in (None, item_key))
        return list({(phone.purpose, phone.number): phone for phone in fitting}.values())


class _City(_Strict):
    region_code: str
    source: str
    offices: list[Office]


def offices_of(region_code: str) -> tuple[Office, ...]:
    """Offices that serve a region, in the document's order; empty where none are on record.

    A city has all its offices; a county its own, or the city's where it has none of its own.
    """
    # The code comes from requests: only that of a region in force may become a file name.
    if names.find(region_code) is None:
        return ()
    city_code = region_code[:4] + "00"
    of_city = _offices_of_city(city_code)
    if region_code == city_code:
        return of_city
    own = tuple(office for office in of_city if office.region_code == region_code)
    return own or tuple(office for office in of_city if office.region_code == city_code)


def offices_serving(region_code: str, item_key: str) -> tuple[Office, ...]:
    """The offices of ``offices_of`` where this item is handed in."""
    return tuple(office for office in offices_of(region_code) if office.serves(item_key))


@cache
def _offices_of_city(city_code: str) -> tuple[Office, ...]:
    path = OFFICES_FOLDER / f"{city_code}.yaml"
    if not path.is_file():
        return ()
    try:
        city = _City.model_validate(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
    except (ValidationError, yaml.YAMLError) as error:
        raise OfficeDataError(f"{path.name}: {error}") from error
    return tuple(city.offices)
