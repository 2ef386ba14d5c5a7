"""``docs/exchange-protocol.md`` says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from libs.exchange.bodies import BODIES
from libs.exchange.canonical import DEPTH_MAX, DOCUMENT_MAX_BYTES
from libs.exchange.envelope import MISSING_MAX, Document, Kind, Message, Receipt, Refusal, read, read_answer
from libs.exchange.faults import Code
from libs.exchange.incoming import PARKED_MAX
from libs.exchange.inspection import CLOCK_SKEW, answer_faults, authenticity_faults
from libs.exchange.retry import RetryPolicy
from libs.exchange.seals import KeyDirectory, Verifier
from libs.exchange.transitions import RULES, State

DOCUMENT = (Path(__file__).parents[3] / "docs" / "exchange-protocol.md").read_text("utf-8")
KEYS, MESSAGE, RECEIPT, REFUSAL = (
    json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
)


def test_the_example_verifies() -> None:
    verifier = Verifier(KeyDirectory.from_data(KEYS))
    message = read(Message, MESSAGE)
    assert authenticity_faults(message, verifier, message.created_at) == []
    assert f"```\n{message.sealed_bytes().decode()}\n```" in DOCUMENT
    assert f"`{message.digest()}`" in DOCUMENT
    for answer, shape in ((RECEIPT, Receipt), (REFUSAL, Refusal)):
        document = read_answer(answer)
        assert isinstance(document, shape)
        assert answer_faults(message, document, verifier, document.at) == []


@pytest.mark.parametrize("word", [*Kind, *State, *Code])
def test_every_kind_state_and_code_is_explained(word: str) -> None:
    assert f"`{word}`" in DOCUMENT


@pytest.mark.parametrize("kind", Kind)
def test_every_field_of_every_body_is_listed(kind: Kind) -> None:
    for version, body in BODIES[kind].items():
        section = DOCUMENT.split(f"### `{kind}` ")[1].split("\n### ")[0]
        assert f"version {version}" in section
        for name, field in body.model_fields.items():
            assert f"| `{name}` | {field.title} |" in section


@pytest.mark.parametrize("shape", [Message, Receipt, Refusal])
def test_every_field_of_every_document_is_listed(shape: type[Document]) -> None:
    section = DOCUMENT.split(f" {shape.__name__}\n")[1].split("\n##")[0]
    for name in shape.model_fields:
        assert f"`{name}`" in section


def test_every_rule_is_in_the_table() -> None:
    table = DOCUMENT.split("### 9.2 The table")[1].split("### 9.3")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) == len(RULES)
    for row, rule in zip(rows, RULES, strict=True):
        kind, by, states, then, _ = (cell.strip() for cell in row.strip("|").split(" | "))
        assert kind == f"`{rule.kind}`"
        assert by == rule.by
        assert then == (f"`{rule.then}`" if rule.then else "unchanged")
        assert ("**late**" in row) is rule.late
        if states != "any but `new`":
            assert set(re.findall(r"`(\w+)`", states)) == set(rule.states)


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"at most {DOCUMENT_MAX_BYTES:,} bytes" in DOCUMENT
    assert f"at most {DEPTH_MAX} levels" in DOCUMENT
    assert f"more than {CLOCK_SKEW.seconds // 60} minutes ahead" in DOCUMENT
    assert f"more than {PARKED_MAX} numbers ahead" in DOCUMENT
    assert f"the missing numbers, at most {MISSING_MAX}" in DOCUMENT
    policy = RetryPolicy()
    first, second = policy.first_delay_s, policy.first_delay_s * policy.factor
    pauses = f"again after {first:.0f} s, {second:.0f} s, 8 s … at most {policy.delay_max_s / 60:.0f} min"
    assert pauses in DOCUMENT
