from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from libs.refusals.faults import Refusal
from services.enrollment.domain.crediting.packs import FOLDER, Pack, Packs, pack_of, packs


def test_a_county_follows_its_city_and_the_city_its_province() -> None:
    assert packs().crediting("370402", "2024-01").name == "370400-crediting@2023"
    assert packs().crediting("370402", "2020-01").name == "370000-crediting@2010"
    assert packs().retirement("370402", dt.date(2024, 1, 1)).name == "370000-retirement@2010"


def test_retiring_follows_the_rule_of_the_day() -> None:
    assert packs().retirement("420100", dt.date(2027, 12, 31)).years_needed == {"男": 30, "女": 25}
    assert packs().retirement("420100", dt.date(2028, 1, 1)).years_needed == {"男": 30, "女": 30}


@pytest.mark.parametrize(
    ("region", "month", "told"),
    [
        ("000000", "2024-01", "不存在"),
        ("110000", "2024-01", "均未配置"),
        ("370400", "1999-12", "不适用于1999-12"),
    ],
)
def test_where_there_is_no_rule_that_is_said(region: str, month: str, told: str) -> None:
    with pytest.raises(Refusal, match=told):
        packs().crediting(region, month)


def test_a_date_without_a_rule_is_refused() -> None:
    with pytest.raises(Refusal, match="不适用于2000-12-31"):
        packs().retirement("370400", dt.date(2000, 12, 31))


def test_two_rules_for_one_month_are_found_when_the_pack_is_read() -> None:
    content = pack_of(FOLDER / "370000.yaml").model_dump()
    content["crediting"][0]["to_month"] = "2023-01"
    with pytest.raises(ValidationError, match="overlap"):
        Pack.model_validate(content)


def test_no_packs_no_rules() -> None:
    with pytest.raises(Refusal, match="均未配置"):
        Packs([]).crediting("370400", "2024-01")
