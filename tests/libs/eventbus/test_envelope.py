from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from libs.eventbus.envelope import BrokenEnvelope, Event
from tests.libs.eventbus.harness import AT, Noted

EVENT = Event.of(Noted(n=7), key="case-1", region_code="370400", subject="case-1", at=AT)


def changed(**attributes: Any) -> bytes:
    """The event as JSON with some attributes replaced, or left out (None)."""
    whole = orjson.loads(EVENT.to_bytes()) | attributes
    return orjson.dumps({name: value for name, value in whole.items() if value is not None})


def test_an_event_survives_the_wire_unchanged() -> None:
    assert Event.from_bytes(EVENT.to_bytes()) == EVENT


def test_the_wire_form_is_cloudevents_1_0_in_structured_mode() -> None:
    attributes = orjson.loads(EVENT.to_bytes())
    assert attributes == {
        "specversion": "1.0",
        "id": str(EVENT.id),
        "source": "/yibao/sample",
        "type": "cn.yibao.sample.noted.v1",
        "subject": "case-1",
        "time": "2026-03-02T09:30:00+08:00",
        "datacontenttype": "application/json",
        "partitionkey": "case-1",
        "regioncode": "370400",
        "data": {"n": 7},
    }


def test_ids_are_uuid7() -> None:
    assert EVENT.id.version == 7


def test_the_current_trace_travels_along() -> None:
    span = NonRecordingSpan(SpanContext(0xA1, 0xB2, is_remote=False, trace_flags=TraceFlags(1)))
    with trace.use_span(span):
        event = Event.of(Noted(n=1), key="k", region_code="370400", subject="s", at=AT)
    assert event.traceparent == f"00-{0xA1:032x}-{0xB2:016x}-01"
    assert Event.from_bytes(event.to_bytes()) == event


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Event.of(Noted(n=1), key="k", region_code="370400", subject="s", at=dt.datetime(2026, 3, 2))  # noqa: DTZ001


def test_attributes_of_later_releases_are_ignored() -> None:
    assert Event.from_bytes(changed(later="attribute")) == EVENT


@pytest.mark.parametrize(
    "name", ["id", "source", "type", "subject", "time", "partitionkey", "regioncode", "data"]
)
def test_an_event_without_a_required_attribute_is_broken(name: str) -> None:
    with pytest.raises(BrokenEnvelope, match=name):
        Event.from_bytes(changed(**{name: None}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"),
        ("id", "7"),
        ("id", 7),
        ("time", "yesterday"),
        ("time", "2026-03-02T09:30:00"),
        ("data", [1]),
        ("type", ""),
        ("subject", "a\0b"),
    ],
)
def test_an_event_with_a_wrong_attribute_is_broken(name: str, value: object) -> None:
    with pytest.raises(BrokenEnvelope, match=name):
        Event.from_bytes(changed(**{name: value}))


@given(
    st.one_of(
        st.binary(), st.sampled_from([b"[]", b"{}", b"null", b'"x"', b"\xff\xfe", b'{"id": "\\ud800"}'])
    )
)
def test_no_bytes_do_worse_than_broken(body: bytes) -> None:
    with pytest.raises(BrokenEnvelope):
        Event.from_bytes(body)
