"""A blank is data: cells of a kind, values by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.documents.blanks import Blank
from libs.documents.sheets import Cell

TEXT = """
title: 凭证
left: 编号：{number}
right: ""
columns: [1, 2]
padding: 5
rows:
  - [{label: 姓名, down: 2}, {value: "{name}"}]
  - [{value: "{name}（盖章）", sealed: true}]
notes: [注意]
"""


def blank(folder: Path, text: str = TEXT) -> Blank:
    path = folder / "blank.yaml"
    path.write_text(text, encoding="utf-8")
    return Blank.from_file(path)


def test_values_stand_where_their_keys_stood(tmp_path: Path) -> None:
    sheet = blank(tmp_path).filled({"number": "1", "name": "张三"}, author="局", subject="事")
    assert sheet.left == "编号：1"
    assert sheet.grids[0].rows == (
        (Cell("姓名", "label", down=2), Cell("张三")),
        (Cell("张三（盖章）", sealed=True),),
    )


def test_a_value_is_text_and_no_template(tmp_path: Path) -> None:
    sheet = blank(tmp_path).filled({"number": "{name}", "name": "{0}{x}"}, author="局", subject="事")
    assert sheet.left == "编号：{name}"
    assert sheet.grids[0].rows[0][1].text == "{0}{x}"


def test_a_missing_value_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="number"):
        blank(tmp_path).filled({"name": "张三"}, author="局", subject="事")


def test_a_cell_is_of_one_kind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a cell is one of"):
        blank(tmp_path, TEXT.replace("{label: 姓名, down: 2}", "{text: 姓名}"))
