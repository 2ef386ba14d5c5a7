"""One-time notice: everything at once, each with its rule; what may stand in for what."""

from __future__ import annotations

from typing import Any

import pytest

from libs.casework.completeness import Submitted, ask_again, check
from libs.catalogue.schema import Material, RequiredField, When
from libs.catalogue.situation import Situation
from libs.refusals.faults import Fault, Refusal
from tests.libs.casework.items import item


def material(key: str, **changes: Any) -> Material:
    return Material(text=key, at="L7", key=key, name=f"材料{key}", **changes)


def codes(materials: list[Material], *handed_in: Submitted, situation: Situation | None = None) -> list[str]:
    found = check("test-2026", item(materials=materials), situation or Situation(), {}, handed_in)
    return [fault.pointer for fault in found.faults]


def test_fields_and_materials_are_named_together_in_the_documents_order() -> None:
    fields = [RequiredField(text=f"信息{key}", at="L3", key=key) for key in ("name", "phone", "area")]
    found = check(
        "test-2026",
        item(required_fields=fields, materials=[material("a"), material("b")]),
        Situation(),
        {"name": "王五", "phone": "  ", "area": None},
        [],
        {"phone": "/applicant/telephone"},
    )

    assert not found.is_complete
    assert [fault.pointer for fault in found.faults] == [
        "/applicant/telephone",
        "/payload/area",
        "/materials/a",
        "/materials/b",
    ]
    assert {fault.rule for fault in found.faults} == {
        "test-2026 第11项《转移接续手续办理》，L3",
        "test-2026 第11项《转移接续手续办理》，L7",
    }
    assert found.faults[0].message == "缺少必填信息“信息phone”，请补充。"


def test_zero_and_false_are_values() -> None:
    fields = [RequiredField(text="数", at="L3", key=key) for key in ("zero", "no")]
    assert check("e", item(required_fields=fields), Situation(), {"zero": 0, "no": False}, []).is_complete


@pytest.mark.parametrize(
    ("situation", "needed"),
    [
        (Situation(person_kind="employee"), ["/materials/always"]),
        (Situation(person_kind=frozenset({"employee", "agent"})), ["/materials/always", "/materials/agent"]),
        (
            Situation(person_kind=frozenset({"employee", "agent", "foreigner"}), scope="cross_province"),
            ["/materials/always", "/materials/agent", "/materials/far-foreigner"],
        ),
        (Situation(person_kind="foreigner", scope="in_province"), ["/materials/always"]),
        (Situation(person_kind="foreigner"), ["/materials/always"]),
    ],
)
def test_conditions_decide_what_is_needed(situation: Situation, needed: list[str]) -> None:
    """Several kinds of person at once; all dimensions of a condition must hold; the unknown does not."""
    materials = [
        material("always"),
        material("agent", when=When(person_kind=["agent"])),
        material("far-foreigner", when=When(person_kind=["foreigner", "hmt"], scope=["cross_province"])),
        material("on-request", required=False),
    ]
    assert codes(materials, situation=situation) == needed


def test_one_of_several_alternatives_is_enough() -> None:
    materials = [material("id", one_of="identity"), material("other"), material("card", one_of="identity")]

    assert codes(materials, Submitted("card"), Submitted("other")) == []
    missing = check("e", item(materials=materials), Situation(), {}, [Submitted("other")])
    [fault] = missing.faults
    assert (fault.pointer, "材料id或材料card" in fault.message) == ("/materials/id,card", True)


def test_an_alternative_that_does_not_apply_is_not_offered() -> None:
    materials = [material("id", one_of="x"), material("permit", one_of="x", when=When(person_kind=["hmt"]))]
    assert codes(materials) == ["/materials/id"]


def test_a_commitment_stands_in_only_where_the_item_allows_it() -> None:
    strict, lenient = material("strict"), material("lenient", commitment_allowed=True)
    commitments = [Submitted("strict", by_commitment=True), Submitted("lenient", by_commitment=True)]

    [fault] = check("e", item(materials=[strict, lenient]), Situation(), {}, commitments).faults

    assert fault.message == "“材料strict”不能以个人承诺书代替，请提交原件或电子证照。"
    [missing] = check("e", item(materials=[lenient]), Situation(), {}, []).faults
    assert "（可提交个人承诺书）" in missing.message


@pytest.mark.parametrize("order", [(False, True), (True, False)])
def test_a_commitment_handed_in_beside_the_original_does_not_spoil_it(order: tuple[bool, bool]) -> None:
    handed_in = [Submitted("strict", by_commitment=commitment) for commitment in order]
    assert codes([material("strict")], *handed_in) == []


FAULT = Fault("missing_material", "缺少材料。", "/materials/a")


def test_the_first_notice_needs_nobody() -> None:
    assert ask_again([], [FAULT], None, None) is False


@pytest.mark.parametrize(("supervisor", "reason"), [(None, "看漏了"), ("s", None), ("s", "  "), (None, None)])
def test_a_second_notice_needs_a_supervisor_and_a_reason(supervisor: str | None, reason: str | None) -> None:
    with pytest.raises(Refusal, match="已经一次性告知过") as refused:
        ask_again([FAULT], [FAULT], supervisor, reason)
    assert [fault.pointer for fault in refused.value.faults] == ["/materials/a"]


def test_with_both_it_is_a_repetition() -> None:
    assert ask_again(iter([FAULT]), [FAULT], "s", "看漏了") is True
