"""The CloudEvents 1.0 envelope, in structured mode: one event is one JSON object.

Beyond the core attributes it carries ``partitionkey`` (CloudEvents partitioning extension: facts
of one key stay in order), ``regioncode`` (GB/T 2260) and ``traceparent`` (distributed tracing
extension, absent where nothing is traced).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import orjson
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from uuid_utils.compat import uuid7

from libs.contracts.base import Fact, producer_of

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"

_PROPAGATOR = TraceContextTextMapPropagator()


class BrokenEnvelope(ValueError):
    """The bytes are no CloudEvents 1.0 envelope of ours; the message says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as it travels. ``time`` is aware; ``data`` is the fact as plain JSON values."""

    id: UUID
    source: str
    type: str
    subject: str
    time: dt.datetime
    data: dict[str, Any]
    partitionkey: str
    regioncode: str
    traceparent: str | None = None
    specversion: str = SPEC_VERSION
    datacontenttype: str = CONTENT_TYPE

    @classmethod
    def of(
        cls,
        fact: Fact,
        *,
        key: str,
        region_code: str,
        subject: str,
        at: dt.datetime,
        trace: tuple[str | None] | None = None,
    ) -> Self:
        """Wrap a fact; the id is a new UUIDv7, the trace is the caller's current one.

        ``trace`` is that one where the caller has asked for it once for many (``(current_trace(),)``).
        """
        if at.tzinfo is None:
            raise ValueError("the time of an event needs its time zone")
        return cls(
            id=uuid7(),
            source=f"/yibao/{producer_of(fact.event_type)}",
            type=fact.event_type,
            subject=subject,
            time=at,
            data=fact.model_dump(mode="json"),
            partitionkey=key,
            regioncode=region_code,
            traceparent=trace[0] if trace else current_trace(),
        )

    def to_bytes(self) -> bytes:
        """The event as UTF-8 JSON, attributes in a fixed order."""
        attributes: dict[str, Any] = {
            "specversion": self.specversion,
            "id": str(self.id),
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time.isoformat(),
            "datacontenttype": self.datacontenttype,
            "partitionkey": self.partitionkey,
            "regioncode": self.regioncode,
        }
        if self.traceparent is not None:
            attributes["traceparent"] = self.traceparent
        return orjson.dumps(attributes | {"data": self.data})

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read an event. Attributes we do not know are ignored. Raises ``BrokenEnvelope``."""
        try:
            attributes = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BrokenEnvelope(f"no JSON: {error}") from error
        if not isinstance(attributes, dict):
            raise BrokenEnvelope("no JSON object")
        if attributes.get("specversion") != SPEC_VERSION:
            raise BrokenEnvelope(f"specversion is not {SPEC_VERSION}")
        data = attributes.get("data")
        if not isinstance(data, dict):
            raise BrokenEnvelope("data is no JSON object")
        return cls(
            id=_identifier(attributes),
            source=_text(attributes, "source"),
            type=_text(attributes, "type"),
            subject=_text(attributes, "subject"),
            time=_moment(attributes),
            data=data,
            partitionkey=_text(attributes, "partitionkey"),
            regioncode=_text(attributes, "regioncode"),
            traceparent=_text(attributes, "traceparent") if "traceparent" in attributes else None,
        )


def _text(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise BrokenEnvelope(f"{name} is missing or no text")
    return value


def _identifier(attributes: Mapping[str, Any]) -> UUID:
    try:
        return UUID(_text(attributes, "id"))
    except ValueError as error:
        raise BrokenEnvelope("id is no UUID") from error


def _moment(attributes: Mapping[str, Any]) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(_text(attributes, "time"))
    except ValueError as error:
        raise BrokenEnvelope("time is no RFC 3339 moment") from error
    if moment.tzinfo is None:
        raise BrokenEnvelope("time has no time zone")
    return moment


def current_trace() -> str | None:
    """The ``traceparent`` of the work at hand, if it is traced."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")
