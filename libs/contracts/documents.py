"""The events as documents for others: AsyncAPI 3.0 and a JSON Schema (2020-12) for every fact."""

from __future__ import annotations

from typing import Any

from libs.contracts.base import Fact, producer_of, topic_of
from libs.contracts.registry import all_facts

Document = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

# CloudEvents 1.0 in structured mode with the extensions of libs/eventbus/envelope.py.
_ENVELOPE: Document = {
    "type": "object",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "format": "uuid"},
        "source": {"type": "string", "format": "uri-reference"},
        "type": {"type": "string"},
        "subject": {"type": "string", "description": "case number or person key"},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "partitionkey": {"type": "string", "description": "facts of one key stay in order"},
        "regioncode": {"type": "string", "pattern": r"^\d{6}$"},
        "traceparent": {"type": "string"},
        "data": {"type": "object"},
    },
    "required": [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "partitionkey",
        "regioncode",
        "data",
    ],
}


def fact_schema(fact: type[Fact]) -> Document:
    """JSON Schema of a fact's ``data``."""
    return {"$schema": _DIALECT, "$id": f"urn:yibao:event:{fact.event_type}", **fact.model_json_schema()}


def async_api(title: str, version: str) -> Document:
    """All topics with the messages on them."""
    facts = all_facts()
    topics = sorted({topic_of(event_type) for event_type in facts})
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version},
        "defaultContentType": "application/cloudevents+json",
        "channels": {topic: _channel(topic) for topic in topics},
        "operations": {f"publish_{topic.rpartition('.')[2]}": _publishing(topic) for topic in topics},
        "components": {
            "messages": {fact.__name__: _message(fact) for fact in facts.values()},
            "schemas": {"CloudEvent": _ENVELOPE} | {fact.__name__: _inlined(fact) for fact in facts.values()},
        },
    }


def _channel(topic: str) -> Document:
    told = [fact for event_type, fact in all_facts().items() if topic_of(event_type) == topic]
    return {
        "address": topic,
        "description": f"Facts of the {producer_of(told[0].event_type)} service, in order per partitionkey.",
        "messages": {fact.__name__: {"$ref": f"#/components/messages/{fact.__name__}"} for fact in told},
    }


def _publishing(topic: str) -> Document:
    return {"action": "send", "channel": {"$ref": f"#/channels/{topic}"}}


def _message(fact: type[Fact]) -> Document:
    own = {"type": {"const": fact.event_type}, "data": {"$ref": f"#/components/schemas/{fact.__name__}"}}
    return {
        "name": fact.event_type,
        "summary": (fact.__doc__ or fact.__name__).strip().partition("\n")[0],
        "payload": {"allOf": [{"$ref": "#/components/schemas/CloudEvent"}, {"properties": own}]},
    }


def _inlined(fact: type[Fact]) -> Document:
    """The fact's schema with its parts kept inside it, where references can reach them."""
    return fact.model_json_schema(ref_template=f"#/components/schemas/{fact.__name__}/$defs/{{model}}")
