"""Regions by their code, as in force."""

from __future__ import annotations

import pytest

from libs.refusals.faults import Refusal
from libs.regions.agencies import Agencies
from libs.regions.names import find, name_of


@pytest.mark.parametrize(
    ("code", "full_name", "level", "parent"),
    [
        ("370000", "山东省", "province", None),
        ("370400", "山东省枣庄市", "city", "370000"),
        ("370402", "山东省枣庄市市中区", "county", "370400"),
        ("420100", "湖北省武汉市", "city", "420000"),
        ("429004", "湖北省仙桃市", "county", "429000"),
        ("110000", "北京市", "province", None),
        ("110101", "北京市东城区", "county", "110100"),
        ("500229", "重庆市城口县", "county", "500200"),
    ],
)
def test_a_region_is_known_by_its_code(code: str, full_name: str, level: str, parent: str | None) -> None:
    region = find(code)
    assert region is not None
    assert (region.full_name, region.level, region.parent_code) == (full_name, level, parent)


@pytest.mark.parametrize(
    "code", ["371200", "990000", "370499", "", "37040", "3704000", "37040a", "３７０４００"]
)
def test_what_is_abolished_or_never_was_is_not_found(code: str) -> None:
    """371200 was 莱芜市 until 2019."""
    assert find(code) is None
    assert name_of(code) == code


def test_a_name_for_people() -> None:
    assert name_of("370600") == "烟台市"


def test_agencies_are_regions_in_force_with_accounts_of_their_own() -> None:
    agencies = Agencies.from_file()
    codes = agencies.region_codes()
    assert all(find(code) for code in codes)
    accounts = [agencies.require(code, "/x").account_no for code in codes]
    assert len(set(accounts)) == len(codes)
    assert agencies.local_region_codes() == codes, "the example directory is one deployment"


def test_an_agency_that_does_not_take_part_is_told_with_its_field() -> None:
    with pytest.raises(Refusal, match="440100的经办机构未接入") as refused:
        Agencies.from_file().require("440100", "/payload/from_region_code")
    assert refused.value.faults[0].pointer == "/payload/from_region_code"
