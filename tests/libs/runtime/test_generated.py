"""The generated documents: complete, valid, and noticed when out of date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from schemathesis import openapi

from libs.contracts.registry import all_facts
from libs.runtime import generated as module
from libs.runtime.databases import SERVICES
from libs.runtime.generated import differences, documents, write


@pytest.fixture(scope="module")
def generated() -> dict[str, dict[str, Any]]:
    """All documents by file name."""
    return documents()


@pytest.fixture(scope="module")
def gateway(generated: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The one API document."""
    return generated["gateway.json"]


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """``GET /v1/x`` -> operation."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_every_service_and_fact_has_its_document(generated: dict[str, dict[str, Any]]) -> None:
    events = {f"events/{event_type}.json" for event_type in all_facts()}
    assert set(generated) == {"asyncapi.json", *(f"{service}.json" for service in SERVICES), *events}


def test_what_is_written_is_up_to_date_and_every_change_is_noticed(
    generated: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "documents", lambda: generated)
    write(tmp_path)
    assert differences(tmp_path) == []
    (tmp_path / "openapi" / "gateway.json").write_text("{}", encoding="utf-8")
    (tmp_path / "docs" / "settings.md").write_text("", encoding="utf-8")
    (tmp_path / "openapi" / "tracking.json").unlink()
    (tmp_path / "openapi" / "left-over.json").write_text("{}", encoding="utf-8")
    assert differences(tmp_path) == [
        "openapi/tracking.json is missing",
        "openapi/left-over.json is not generated any more",
        "docs/settings.md is out of date",
        "openapi/gateway.json is out of date",
    ]
    write(tmp_path)
    assert differences(tmp_path) == []


def test_every_operation_of_every_service_is_in_the_one_document(
    generated: dict[str, dict[str, Any]], gateway: dict[str, Any]
) -> None:
    public = operations(gateway)
    for service in SERVICES:
        assert set(operations(generated[f"{service}.json"])) <= set(public), service
    assert "POST /v1/auth/token" in public


def test_operation_ids_are_unique(gateway: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(gateway).values()]
    assert len(set(ids)) == len(ids)


def test_a_token_is_asked_for_everywhere_but_where_none_is_needed(gateway: dict[str, Any]) -> None:
    without = {name for name, operation in operations(gateway).items() if operation["security"] == []}
    assert {name for name in without if not name.startswith("GET /v1/regions")} == {
        "GET /.well-known/jwks.json",
        "POST /v1/auth/token",
        "POST /exchange/v1/messages",
    }
    schemes = gateway["components"]["securitySchemes"]
    for name, operation in operations(gateway).items():
        assert all(set(entry) <= set(schemes) for entry in operation["security"]), name


def test_every_refusal_is_documented_as_a_problem(gateway: dict[str, Any]) -> None:
    for name, operation in operations(gateway).items():
        content = operation["responses"]["default"]["content"]
        assert list(content) == ["application/problem+json"], name


# Operation -> why its body is not described.
UNTYPED = {
    "POST /exchange/v1/messages": "the seal is over the bytes; docs/exchange-protocol.md describes them"
}


FILE = {"type": "string", "format": "binary"}


def test_every_body_is_typed(gateway: dict[str, Any]) -> None:
    bodies = {
        (name, media_type): content.get("schema", {})
        for name, operation in operations(gateway).items()
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items()
    }
    typed = {
        (name, media_type)
        for (name, media_type), schema in bodies.items()
        if {"$ref", "oneOf", "anyOf"} & set(schema) or (media_type != "application/json" and schema == FILE)
    }
    assert {name for name, _ in bodies.keys() - typed} == set(UNTYPED)


def test_every_path_parameter_is_described(gateway: dict[str, Any]) -> None:
    for name, operation in operations(gateway).items():
        described = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        in_path = {part[1:-1] for part in name.split("/") if part.startswith("{")}
        assert described == in_path, name


def test_every_reference_leads_somewhere(generated: dict[str, dict[str, Any]]) -> None:
    for name in ("gateway.json", *(f"{service}.json" for service in SERVICES)):
        document = generated[name]
        resource = DRAFT202012.create_resource(document)
        resolver = Registry().with_resource("urn:document", resource).resolver("urn:document")
        for reference in _references(document):
            resolver.lookup(reference)


def test_a_generator_of_clients_can_read_every_operation(gateway: dict[str, Any]) -> None:
    schema = openapi.from_dict(json.loads(json.dumps(gateway)))
    found = [result.ok() for result in schema.get_all_operations()]
    assert len(found) == len(operations(gateway))


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
