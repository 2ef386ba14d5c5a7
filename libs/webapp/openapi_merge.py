"""One OpenAPI document out of many: a pure function on dicts.

Paths and schemas are united. A schema two services define differently under one name, and an
operation id two operations share, are told apart by the later service's name (``TransferCaseView``).
One path and method in two services must mean the same: everything but the request body is equal.
The bodies become alternatives told apart by a discriminator of their own or of their one property
that differs (``payload``), or else by the case number in the path, which names the service.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

Document = dict[str, Any]

_SCHEMA = "#/components/schemas/"
CASE_NUMBER = "{case_no}"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class MergeConflictError(ValueError):
    """Two documents contradict each other; the message names the place and the services."""


def merge(title: str, version: str, documents: Mapping[str, Document]) -> Document:
    """Unite the documents (by service, in this order). Raises MergeConflictError."""
    merged = _Merged()
    for service, document in documents.items():
        merged.add(service, copy.deepcopy(document))
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": dict(sorted(merged.paths.items())),
        "components": {"schemas": dict(sorted(merged.schemas.items()))},
    }


class _Merged:
    def __init__(self) -> None:
        self.paths: Document = {}
        self.schemas: Document = {}
        self._services_of_paths: dict[str, str] = {}
        self._operation_ids: dict[str, tuple[str, str]] = {}

    def add(self, service: str, document: Document) -> None:
        document = self._with_own_schema_names(service, document)
        self.schemas |= document.get("components", {}).get("schemas", {})
        for path, item in document["paths"].items():
            self._require_one_spelling(service, path)
            for method in METHODS:
                if method in item:
                    self._add_operation(service, path, method, item[method])

    def _with_own_schema_names(self, service: str, document: Document) -> Document:
        schemas = document.get("components", {}).get("schemas", {})
        taken = {name for name, schema in schemas.items() if self.schemas.get(name, schema) != schema}
        # A schema that names a renamed one has changed with it.
        while grown := {
            name
            for name, schema in schemas.items()
            if name not in taken and name in self.schemas and _names_of(schema) & taken
        }:
            taken |= grown
        names = {name: _pascal(service) + name for name in taken}
        renamed: Document = _mapped_references(document, lambda name: names.get(name, name))
        if "components" in renamed:
            renamed["components"]["schemas"] = {
                names.get(name, name): schema
                for name, schema in renamed["components"].get("schemas", {}).items()
            }
        return renamed

    def _require_one_spelling(self, service: str, path: str) -> None:
        """``/x/{case_no}`` and ``/x/{number}`` are one path, and must be written as one."""
        shape = re.sub(r"\{[^}]*\}", "{}", path)
        known = next((other for other in self.paths if re.sub(r"\{[^}]*\}", "{}", other) == shape), path)
        if known != path:
            raise MergeConflictError(
                f"{service} writes {path} where {self._services_of_paths[known]} writes {known}"
            )
        self._services_of_paths.setdefault(path, service)

    def _add_operation(self, service: str, path: str, method: str, operation: Document) -> None:
        item = self.paths.setdefault(path, {})
        if method in item:
            where = f"{method.upper()} {path} of {self._services_of_paths[path]} and {service}"
            item[method] = self._united(where, path, item[method], operation)
            return
        operation_id = operation.get("operationId")
        if operation_id is not None:
            if operation_id in self._operation_ids:
                operation["operationId"] = operation_id = f"{service}_{operation_id}"
            self._operation_ids[operation_id] = (path, method)
        item[method] = operation

    def _united(self, where: str, path: str, one: Document, other: Document) -> Document:
        told_apart = ("requestBody", "operationId", "description", "summary", "tags")
        for part in (set(one) | set(other)) - set(told_apart):
            if one.get(part) != other.get(part):
                raise MergeConflictError(f"{where}: {part} differ")
        bodies = [operation.get("requestBody") for operation in (one, other)]
        if bodies[0] == bodies[1]:
            return one
        if None in bodies:
            raise MergeConflictError(f"{where}: only one has a request body")
        schemas = [_json_schema(body) for body in bodies]
        if all("discriminator" in schema for schema in schemas):
            schema = _united_alternatives(where, schemas[0], schemas[1])
        elif CASE_NUMBER in path:
            schema = {"anyOf": [entry for one in schemas for entry in one.get("anyOf", [one])]}
        else:
            schema = self._united_objects(where, schemas[0], schemas[1])
        tags = list(dict.fromkeys([*one.get("tags", []), *other.get("tags", [])]))
        body = {"content": {"application/json": {"schema": schema}}, "required": True}
        return {**one, "tags": tags, "requestBody": body}

    def _united_objects(self, where: str, one: Document, other: Document) -> Document:
        """Objects that differ in one property, whose kinds tell them apart: ``one``'s gets all kinds."""
        names = [schema.get("$ref", "").removeprefix(_SCHEMA) for schema in (one, other)]
        if not all(names):
            raise MergeConflictError(f"{where}: request bodies without a common discriminator")
        objects = [self.schemas[name] for name in names]
        properties = [schema.get("properties", {}) for schema in objects]
        keys = set(properties[0]) | set(properties[1])
        differing = [key for key in keys if properties[0].get(key) != properties[1].get(key)]
        if len(differing) != 1 or any(differing[0] not in known for known in properties):
            raise MergeConflictError(f"{where}: request bodies without a common discriminator")
        (key,) = differing
        kinds = [self._as_alternatives(where, known[key]) for known in properties]
        united = {**properties[0], key: _united_alternatives(where, kinds[0], kinds[1])}
        self.schemas[names[0]] = {**objects[0], "properties": united}
        del self.schemas[names[1]]
        return one

    def _as_alternatives(self, where: str, schema: Document) -> Document:
        """The kinds of a property: its own alternatives, or the one object it refers to, by its ``const``."""
        if "discriminator" in schema:
            return schema
        reference = schema.get("$ref", "")
        told = self.schemas.get(reference.removeprefix(_SCHEMA), {}).get("properties", {})
        constants = {name: entry["const"] for name, entry in told.items() if "const" in entry}
        if len(constants) != 1:
            raise MergeConflictError(
                f"{where}: {reference or schema} has no one constant that names its kind"
            )
        ((name, value),) = constants.items()
        return {
            "oneOf": [schema],
            "discriminator": {"propertyName": name, "mapping": {value: reference}},
        }


