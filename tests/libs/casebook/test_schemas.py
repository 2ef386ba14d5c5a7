"""A case on the wire, and what requests may say."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from libs.casebook.schemas import (
    AgentBody,
    Body,
    MaterialBody,
    PersonBody,
    RegionCode,
    WithdrawAction,
    case_view,
)
from libs.casework.deadlines import CaseClock, TimeAllowed
from libs.catalogue.schema import Unit
from libs.identifiers.made_up import MadeUp
from libs.refusals.faults import Fault
from tests.libs.casebook.conftest import Desk

PERSON = MadeUp(1).person("370402")
GOOD: dict[str, Any] = {
    "credential_type": "resident_id",
    "credential_no": PERSON.id_number,
    "name": PERSON.name,
    "telephone": PERSON.telephone,
}


def places(model: type[BaseModel], body: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(body)
    return {(".".join(map(str, error["loc"])), error["type"]) for error in refused.value.errors()}


def test_a_credential_is_made_uniform() -> None:
    body = PersonBody.model_validate(
        GOOD | {"credential_no": f" {PERSON.id_number[:6]} {PERSON.id_number[6:].lower()} "}
    )
    assert body.credential.number == PERSON.id_number
    assert body.name == PERSON.name


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"credential_no": PERSON.id_number[:-1]}, {("credential_no", "value_error")}),
        ({"credential_type": "badge"}, {("credential_type", "enum")}),
        (
            {"credential_type": "badge", "name": ""},
            {("credential_type", "enum"), ("name", "string_too_short")},
        ),
        ({"name": " \t\u3000"}, {("name", "string_too_short")}),
        ({"name": "王" * 101}, {("name", "string_too_long")}),
        ({"name": "王\x00五"}, {("name", "string_pattern_mismatch")}),
        ({"telephone": "12"}, {("telephone", "string_pattern_mismatch")}),
        ({"telephone": "１２３４５６７"}, {("telephone", "string_pattern_mismatch")}),
        ({"nickname": "小五"}, {("nickname", "extra_forbidden")}),
    ],
)
def test_every_fault_of_a_person_is_named_by_its_field(
    changes: dict[str, Any], found: set[tuple[str, str]]
) -> None:
    assert places(PersonBody, GOOD | changes) == found


def test_an_agent_leaves_a_telephone() -> None:
    assert places(AgentBody, {**GOOD, "telephone": None, "relation": "配偶"}) == {
        ("telephone", "string_type")
    }


@pytest.mark.parametrize(
    "body",
    [
        {"key": "id", "source": "commitment"},
        {"key": "id", "source": "original", "commitment_text": "本人承诺"},
        {"key": "ID"},
        {"key": "id", "content_digest": "x"},
    ],
)
def test_a_commitment_and_its_text_belong_together(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MaterialBody.model_validate(body)


class Region(Body):
    code: RegionCode


@pytest.mark.parametrize("code", ["３７０４００", "37040", "3704000", "970400", "٣٧٠٤٠٠"])
def test_a_region_code_is_six_ascii_digits(code: str) -> None:
    with pytest.raises(ValidationError):
        Region(code=code)


def test_a_reason_is_as_long_as_the_forms_between_agencies_take_it() -> None:
    WithdrawAction(reason="因" * 1000)
    assert places(WithdrawAction, {"reason": "因" * 1001}) == {("reason", "string_too_long")}


async def test_a_view_masks_the_name_below_clearance_and_shows_the_pause(desk: Desk) -> None:
    case = await desk.open()
    clock = CaseClock.start(TimeAllowed(9, Unit.WORKING_DAY), dt.date(2026, 3, 9)).pause(dt.date(2026, 3, 11))
    paused = replace(case, clock=clock)

    view = case_view(paused, {"checking": "受理审查"}, [Fault("a", "缺。", "/a", "规定")], full_name=False)

    assert view.applicant_name == "王**"
    assert view.due is not None
    assert (view.due.on, view.due.paused_since, view.due.allowed) == (None, dt.date(2026, 3, 11), "9个工作日")
    assert (view.region_name, view.stage_name, view.status_name) == ("枣庄市", "受理审查", "已申请")
    assert [item.rule for item in view.notice] == ["规定"]
    assert case_view(paused, {}, [], full_name=True).applicant_name == "王小五"
    assert case_view(case, {}, [], full_name=True).due is None
