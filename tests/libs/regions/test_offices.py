"""Offices and telephones by region and item."""

from __future__ import annotations

import pytest

from libs.regions import offices
from libs.regions.offices import OFFICES_FOLDER, offices_of, offices_serving

CITIES = sorted(path.stem for path in OFFICES_FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("city", CITIES)
def test_every_data_file_fits_its_shape(city: str) -> None:
    of_city = offices_of(city)
    assert of_city
    assert len({office.key for office in of_city}) == len(of_city)
    assert all(office.region_code[:4] == city[:4] for office in of_city)


def test_a_county_has_its_own_offices() -> None:
    assert {office.region_code for office in offices_of("370402")} == {"370402"}


def test_a_county_without_offices_of_its_own_is_served_by_the_citys(monkeypatch: pytest.MonkeyPatch) -> None:
    of_city = tuple(office for office in offices_of("370400") if office.region_code != "370402")
    monkeypatch.setattr(offices, "_offices_of_city", lambda _: of_city)
    assert {office.region_code for office in offices_of("370402")} == {"370400"}


def test_only_offices_that_take_the_item_serve_it() -> None:
    serving = offices_serving("370400", "zaozhuang-transfer-in")
    assert serving
    assert len(serving) < len(offices_of("370400"))
    assert offices_serving("370400", "no-such-item") == ()


def test_a_number_is_told_once_a_purpose() -> None:
    hall = offices_of("370400")[0]
    told = [(phone.purpose, phone.number) for phone in hall.telephones_about("zaozhuang-transfer-in")]
    assert told == [("progress", "3312027"), ("supervision", "3259931")]


@pytest.mark.parametrize("code", ["420100", "../../etc/passwd", "", "370400/", "999999"])
def test_where_nothing_is_on_record_there_is_nothing(code: str) -> None:
    assert offices_of(code) == ()