def _json_schema(body: Any) -> Document:
    schema: Document = body["content"]["application/json"]["schema"]
    return schema


def _united_alternatives(where: str, one: Document, other: Document) -> Document:
    properties = {schema["discriminator"]["propertyName"] for schema in (one, other)}
    if len(properties) != 1:
        raise MergeConflictError(f"{where}: request bodies without a common discriminator")
    mappings = [schema["discriminator"]["mapping"] for schema in (one, other)]
    if twice := {
        value for value in mappings[0] if mappings[0][value] != mappings[1].get(value, mappings[0][value])
    }:
        raise MergeConflictError(f"{where}: {sorted(twice)} mean two things")
    alternatives = {str(entry): entry for schema in (one, other) for entry in schema["oneOf"]}
    return {
        "oneOf": list(alternatives.values()),
        "discriminator": {"propertyName": properties.pop(), "mapping": mappings[0] | mappings[1]},
    }


def _names_of(node: Any) -> set[str]:
    """Names of all schemas that are referred to below ``node``."""
    found: set[str] = set()

    def keep(name: str) -> str:
        found.add(name)
        return name

    _mapped_references(node, keep)
    return found


def _mapped_references(node: Any, rename: Callable[[str], str]) -> Any:
    """The same document with every reference to a schema renamed, in ``$ref`` and in mappings."""
    if isinstance(node, dict):
        return {key: _mapped_references(value, rename) for key, value in node.items()}
    if isinstance(node, list):
        return [_mapped_references(value, rename) for value in node]
    if isinstance(node, str) and node.startswith(_SCHEMA):
        return _SCHEMA + rename(node.removeprefix(_SCHEMA))
    return node


def _pascal(service: str) -> str:
    return "".join(part.capitalize() for part in service.split("_"))


def with_problem_media_type(document: Document) -> Document:
    """The document with problems told as what they are sent as: ``application/problem+json``."""
    told = copy.deepcopy(document)
    for item in told["paths"].values():
        for method in METHODS:
            for response in item.get(method, {}).get("responses", {}).values():
                if content := response.get("content"):
                    response["content"] = {_media_type(kind, media): media for kind, media in content.items()}
    return told


def _media_type(kind: str, media: Document) -> str:
    schema = media.get("schema", {}).get("$ref", "")
    return "application/problem+json" if schema.endswith("Problem") else kind
