"""The API document and its page, as the running gateway serves them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from services.gateway.routes.public_document import UnreachableOperationError, unite
from tests.services.gateway.conftest import Knock

OWN = {"paths": {"/v1/regions": {"get": {"operationId": "list_regions", "responses": {}}}}}


async def test_the_merged_document_is_served(knock: Knock, tmp_path: Path) -> None:
    merged = {"openapi": "3.1.0", "info": {"title": "医疗保障经办"}, "paths": {}}
    path = tmp_path / "gateway.json"
    path.write_text(json.dumps(merged, ensure_ascii=False), encoding="utf-8")
    async with knock(openapi_file=path) as client:
        answer = await client.get("/openapi.json")
    assert answer.json() == merged


async def test_an_installation_without_the_document_says_so(knock: Knock, tmp_path: Path) -> None:
    async with knock(openapi_file=tmp_path / "gateway.json") as client:
        answer = await client.get("/openapi.json")
    assert (answer.status_code, answer.json()["code"]) == (503, "no_document")


async def test_the_page_fetches_nothing_from_outside(knock: Knock) -> None:
    async with knock() as client:
        page = await client.get("/docs")
        fetched = re.findall(r'(?:src|href|url)\s*[=:]\s*["\']([^"\']+)["\']', page.text)
        assert fetched
        assert all(address.startswith("/") for address in fetched)
        for address in fetched:
            if address.startswith("/docs/assets/"):
                assert (await client.get(address)).status_code == 200, address
    assert "//" not in re.sub(r"(?m)^\s*//.*$", "", page.text)


async def test_there_is_no_page_with_foreign_assets(knock: Knock) -> None:
    async with knock() as client:
        assert (await client.get("/redoc")).status_code == 404


def test_an_operation_the_gateway_does_not_forward_is_named() -> None:
    lost = {"paths": {"/v1/elsewhere": {"get": {"operationId": "x", "responses": {}}}}}
    with pytest.raises(UnreachableOperationError, match="GET /v1/elsewhere of tracking"):
        unite("题", "1", OWN, {"tracking": lost})


def test_an_operation_forwarded_to_another_service_is_named() -> None:
    taken = {"paths": {"/v1/transfers/{case_no}": {"get": {"operationId": "x", "responses": {}}}}}
    with pytest.raises(UnreachableOperationError, match="of tracking"):
        unite("题", "1", OWN, {"tracking": taken})
