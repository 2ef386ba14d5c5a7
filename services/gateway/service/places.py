"""Regions and offices as the gateway shows them."""

from __future__ import annotations

import datetime as dt

from libs.catalogue.editions import edition_ids, load_edition
from libs.catalogue.lookup import Catalogues
from libs.refusals.faults import not_found
from libs.regions import names
from libs.regions.names import Region
from libs.regions.offices import Office, offices_of, offices_serving
from services.gateway.schemas.regions import OfficeView, Regions, RegionView, TelephoneView


def regions(catalogues: Catalogues, on: dt.date) -> Regions:
    """Every region an edition was written for, with the editions that apply there on ``on``."""
    codes = sorted({code for name in edition_ids() for code in load_edition(name).edition.region_codes})
    return Regions(on=on, regions=[_region_view(catalogues, required_region(code), on) for code in codes])


def required_region(region_code: str) -> Region:
    """The region with this code. Raises Refusal (not found)."""
    region = names.find(region_code)
    if region is None:
        raise not_found("no_region", f"没有行政区划代码{region_code}，请按GB/T 2260现行代码填写。")
    return region


def offices(region: Region, item_key: str | None) -> list[OfficeView]:
    """Offices of a region; with ``item_key`` those where that item is handed in."""
    found = offices_serving(region.code, item_key) if item_key else offices_of(region.code)
    return [_office_view(office) for office in found]


def _region_view(catalogues: Catalogues, region: Region, on: dt.date) -> RegionView:
    return RegionView(
        region_code=region.code,
        name=region.name,
        full_name=region.full_name,
        level=region.level,
        editions=[files.edition.id for files in catalogues.editions_in_force(region.code, on)],
    )


def _office_view(office: Office) -> OfficeView:
    handled = {
        printed.item
        for address in office.addresses
        for printed in address.printed
        if printed.purpose == "handling" and printed.item is not None
    }
    return OfficeView(
        key=office.key,
        region_code=office.region_code,
        region_name=names.name_of(office.region_code),
        name=office.name,
        address=office.address,
        items=sorted(handled),
        telephones=_telephones(office),
        notes=[note.text for note in office.notes],
    )


def _telephones(office: Office) -> list[TelephoneView]:
    """Each number once a purpose, with all items it is printed for."""
    views: dict[tuple[str, str], TelephoneView] = {}
    for phone in office.telephones:
        view = views.setdefault(
            (phone.purpose, phone.number),
            TelephoneView(purpose=phone.purpose, number=phone.number, items=[]),
        )
        if phone.item is not None:
            view.items.append(phone.item)
    return list(views.values())
