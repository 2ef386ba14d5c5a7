"""Bodies: what each form must hold, and every fault at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from libs.exchange.bodies import BODIES, Body, Correction, money_of, read_body, write_body
from libs.exchange.envelope import Kind
from libs.exchange.faults import Code, ExchangeFault, Fault
from libs.exchange.forms import amount_in_words, document_number, months_between
from tests.libs.exchange import papers

GOOD: dict[Kind, Body] = {
    Kind.TRANSFER_APPLICATION: papers.application(),
    Kind.CONTACT_LETTER: papers.contact_letter(),
    Kind.INFORMATION_SHEET: papers.sheet(),
    Kind.FUND_NOTICE: papers.fund_notice(),
    Kind.RETURN_FOR_CORRECTION: papers.returned(),
    Kind.CORRECTION: Correction(
        replaces=(papers.message(Kind.INFORMATION_SHEET, papers.sheet()).id,),
        reason="更正月数",
        information_sheet=papers.sheet(),
    ),
    Kind.WITHDRAWAL: papers.withdrawal(),
    Kind.COMPLETION: papers.completion(),
    Kind.INQUIRY: papers.inquiry(),
}


def faults(kind: Kind, body: dict[str, Any], version: int = 1) -> list[Fault]:
    with pytest.raises(ExchangeFault) as raised:
        read_body(kind, version, body)
    return raised.value.faults


def sheet_faults(*rows: tuple[str, str, int], **changed: Any) -> list[Fault]:
    body = write_body(papers.sheet()) | changed
    if rows:
        template = body["periods"][0]
        body["periods"] = [
            template | {"from_month": first, "to_month": last, "months": months}
            for first, last, months in rows
        ]
    return faults(Kind.INFORMATION_SHEET, body)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_reads_back_as_it_was_written(kind: Kind) -> None:
    assert read_body(kind, 1, write_body(GOOD[kind])) == GOOD[kind]


@pytest.mark.parametrize("kind", Kind)
def test_an_empty_body_names_every_required_field(kind: Kind) -> None:
    required = {f"body.{name}" for name, f in BODIES[kind][1].model_fields.items() if f.is_required()}
    assert {fault.field for fault in faults(kind, {})} == required


@pytest.mark.parametrize("kind", Kind)
def test_every_field_has_a_chinese_name(kind: Kind) -> None:
    def unnamed(model: type[BaseModel]) -> list[str]:
        return [name for name, field in model.model_fields.items() if not field.title]

    assert unnamed(BODIES[kind][1]) == []
    assert BODIES[kind][1].model_config.get("title")


@pytest.mark.parametrize("wrong", [None, 1, -1, "", "x", "1.5", True, [], {}, ["x"], {"x": 1}, "长" * 2000])
@pytest.mark.parametrize("kind", Kind)
def test_whatever_is_wrong_is_said_in_chinese_with_the_fields_name(kind: Kind, wrong: Any) -> None:
    good = write_body(GOOD[kind])
    for name in good:
        try:
            read_body(kind, 1, good | {name: wrong})
        except ExchangeFault as refused:
            for fault in refused.faults:
                assert fault.code is Code.BODY_INVALID
                assert fault.field.startswith(f"body.{name}") or fault.field == "body"
                said = fault.message.split("：", 1)[1]
                assert re.search(r"[\u4e00-\u9fff]", said), fault
                assert "填写不对" not in said, fault


def test_nested_faults_carry_path_and_name() -> None:
    body = write_body(papers.sheet())
    body["periods"][1]["months"] = "10"
    body["periods"][0]["from_month"] = "2022-13"
    body["person"].pop("name")
    found = {fault.field: fault.message for fault in faults(Kind.INFORMATION_SHEET, body)}
    assert found == {
        "body.person.name": "参保人员姓名（body.person.name）：必填",
        "body.periods[0].from_month": (
            "参保时间第1项自年月（body.periods[0].from_month）：应为年月，例如 2021-03"
        ),
        "body.periods[1].months": "参保时间第2项参保缴费月数小计（body.periods[1].months）：应为整数",
    }


def test_an_interruption_must_start_a_new_row() -> None:
    (fault,) = sheet_faults(("2022-01", "2022-12", 10))
    assert "第1行自2022-01至2022-12共12个月，缴费月数却是10" in fault.message


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((("2023-01", "2023-06", 6), ("2022-01", "2022-06", 6)), "第2行2022-01起，与第1行"),
        ((("2022-01", "2022-06", 6), ("2022-06", "2022-12", 7)), "同一月份不重复计算"),
        ((("2022-06", "2022-01", 1),), "应自先至后"),
    ],
)
def test_rows_are_in_order_and_no_month_counts_twice(rows: Any, said: str) -> None:
    (fault,) = sheet_faults(*rows)
    assert said in fault.message


def test_adjoining_months_are_no_overlap() -> None:
    rows = [
        {"from_month": "2022-01", "to_month": "2022-06", "months": 6},
        {"from_month": "2022-07", "to_month": "2022-07", "months": 1},
    ]
    body = write_body(papers.sheet())
    body["periods"] = [body["periods"][0] | row for row in rows]
    read_body(Kind.INFORMATION_SHEET, 1, body)


def test_another_insurance_needs_a_remark() -> None:
    body = write_body(papers.sheet())
    body["periods"][0]["insurance"] = "other"
    (fault,) = faults(Kind.INFORMATION_SHEET, body)
    assert "应在备注说明" in fault.message


def test_the_amount_in_words_must_be_that_of_the_figures() -> None:
    (fault,) = sheet_faults(account_amount_in_words="贰仟叁佰元整")
    assert "应为“贰仟叁佰肆拾伍元陆角柒分”" in fault.message


@pytest.mark.parametrize(
    ("amount_fen", "words"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (10, "壹角"),
        (100, "壹元整"),
        (230005, "贰仟叁佰元零伍分"),
        (230050, "贰仟叁佰元伍角"),
        (1000500, "壹万零伍元整"),
        (10_000_000_001, "壹亿元零壹分"),
    ],
)
def test_amounts_in_words(amount_fen: int, words: str) -> None:
    assert amount_in_words(amount_fen) == words


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_different_amounts_have_different_words(one: int, other: int) -> None:
    assert (amount_in_words(one) == amount_in_words(other)) is (one == other)


def test_numbers_are_those_of_the_forms() -> None:
    assert document_number("山东省", "枣庄市", 2026, 12) == "(山东省)(枣庄市)(2026)(第0012号)"
    (fault,) = sheet_faults(number="鲁枣2026-12")
    assert "应为(省份)(统筹地区)(年份)(第XXXX号)" in fault.message


def test_months_are_counted_with_both_ends() -> None:
    assert months_between("2021-11", "2022-02") == 4
    assert months_between("2022-02", "2022-02") == 1
    assert months_between("2022-03", "2022-02") == 0


def test_a_completion_with_money_needs_its_date() -> None:
    body = write_body(papers.completion())
    del body["credited_on"]
    (fault,) = faults(Kind.COMPLETION, body)
    assert "计入日期（credited_on）" in fault.message


def test_a_correction_corrects_the_documents_of_one_side() -> None:
    body = write_body(GOOD[Kind.CORRECTION]) | {"contact_letter": write_body(papers.contact_letter())}
    (fault,) = faults(Kind.CORRECTION, body)
    assert "之一" in fault.message


def test_unknown_kinds_and_versions_are_refused_naming_the_known_ones() -> None:
    (unknown,) = (fault for fault in _faults_of_kind("greeting"))
    assert unknown.code is Code.KIND_UNKNOWN
    assert "contact_letter" in unknown.message
    (version,) = faults(Kind.WITHDRAWAL, write_body(papers.withdrawal()), version=2)
    assert version.code is Code.VERSION_UNSUPPORTED
    assert "支持第1版" in version.message


def _faults_of_kind(kind: str) -> list[Fault]:
    with pytest.raises(ExchangeFault) as raised:
        read_body(kind, 1, {})
    return raised.value.faults


def test_money_is_what_the_documents_say() -> None:
    assert money_of(papers.sheet(5)) == {"sheet": 5}
    assert money_of(papers.fund_notice(6)) == {"funds": 6}
    assert money_of(papers.completion(7)) == {"credited": 7}
    both = papers.correction(
        papers.message(Kind.INFORMATION_SHEET, papers.sheet()).id,
        sheet=papers.sheet(8),
        funds=papers.fund_notice(8),
    )
    assert money_of(both) == {"sheet": 8, "funds": 8}
    assert money_of(papers.withdrawal()) == {}
