"""The 办事指南 page: everything a person needs, and nothing fetched from anywhere."""

from __future__ import annotations

import datetime as dt
import html
import re
from html.parser import HTMLParser

import pytest

from libs.catalogue.editions import edition_ids, load_edition
from libs.catalogue.lookup import Catalogues, ItemInForce
from libs.catalogue.presentation import guide_page
from libs.catalogue.schema import ServiceItem
from libs.regions.offices import offices_of

IN_2024 = dt.date(2024, 6, 3)
VOID = {"meta", "col", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Reads a page strictly: every tag closed in order; collects text and addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.addresses: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href", "action")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.text += data


def page_of(in_force: ItemInForce, guides: list[ServiceItem], region_code: str) -> str:
    return guide_page(region_code, in_force, guides, offices_of(region_code))


@pytest.mark.parametrize("edition_id", edition_ids())
def test_every_item_has_a_page_with_all_its_materials_limits_channels_and_basis(edition_id: str) -> None:
    files = load_edition(edition_id)
    region_code = files.edition.region_codes[0]
    for item in files.items:
        guides = [guide for guide in files.items if guide.list_item == item.key]
        shown = Page(page_of(ItemInForce(files.edition, item), guides, region_code)).text
        for chapter in [item, *guides]:
            quotes = [*chapter.materials, *chapter.time_limits, *chapter.channels]
            for quote in quotes:
                assert quote.text in shown, (item.key, quote.text)
                assert quote.at in shown, (item.key, quote.at)
        for quote in [*item.legal_basis, *item.remarks, *item.conditions, *item.required_fields]:
            assert quote.text in shown, (item.key, quote.text)
        assert files.edition.title in shown


@pytest.fixture(scope="module")
def catalogues() -> Catalogues:
    return Catalogues()


def test_a_page_fetches_nothing(catalogues: Catalogues) -> None:
    for in_force in catalogues.items("370400", IN_2024):
        page = page_of(in_force, [], "370400")
        assert Page(page).addresses == []
        assert not re.search(r"https?://|url\(|@import", page)


def test_a_page_says_where_to_go_and_whom_to_call(catalogues: Catalogues) -> None:
    in_force = catalogues.item("370400", "zaozhuang-transfer-in", IN_2024)
    shown = Page(page_of(in_force, [], "370400")).text
    for words in (
        "枣庄市医疗保险服务大厅",
        "薛城区永兴路中段体育场北市民服务中心一楼 A 区",
        "3312027",
        "3259931",
    ):
        assert words in shown
    county = Page(page_of(in_force, [], "370402")).text
    assert "市中区医疗保险服务大厅" in county
    assert "3062020" in county
    assert "3259931" not in county


def test_a_page_names_the_reading_in_force(catalogues: Catalogues) -> None:
    in_force = catalogues.item("370700", "002036009001", IN_2024)
    guides = catalogues.guides("370700", "002036009001", IN_2024)
    shown = Page(page_of(in_force, guides, "370700")).text
    assert "办事指南（有效）：根据《医疗机构医疗保障定点管理暂行办法》" in shown
    assert "清单：1. 《医疗保险协议定点医疗机构申请表》1份" in shown


def test_alternatives_commitments_and_seals_are_told(catalogues: Catalogues) -> None:
    in_force = catalogues.item("370700", "002036001001", IN_2024)
    shown = Page(page_of(in_force, [], "370700")).text
    assert "与同组2项任选其一（单位身份证明）" in shown
    assert "加盖单位公章" in shown
    filing = catalogues.item("420100", "002036004001", IN_2024)
    assert "可用个人承诺书代替" in Page(page_of(filing, [], "420100")).text


def test_what_stands_in_the_data_cannot_become_markup() -> None:
    files = load_edition("yantai")
    spoilt = files.items[0].model_copy(
        update={"name": files.items[0].name.model_copy(update={"text": "<script>1</script>"})}
    )
    page = page_of(ItemInForce(files.edition, spoilt), [], "370600")
    assert "<script>" not in page
    assert html.escape("<script>1</script>") in page
