"""Which edition, item and parameter apply in a region on a date."""

from __future__ import annotations

import datetime as dt

import pytest

from libs.catalogue.editions import EditionFiles, edition_ids, load_edition
from libs.catalogue.lookup import Catalogues, parameter
from libs.refusals.faults import Refusal, RefusalKind

YANTAI, ZAOZHUANG, SHIZHONG, WEIFANG, WUHAN = "370600", "370400", "370402", "370700", "420100"
IN_2020 = dt.date(2020, 12, 31)
IN_2022 = dt.date(2022, 6, 1)
IN_2024 = dt.date(2024, 6, 3)
TRANSFER_IN = ("transfer.in", "transfer.relation")


@pytest.fixture(scope="module")
def catalogues() -> Catalogues:
    return Catalogues()


def chain(catalogues: Catalogues, region_code: str, on: dt.date) -> list[str]:
    return [files.edition.id for files in catalogues.editions_in_force(region_code, on)]


@pytest.mark.parametrize(
    ("region_code", "on", "expected"),
    [
        (YANTAI, IN_2020, ["shandong-2020"]),
        (YANTAI, dt.date(2021, 1, 1), ["yantai", "shandong-2020"]),
        (YANTAI, IN_2024, ["yantai", "shandong-2023"]),
        (ZAOZHUANG, dt.date(2023, 6, 30), ["shandong-2023"]),
        (ZAOZHUANG, dt.date(2023, 7, 1), ["zaozhuang", "shandong-2023"]),
        (SHIZHONG, IN_2024, ["zaozhuang", "shandong-2023"]),
        (WEIFANG, dt.date(2023, 4, 30), ["shandong-2020"]),
        (WEIFANG, dt.date(2023, 5, 1), ["shandong-2023"]),
        ("370000", IN_2024, ["shandong-2023"]),
        (WUHAN, dt.date(2022, 12, 30), []),
        (WUHAN, dt.date(2022, 12, 31), ["hubei-2022"]),
        ("110100", IN_2024, []),
    ],
)
def test_editions_in_force(
    catalogues: Catalogues, region_code: str, on: dt.date, expected: list[str]
) -> None:
    assert chain(catalogues, region_code, on) == expected


@pytest.mark.parametrize("edition_id", edition_ids())
def test_an_edition_is_in_force_from_its_day_and_not_the_day_before(
    catalogues: Catalogues, edition_id: str
) -> None:
    edition = load_edition(edition_id).edition
    region_code = edition.region_codes[0]
    assert chain(catalogues, region_code, edition.effective_on)[0] == edition_id
    day_before = edition.effective_on - dt.timedelta(days=1)
    assert edition_id not in chain(catalogues, region_code, day_before)


def test_a_city_inherits_from_the_edition_in_force_not_from_the_one_it_was_written_against(
    catalogues: Catalogues,
) -> None:
    assert load_edition("yantai").edition.inherits == "shandong-2020"
    assert chain(catalogues, YANTAI, IN_2024)[-1] == "shandong-2023"


def test_a_city_held_at_its_provinces_edition_has_nothing_else() -> None:
    pinned = Catalogues({YANTAI: "shandong-2020"})
    assert chain(pinned, YANTAI, IN_2024) == ["shandong-2020"]
    assert chain(pinned, WEIFANG, IN_2024) == ["shandong-2023"]
    assert pinned.item_for(YANTAI, TRANSFER_IN, IN_2024).item.key == "002036003002"


def test_a_city_held_at_an_edition_of_its_own_still_inherits() -> None:
    pinned = Catalogues({ZAOZHUANG: "zaozhuang"})
    assert chain(pinned, ZAOZHUANG, IN_2022) == ["zaozhuang", "shandong-2020"]


def test_a_province_held_back_holds_its_cities_back() -> None:
    pinned = Catalogues({"370000": "shandong-2020"})
    assert chain(pinned, ZAOZHUANG, IN_2024) == ["zaozhuang", "shandong-2020"]


