"""Keys are unique, and what one record says of another is there."""

from __future__ import annotations

from collections import Counter

import pytest

from libs.catalogue.editions import edition_ids, load_edition


@pytest.mark.parametrize("edition_id", edition_ids())
def test_keys_are_unique_within_an_edition(edition_id: str) -> None:
    files = load_edition(edition_id)
    keys = Counter([item.key for item in files.items]) + Counter([form.key for form in files.forms])
    assert [key for key, times in keys.items() if times > 1] == []


@pytest.mark.parametrize("edition_id", edition_ids())
def test_guide_chapters_name_list_items_that_exist(edition_id: str) -> None:
    items = load_edition(edition_id).items
    listed = {item.key for item in items if item.part == "list"}
    for item in items:
        assert item.list_item is None or item.list_item in listed, item.key
        assert item.list_item is None or item.part == "guide", item.key


def test_the_chapters_without_a_list_item_are_the_two_the_list_does_not_have() -> None:
    own = {i.key for i in load_edition("shandong-2023").items if i.part == "guide" and i.list_item is None}
    assert own == {"shandong-2023-guide-student-registration", "shandong-2023-guide-resident-maternity"}


@pytest.mark.parametrize("edition_id", edition_ids())
def test_forms_named_by_items_exist(edition_id: str) -> None:
    files = load_edition(edition_id)
    forms = {form.key for form in files.forms}
    for item in files.items:
        named = {entry.form for entry in item.materials} | {entry.form for entry in item.result_documents}
        named |= {
            entry.value for entry in item.parameters if entry.key in ("commitment.form", "forms.application")
        }
        assert named - {None} <= forms, item.key


@pytest.mark.parametrize("edition_id", edition_ids())
def test_national_codes_are_those_of_shandong_2020(edition_id: str) -> None:
    national = {item.national_code: item for item in load_edition("shandong-2020").items}
    assert len(national) == 30
    for item in load_edition(edition_id).items:
        if item.national_code is None:
            assert not item.key.isdigit(), item.key
            continue
        assert item.key == item.national_code
        assert set(national[item.national_code].operations) & set(item.operations), item.key
        assert item.national_code_from == (None if edition_id == "shandong-2020" else "shandong-2020")


@pytest.mark.parametrize("edition_id", edition_ids())
def test_a_difference_says_which_of_its_readings_is_in_force(edition_id: str) -> None:
    for item in load_edition(edition_id).items:
        for difference in item.differences:
            assert difference.in_force in difference.readings, item.key
            assert difference.reason


def test_the_reading_in_force_is_what_the_item_says() -> None:
    items = load_edition("shandong-2023").items
    chapters = {item.list_item: item for item in items if item.list_item}
    settled_by_guide = [
        i for i in items for d in i.differences if (d.field, d.in_force) == ("materials", "guide")
    ]
    assert [item.number for item in settled_by_guide] == ["23", "24"]
    for item in settled_by_guide:
        assert item.materials == chapters[item.key].materials


def test_what_yantai_does_away_with_stands_in_its_document() -> None:
    [absent] = load_edition("yantai").edition.not_offered
    assert absent.operation == "reimbursement.contribution_subsidy"
    assert "由当地政府统一进行缴费" in absent.text
