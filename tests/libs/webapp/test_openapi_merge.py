"""Many OpenAPI documents become one, or contradict each other loudly."""

from __future__ import annotations

from typing import Any

import pytest

from libs.webapp.openapi_merge import MergeConflictError, merge, with_problem_media_type

Document = dict[str, Any]


def ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def operation(name: str, body: Document | None = None, answer: Document | None = None) -> Document:
    made: Document = {
        "operationId": name,
        "responses": {"200": {"content": {"application/json": {"schema": answer or {}}}}},
    }
    if body:
        made["requestBody"] = {"content": {"application/json": {"schema": body}}, "required": True}
    return made


def document(paths: Document, **schemas: Document) -> Document:
    return {"openapi": "3.1.0", "info": {}, "paths": paths, "components": {"schemas": schemas}}


def kinds(*names: str) -> Document:
    mapping = {name.lower(): f"#/components/schemas/{name}" for name in names}
    return {
        "oneOf": [ref(name) for name in names],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }


def body_of(merged: Document, path: str) -> Document:
    schema: Document = merged["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return schema


def test_paths_and_schemas_are_united() -> None:
    one = document({"/a": {"get": operation("get_a", answer=ref("A"))}}, A={"type": "string"})
    two = document({"/b": {"get": operation("get_b", answer=ref("B"))}}, B={"type": "integer"})
    merged = merge("题", "1", {"one": one, "two": two})
    assert list(merged["paths"]) == ["/a", "/b"]
    assert merged["components"]["schemas"] == {"A": {"type": "string"}, "B": {"type": "integer"}}
    assert merged["info"] == {"title": "题", "version": "1"}


def test_an_equal_schema_is_kept_once_and_a_different_one_gets_its_services_name() -> None:
    one = document(
        {"/a": {"get": operation("get_a", answer=ref("View"))}},
        View={"properties": {"part": ref("Part")}},
        Part={"type": "string"},
        Same={"type": "null"},
    )
    two = document(
        {"/b": {"get": operation("get_b", answer=ref("View"))}},
        View={"properties": {"part": ref("Part")}},
        Part={"type": "integer"},
        Same={"type": "null"},
    )
    merged = merge("题", "1", {"remote_care": one, "long_term": two})
    schemas = merged["components"]["schemas"]
    assert set(schemas) == {"View", "Part", "Same", "LongTermView", "LongTermPart"}
    assert schemas["LongTermView"] == {"properties": {"part": ref("LongTermPart")}}
    answer = merged["paths"]["/b"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == ref("LongTermView")


def test_bodies_of_one_operation_in_two_services_become_alternatives() -> None:
    one = document({"/a": {"post": operation("submit", kinds("In", "Out"))}}, In={}, Out={})
    two = document({"/a": {"post": operation("hand_in", kinds("Bill"))}}, Bill={})
    merged = merge("题", "1", {"one": one, "two": two})
    assert body_of(merged, "/a") == kinds("In", "Out", "Bill")
    assert merged["paths"]["/a"]["post"]["operationId"] == "submit"


def form(payload: Document, **more: Document) -> Document:
    return {"type": "object", "properties": {"region": {"type": "string"}, "payload": payload, **more}}


def kind_of(value: str) -> Document:
    return {"properties": {"kind": {"const": value, "type": "string"}}}


def test_forms_that_differ_in_their_payload_become_one_form_with_all_payloads() -> None:
    one = document(
        {"/a": {"post": operation("submit", ref("Form"))}}, Form=form(kinds("In", "Out")), In={}, Out={}
    )
    two = document(
        {"/a": {"post": operation("submit", ref("Form"))}}, Form=form(ref("Bill")), Bill=kind_of("bill")
    )
    merged = merge("题", "1", {"one": one, "two": two})
    assert body_of(merged, "/a") == ref("Form")
    assert set(merged["components"]["schemas"]) == {"Form", "In", "Out", "Bill"}
    assert merged["components"]["schemas"]["Form"] == form(kinds("In", "Out", "Bill"))


def test_bodies_about_a_case_are_told_apart_by_its_number() -> None:
    path = "/cases/{case_no}/pay"
    documents = {
        name: document({path: {"post": operation("pay", ref(name))}}, **{name: kind_of(name)})
        for name in ("A", "B", "C")
    }
    merged = merge("题", "1", documents)
    assert body_of(merged, path) == {"anyOf": [ref("A"), ref("B"), ref("C")]}


@pytest.mark.parametrize(
    ("payload", "more"),
    [(ref("Plain"), {}), (ref("Bill"), {"extra": {"type": "string"}}), ({"type": "string"}, {})],
)
def test_forms_that_cannot_be_told_apart_contradict(payload: Document, more: Document) -> None:
    one = document({"/a": {"post": operation("submit", ref("Form"))}}, Form=form(kinds("In")), In={})
    two = document(
        {"/a": {"post": operation("submit", ref("Form"))}},
        Form=form(payload, **more),
        Bill=kind_of("bill"),
        Plain={"type": "object"},
    )
    with pytest.raises(MergeConflictError):
        merge("题", "1", {"one": one, "two": two})


def test_the_same_operation_twice_is_one() -> None:
    made = document({"/a": {"get": operation("get_a")}})
    assert merge("题", "1", {"one": made, "two": made})["paths"]["/a"]["get"] == operation("get_a")


def test_an_operation_id_given_twice_gets_its_services_name() -> None:
    one = document({"/a": {"get": operation("show")}})
    two = document({"/b": {"get": operation("show")}})
    merged = merge("题", "1", {"one": one, "two": two})
    assert merged["paths"]["/b"]["get"]["operationId"] == "two_show"


@pytest.mark.parametrize(
    ("one", "two", "reason"),
    [
        ({"/a/{x}": {"get": operation("a")}}, {"/a/{y}": {"get": operation("b")}}, "writes /a/{y}"),
        (
            {"/a": {"get": operation("a")}},
            {"/a": {"get": operation("a", answer={"type": "null"})}},
            "responses",
        ),
        ({"/a": {"post": operation("a", ref("A"))}}, {"/a": {"post": operation("a")}}, "only one has"),
        (
            {"/a": {"post": operation("a", ref("A"))}},
            {"/a": {"post": operation("a", ref("B"))}},
            "discriminator",
        ),
        (
            {"/a": {"post": operation("a", kinds("A"))}},
            {
                "/a": {
                    "post": operation(
                        "a",
                        {
                            "oneOf": [ref("B")],
                            "discriminator": {
                                "propertyName": "kind",
                                "mapping": {"a": "#/components/schemas/B"},
                            },
                        },
                    )
                }
            },
            "mean two things",
        ),
    ],
)
def test_a_contradiction_is_named(one: Document, two: Document, reason: str) -> None:
    schemas: Document = {"A": {}, "B": {}}
    with pytest.raises(MergeConflictError, match=reason):
        merge("题", "1", {"one": document(one, **schemas), "two": document(two, **schemas)})


def test_the_documents_given_are_left_as_they_are() -> None:
    one = document({"/a": {"post": operation("submit", kinds("In"))}}, In={})
    two = document({"/a": {"post": operation("submit", kinds("Bill"))}}, Bill={}, In={"type": "null"})
    before = repr((one, two))
    merge("题", "1", {"one": one, "two": two})
    assert repr((one, two)) == before


def test_problems_are_told_by_their_media_type() -> None:
    made = document({"/a": {"get": operation("a", answer=ref("Problem"))}, "/b": {"get": operation("b")}})
    told = with_problem_media_type(made)["paths"]
    assert list(told["/a"]["get"]["responses"]["200"]["content"]) == ["application/problem+json"]
    assert list(told["/b"]["get"]["responses"]["200"]["content"]) == ["application/json"]
