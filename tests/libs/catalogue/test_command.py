"""``yibao catalogue``: the same answers as the gateway, tables for people, pages to print."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from libs.catalogue.command import app
from libs.catalogue.editions import edition_ids, load_edition
from libs.catalogue.lookup import Catalogues
from libs.catalogue.presentation import guide_page, service_item, service_items
from libs.regions.offices import offices_of

IN_2024 = dt.date(2024, 6, 3)


@pytest.fixture
def catalogues() -> Catalogues:
    return Catalogues()


def run(*arguments: str, pins: str = "{}") -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "YIBAO_EDITION_PINS": pins})


def test_the_list_as_json_is_the_body_of_the_route(catalogues: Catalogues) -> None:
    result = run("show", "370400", "--on", "2024-06-03", "--json")
    expected = service_items(catalogues, "370400", IN_2024).model_dump(mode="json")
    assert json.loads(result.stdout) == expected


@pytest.mark.parametrize("name", ["002036006001", "15"])
def test_an_item_as_json_is_the_body_of_the_route(catalogues: Catalogues, name: str) -> None:
    result = run("show", "370700", name, "--on", "2024-06-03", "--json")
    expected = service_item(catalogues, "370700", "002036006001", IN_2024).model_dump(mode="json")
    assert json.loads(result.stdout) == expected


def test_the_list_names_every_item(catalogues: Catalogues) -> None:
    result = run("show", "370600", "--on", "2024-06-03")
    assert result.exit_code == 0
    for in_force in catalogues.items("370600", IN_2024):
        assert in_force.item.key in result.stdout


def test_an_item_shows_materials_limits_and_lines() -> None:
    result = run("show", "370400", "zaozhuang-transfer-in", "--on", "2024-06-03")
    for words in ("办理材料", "identity-proof", "省内", "9个工作日", "L623", "transfer.regime", "platform"):
        assert words in result.stdout


def test_guide_chapters_and_readings_are_shown_with_the_list_item() -> None:
    result = run("show", "370700", "002036009001", "--on", "2024-06-03")
    for words in (
        "同一文件内的两种读法",
        "办事指南（有效）",
        "办事指南 三、1.1 医疗机构申请定点协议管理：办理材料",
    ):
        assert words in result.stdout


@pytest.mark.parametrize(
    ("region_code", "item_key"), [("370700", "002036006001"), ("420100", "002036009001"), ("370600", "24")]
)
def test_every_table_of_an_item_can_be_drawn(region_code: str, item_key: str) -> None:
    assert run("show", region_code, item_key, "--on", "2024-06-03").exit_code == 0


def test_pins_of_the_installation_count_here_too() -> None:
    pinned = run("show", "370600", "--on", "2024-06-03", "--json", pins='{"370600": "shandong-2020"}')
    assert {item["edition"]["id"] for item in json.loads(pinned.stdout)["items"]} == {"shandong-2020"}


def test_a_region_without_a_catalogue_is_told_in_chinese() -> None:
    result = run("show", "110100", "--on", "2024-06-03")
    assert result.exit_code == 1
    assert "行政区划110100在2024-06-03没有服务事项目录" in result.stderr


def test_the_guide_is_written_to_the_file(catalogues: Catalogues, tmp_path: Path) -> None:
    output = tmp_path / "guide.html"
    result = run("guide", "370400", "002036001001", "--on", "2024-06-03", "-o", str(output))
    assert result.exit_code == 0
    in_force = catalogues.item("370400", "002036001001", IN_2024)
    assert output.read_text(encoding="utf-8") == guide_page("370400", in_force, [], offices_of("370400"))


def test_an_unknown_item_writes_nothing(tmp_path: Path) -> None:
    output = tmp_path / "guide.html"
    assert run("guide", "370400", "999", "-o", str(output)).exit_code == 1
    assert not output.exists()


def test_review_puts_each_fact_beside_its_lines() -> None:
    result = run("review", "zaozhuang", "一、2.2")
    assert "time_limits[1]" in result.stdout
    assert "省内转移接续不超过9个工作日" in result.stdout
    assert "L623 跨省转移接续不超过15个工作日，省内转移接续不超过9个工作日。" in result.stdout
    assert "unit: working_day" in result.stdout


@pytest.mark.parametrize("edition_id", edition_ids())
def test_review_of_an_edition_lists_its_repairs_and_oddities(edition_id: str) -> None:
    result = run("review", edition_id)
    assert result.exit_code == 0
    edition = load_edition(edition_id).edition
    assert f"修复{len(edition.repairs)}处" in result.stdout
    assert "疑点和编者说明" in result.stdout


@pytest.mark.parametrize("arguments", [("review", "none"), ("review", "yantai", "20")])
def test_review_of_what_is_not_there_fails(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert "没有" in result.stdout
