"""The same content has the same bytes; what has no canonical form is refused by name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.exchange.canonical import DEPTH_MAX, DOCUMENT_MAX_BYTES, INTEGER_MAX, canonical, digest, parse
from libs.exchange.faults import FAULTS_MAX, Code, ExchangeFault, Fault

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


def refusal(raw: bytes) -> list[Fault]:
    with pytest.raises(ExchangeFault) as raised:
        parse(raw)
    return raised.value.faults


@given(st.dictionaries(texts, values, max_size=4))
def test_what_is_written_reads_back_the_same(value: dict[str, object]) -> None:
    assert parse(canonical(value)) == value


@given(st.dictionaries(texts, values, min_size=2, max_size=4))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical(turned) == canonical(value)


def test_keys_are_sorted_by_utf_16_code_units_as_rfc_8785_says() -> None:
    shuffled = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\u0080": 6, "ö": 7}
    assert list(json.loads(canonical(shuffled))) == ["\r", "1", "\u0080", "ö", "€", "😀", "\ufb33"]


def test_strings_have_the_shortest_escapes() -> None:
    assert canonical({"a": "€$\x0f\nA'B\"\\/"}) == '{"a":"€$\\u000f\\nA\'B\\"\\\\/"}'.encode()


def test_a_digest_names_its_suite() -> None:
    empty_object = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest(canonical({})) == f"sha256:{empty_object}"


def test_every_fraction_is_named() -> None:
    faults = refusal(b'{"body":{"amount":1.5,"rows":[{"rate":1e3},NaN]}}')
    assert [fault.field for fault in faults] == ["body.amount", "body.rows[0].rate", "body.rows[1]"]
    assert all("以分为单位的整数" in fault.message for fault in faults)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "合法的 JSON"),
        (b"[1]", "JSON 对象"),
        (b"\xff", "UTF-8"),
        (b'{"a":1,"a":2}', "只能出现一次"),
        (b'{"a":"\\u0000"}', "U+0000"),
        (b'{"a":"\\ud800"}', "代理字符"),
        (b'{"a\\u0000":1}', "U+0000"),
        (b'{"a":9007199254740992}', str(INTEGER_MAX)),
        (b'{"a":' + b"9" * 5000 + b"}", "合法的 JSON"),
        (b"[" * 100_000, "合法的 JSON"),
        (b'{"a":' + b"[" * 30 + b"]" * 30 + b"}", f"{DEPTH_MAX}层"),
    ],
)
def test_bad_input_is_refused_in_chinese(raw: bytes, said: str) -> None:
    faults = refusal(raw)
    assert [fault.code for fault in faults] == [Code.MALFORMED]
    assert said in faults[0].message
    canonical([fault.model_dump(mode="json") for fault in faults])  # fit for a sealed answer


def test_a_document_at_the_limit_is_read_and_one_byte_more_is_refused() -> None:
    at_limit = b'{"a":1}'.ljust(DOCUMENT_MAX_BYTES)
    assert parse(at_limit) == {"a": 1}
    assert [fault.code for fault in refusal(at_limit + b" ")] == [Code.TOO_LARGE]


def test_a_flood_of_faults_is_cut_off() -> None:
    raw = json.dumps({"a": [0.5] * 10_000}).encode()
    assert len(refusal(raw)) == FAULTS_MAX