@pytest.mark.parametrize(
    ("region_code", "on", "own", "inherited"),
    [
        # 烟台 before the province's new list: 32 of its own; 门诊, 住院 stand beside its partial items
        (YANTAI, IN_2022, 32, {"18", "19"}),
        # after it: temporary filing and long-term care are new
        (YANTAI, IN_2024, 32, {"13", "15", "16", "28"}),
        # 枣庄 lacks emergency filing (in 13), subsidies and settlement at the point of care
        (ZAOZHUANG, IN_2024, 34, {"13", "21", "27"}),
        (SHIZHONG, IN_2024, 34, {"13", "21", "27"}),
        (WEIFANG, IN_2024, 30, set()),
        (WEIFANG, IN_2022, 30, set()),
        (WUHAN, IN_2024, 29, set()),
    ],
)
def test_items_in_force(
    catalogues: Catalogues, region_code: str, on: dt.date, own: int, inherited: set[str]
) -> None:
    most_local = chain(catalogues, region_code, on)[0]
    items = catalogues.items(region_code, on)
    assert sum(in_force.edition.id == most_local for in_force in items) == own
    assert {i.item.number for i in items if i.edition.id != most_local} == inherited


def test_a_whole_is_replaced_by_its_parts(catalogues: Catalogues) -> None:
    keys = {in_force.item.key for in_force in catalogues.items(YANTAI, IN_2022)}
    assert {"yantai-transfer-out", "yantai-transfer-in"} <= keys
    assert "002036003002" not in keys


class OldListOverNew(Catalogues):
    """As if a city's list kept transfers in one item where its province's has two."""

    def editions_in_force(self, region_code: str, on: dt.date) -> list[EditionFiles]:
        return [load_edition("shandong-2020"), load_edition("shandong-2023")]


def test_parts_are_replaced_by_their_whole() -> None:
    items = OldListOverNew().items(YANTAI, IN_2024)
    operations = {operation for in_force in items for operation in in_force.item.operations}
    assert "transfer.relation" in operations
    assert operations.isdisjoint({"transfer.out", "transfer.in"})


def test_what_a_city_does_away_with_is_not_inherited(catalogues: Catalogues) -> None:
    for on in (IN_2022, IN_2024):
        with pytest.raises(Refusal) as refused:
            catalogues.item_for(YANTAI, ("reimbursement.contribution_subsidy",), on)
        assert refused.value.kind is RefusalKind.NOT_FOUND
    zaozhuang = catalogues.item_for(ZAOZHUANG, ("reimbursement.contribution_subsidy",), IN_2024)
    assert zaozhuang.edition.id == "shandong-2023"


@pytest.mark.parametrize(
    ("region_code", "on", "key"),
    [
        (YANTAI, IN_2020, "002036003002"),
        (YANTAI, IN_2022, "yantai-transfer-in"),
        (ZAOZHUANG, IN_2022, "002036003002"),
        (ZAOZHUANG, IN_2024, "zaozhuang-transfer-in"),
        (WEIFANG, IN_2024, "shandong-2023-transfer-in"),
        (WUHAN, IN_2024, "002036003002"),
    ],
)
def test_the_item_that_does_an_operation(
    catalogues: Catalogues, region_code: str, on: dt.date, key: str
) -> None:
    assert catalogues.item_for(region_code, TRANSFER_IN, on).item.key == key


@pytest.mark.parametrize(
    ("region_code", "audience", "key"),
    [
        (ZAOZHUANG, "employee", "zaozhuang-employee-inpatient-reimbursement"),
        (ZAOZHUANG, "resident", "zaozhuang-resident-inpatient-reimbursement"),
        (ZAOZHUANG, None, "zaozhuang-employee-inpatient-reimbursement"),
        (WEIFANG, "resident", "002036006002"),
    ],
)
def test_the_chapter_for_an_audience_goes_first(
    catalogues: Catalogues, region_code: str, audience: str | None, key: str
) -> None:
    found = catalogues.item_for(region_code, ("reimbursement.inpatient",), IN_2024, audience)
    assert found.item.key == key


