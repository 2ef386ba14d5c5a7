"""The bodies of the service-items routes: every fact with its words and its lines."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from libs.catalogue.editions import edition_ids, load_edition
from libs.catalogue.lookup import Catalogues, ItemInForce
from libs.catalogue.presentation import item_summary, item_view, service_item, service_items
from libs.refusals.faults import Refusal

IN_2024 = dt.date(2024, 6, 3)


@pytest.fixture(scope="module")
def catalogues() -> Catalogues:
    return Catalogues()


def body(view: Any) -> Any:
    return json.loads(view.model_dump_json())


def test_the_list_says_where_when_and_what(catalogues: Catalogues) -> None:
    listed = body(service_items(catalogues, "370402", IN_2024))
    assert (listed["region_code"], listed["region_name"], listed["on"]) == ("370402", "市中区", "2024-06-03")
    assert len(listed["items"]) == len(catalogues.items("370402", IN_2024))
    transfer_in = next(item for item in listed["items"] if item["key"] == "zaozhuang-transfer-in")
    assert transfer_in["name"] == {"text": "医疗保险关系转入", "at": "L577"}
    assert transfer_in["edition"]["source"] == "zaozhuang.txt"
    assert transfer_in["edition"]["effective_on"] == "2023-07-01"
    assert [(limit["amount"], limit["unit"]) for limit in transfer_in["time_limits"]][:2] == [
        (15, "working_day"),
        (9, "working_day"),
    ]


@pytest.mark.parametrize("edition_id", edition_ids())
def test_a_view_leaves_no_fact_of_its_item_out(edition_id: str) -> None:
    files = load_edition(edition_id)
    for item in files.items:
        view = body(item_view(ItemInForce(files.edition, item), []))
        stated = body(item)
        assert {name: view[name] for name in stated} == stated
        assert set(view) - set(stated) == {"edition", "guides", "forms"}


def facts_without_lines(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [fault for entry in value for fault in facts_without_lines(entry)]
    if not isinstance(value, dict):
        return []
    own = [value] if "text" in value and not value.get("at") else []
    return own + [fault for entry in value.values() for fault in facts_without_lines(entry)]


def test_every_fact_of_a_view_has_its_lines(catalogues: Catalogues) -> None:
    for in_force in catalogues.items("370700", IN_2024):
        view = body(service_item(catalogues, "370700", in_force.item.key, IN_2024))
        del view["notes"]  # remarks of the editor, not quotations
        for guide in view["guides"]:
            del guide["notes"]
        assert facts_without_lines(view) == []


def test_where_list_and_guide_differ_both_readings_are_shown(catalogues: Catalogues) -> None:
    view = service_item(catalogues, "370700", "002036009001", IN_2024)
    [materials] = [difference for difference in view.differences if difference.field == "materials"]
    assert materials.in_force == "guide"
    assert set(materials.readings) == {"list", "guide"}
    assert view.materials == view.guides[0].materials


def test_guides_and_forms_come_with_the_item(catalogues: Catalogues) -> None:
    outpatient = service_item(catalogues, "370700", "002036006001", IN_2024)
    assert [guide.number for guide in outpatient.guides] == ["一、5.1", "二、3.1"]
    registration = service_item(catalogues, "420100", "002036001002", IN_2024)
    assert [form.number for form in registration.forms] == ["2"]


def test_a_summary_is_a_part_of_the_view(catalogues: Catalogues) -> None:
    in_force = catalogues.item("420100", "002036003002", IN_2024)
    summary, view = body(item_summary(in_force)), body(item_view(in_force, []))
    assert summary == {name: view[name] for name in summary}


def test_an_unknown_item_is_refused_in_chinese(catalogues: Catalogues) -> None:
    with pytest.raises(Refusal, match="没有编码为“none”的服务事项"):
        service_item(catalogues, "370400", "none", IN_2024)
