"""The envelope on the wire: one spelling, everything but the body under the seal."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from libs.exchange.canonical import canonical, digest
from libs.exchange.envelope import Kind, Message, read
from libs.exchange.faults import ExchangeFault, Fault
from tests.libs.exchange import papers


def letter() -> Message:
    return papers.message(Kind.CONTACT_LETTER, papers.contact_letter())


def refusal(**changed: Any) -> list[Fault]:
    with pytest.raises(ExchangeFault) as raised:
        read(Message, {**letter().wire(), **changed})
    return raised.value.faults


def test_a_message_reads_back_as_it_was_written() -> None:
    message = letter()
    assert read(Message, message.wire()) == message


def test_the_seal_covers_every_field_but_the_body_which_its_digest_covers() -> None:
    message = letter()
    changes: dict[str, Any] = {
        "id": uuid7(),
        "kind": "inquiry",
        "kind_version": 2,
        "conversation": "c-2",
        "sequence": 2,
        "from_region": papers.WUHAN,
        "to_region": papers.WUHAN,
        "created_at": papers.MONDAY + dt.timedelta(microseconds=1),
        "expires_at": papers.MONDAY,
        "body_digest": "sha256:" + "0" * 64,
        "answers_digest": "sha256:" + "0" * 64,
        "document": "receipt",
        "protocol": "yibao-exchange/2",
    }
    assert changes.keys() == Message.model_fields.keys() - {"body", "seal"}
    for name, value in changes.items():
        changed = message.model_copy(update={name: value})
        assert json.loads(changed.sealed_bytes()) != json.loads(message.sealed_bytes()), name
    assert message.model_copy(update={"body": {}}).sealed_bytes() == message.sealed_bytes()
    assert message.body_digest == digest(canonical(message.body))


@pytest.mark.parametrize(
    ("field", "spelling"),
    [
        ("id", "0195B2C4-0000-7000-8000-000000000001"),
        ("sequence", "1"),
        ("sequence", True),
        ("created_at", "2026-03-02T01:30:00Z"),
        ("created_at", "2026-13-02T09:30:00.000000+08:00"),
        ("created_at", 1772415000),
        ("id", "0195b2c4-0000-4000-8000-000000000001"),
        ("from_region", "37040"),
        ("conversation", "../../etc"),
        ("body_digest", "sha256:00"),
        ("protocol", "yibao-exchange/2"),
    ],
)
def test_another_spelling_is_refused_by_name(field: str, spelling: object) -> None:
    faults = refusal(**{field: spelling})
    assert [fault.field for fault in faults] == [field]
    assert f"（{field}）" in faults[0].message
    assert "应为" in faults[0].message


def test_all_faults_are_named_at_once() -> None:
    wire = letter().wire()
    del wire["kind"]
    with pytest.raises(ExchangeFault) as raised:
        read(Message, {**wire, "sequence": 0, "to_region": "烟台", "colour": "red"})
    assert {fault.field for fault in raised.value.faults} == {"kind", "sequence", "to_region", "colour"}


def test_an_optional_field_left_out_is_refused_because_the_seal_covers_it() -> None:
    wire = letter().wire()
    del wire["answers_digest"]
    with pytest.raises(ExchangeFault) as raised:
        read(Message, wire)
    assert [fault.field for fault in raised.value.faults] == ["answers_digest"]