def test_maternity_of_residents_is_the_guides_chapter(catalogues: Catalogues) -> None:
    operations = ("reimbursement.maternity",)
    assert catalogues.item_for(WEIFANG, operations, IN_2024, "employee").item.number == "18"
    assert catalogues.item_for(WEIFANG, operations, IN_2024, "resident").item.number == "二、5"


@pytest.mark.parametrize(
    ("region_code", "on", "edition_id", "regime"),
    [
        (YANTAI, IN_2022, "shandong-2020", "letter"),  # 烟台's own list states none
        (YANTAI, dt.date(2023, 4, 30), "shandong-2020", "letter"),
        (YANTAI, dt.date(2023, 5, 1), "shandong-2023", "platform"),
        (ZAOZHUANG, IN_2022, "shandong-2020", "letter"),
        (ZAOZHUANG, IN_2024, "zaozhuang", "platform"),
        (WEIFANG, IN_2024, "shandong-2023", "platform"),
        (WUHAN, IN_2024, "hubei-2022", "platform"),
    ],
)
def test_the_regime_of_a_transfer(
    catalogues: Catalogues, region_code: str, on: dt.date, edition_id: str, regime: str
) -> None:
    for operation in ("transfer.in", "transfer.out", "transfer.relation"):
        found = catalogues.parameter_in_force(region_code, (operation,), "transfer.regime", on)
        assert found is not None
        assert (found.edition.id, found.value) == (edition_id, regime)


def test_a_pinned_region_takes_its_regime_from_the_pin() -> None:
    pinned = Catalogues({YANTAI: "shandong-2020"})
    found = pinned.parameter_in_force(YANTAI, TRANSFER_IN, "transfer.regime", IN_2024)
    assert found is not None
    assert (found.value, found.parameter.at) == ("letter", "L542-545")


def test_a_parameter_nobody_states_is_none(catalogues: Catalogues) -> None:
    assert catalogues.parameter_in_force(YANTAI, TRANSFER_IN, "settlement.payment_due", IN_2024) is None
    assert catalogues.parameter_in_force("110100", TRANSFER_IN, "transfer.regime", IN_2024) is None
    assert parameter(catalogues.item(YANTAI, "yantai-transfer-in", IN_2024).item, "transfer.regime") is None


def test_a_region_without_a_catalogue_is_refused(catalogues: Catalogues) -> None:
    with pytest.raises(Refusal, match="110100在2024-06-03没有服务事项目录") as refused:
        catalogues.items("110100", IN_2024)
    assert refused.value.kind is RefusalKind.NOT_FOUND


@pytest.mark.parametrize("name", ["yantai-transfer-in", "10"])
def test_an_item_is_found_by_key_or_number(catalogues: Catalogues, name: str) -> None:
    assert catalogues.find(YANTAI, name, IN_2024).item.key == "yantai-transfer-in"


def test_an_item_is_found_by_its_national_code(catalogues: Catalogues) -> None:
    assert catalogues.find(ZAOZHUANG, "002036001001", IN_2024).edition.id == "zaozhuang"
    with pytest.raises(Refusal, match="没有编码为“999”的服务事项"):
        catalogues.find(ZAOZHUANG, "999", IN_2024)


def test_guide_chapters_belong_to_their_list_item(catalogues: Catalogues) -> None:
    chapters = catalogues.guides(WEIFANG, "002036006001", IN_2024)
    assert [chapter.number for chapter in chapters] == ["一、5.1", "二、3.1"]
    assert catalogues.guides(YANTAI, "yantai-transfer-in", IN_2024) == []


def test_every_operation_of_a_catalogue_leads_to_an_item(catalogues: Catalogues) -> None:
    for region_code in (YANTAI, ZAOZHUANG, WEIFANG, WUHAN):
        for in_force in catalogues.items(region_code, IN_2024):
            for operation in in_force.item.operations:
                found = catalogues.item_for(region_code, (operation,), IN_2024)
                assert operation in found.item.operations
