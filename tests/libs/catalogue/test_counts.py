"""Nothing of a document is left out: counts taken from the documents by hand."""

from __future__ import annotations

import pytest

from libs.catalogue.editions import edition_ids, load_edition
from libs.catalogue.schema import ServiceItem

CHINESE_DIGITS = "一二三四五六七八九"


def numbers(edition_id: str, part: str) -> list[str]:
    return [item.number for item in load_edition(edition_id).items if item.part == part]


def in_chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    ten = "" if tens == 0 else "十" if tens == 1 else CHINESE_DIGITS[tens - 1] + "十"
    return ten + (CHINESE_DIGITS[ones - 1] if ones else "")


def test_the_five_editions_come_with_the_installation() -> None:
    assert edition_ids() == ["hubei-2022", "shandong-2020", "shandong-2023", "yantai", "zaozhuang"]


def test_shandong_2020_has_30_items_numbered_through() -> None:
    assert numbers("shandong-2020", "list") == [str(n) for n in range(1, 31)]


def test_shandong_2023_has_28_list_items_and_36_guide_chapters() -> None:
    assert numbers("shandong-2023", "list") == [str(n) for n in range(1, 29)]
    chapters = numbers("shandong-2023", "guide")
    by_part = {part: [number for number in chapters if number.startswith(part)] for part in "一二三"}
    assert {part: len(found) for part, found in by_part.items()} == {"一": 20, "二": 12, "三": 4}
    assert len(set(chapters)) == len(chapters) == 36


def test_yantai_has_32_items_and_skips_number_20() -> None:
    assert numbers("yantai", "list") == [str(n) for n in range(1, 34) if n != 20]


def test_zaozhuang_has_34_chapters_and_4_forms() -> None:
    chapters = numbers("zaozhuang", "guide")
    by_part = {part: sum(number.startswith(part) for number in chapters) for part in "一二三"}
    assert by_part == {"一": 19, "二": 11, "三": 4}
    assert len(set(chapters)) == len(chapters) == 34
    assert len(load_edition("zaozhuang").forms) == 4


def test_hubei_2022_has_29_items_and_23_forms_numbered_through() -> None:
    assert numbers("hubei-2022", "specification") == [in_chinese(n) for n in range(1, 30)]
    assert [form.number for form in load_edition("hubei-2022").forms] == [str(n) for n in range(1, 24)]


@pytest.mark.parametrize("edition_id", edition_ids())
def test_every_item_states_what_a_case_needs(edition_id: str) -> None:
    def lacks(item: ServiceItem) -> list[str]:
        wanted = {"channels": item.channels, "time_limits": item.time_limits, "audience": item.audience}
        return [name for name, entries in wanted.items() if not entries]

    assert {item.key: lacks(item) for item in load_edition(edition_id).items if lacks(item)} == {}


# The specification prints no fields for the two queries, no messages for queries and settlements,
# and 承诺件/即办件 at once for the filings of remote care.
HUBEI_WITHOUT = {
    "required_fields": {"七", "八"},
    "message_templates": {"七", "八", "二十七", "二十八"},
    "case_kind": {"十二", "十三", "十四", "十五", "二十九"},
}


@pytest.mark.parametrize(
    "fact",
    [
        "required_fields",
        "message_templates",
        "case_kind",
        "risk_level",
        "risk_points",
        "legal_basis",
        "steps",
        "materials",
    ],
)
def test_every_hubei_item_has_what_its_specification_prints_for_it(fact: str) -> None:
    without = {item.number for item in load_edition("hubei-2022").items if not getattr(item, fact)}
    assert without == HUBEI_WITHOUT.get(fact, set())
