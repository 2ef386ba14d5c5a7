"""Services whose issue has not come yet: health, a migrated database, and nothing pretended."""

from __future__ import annotations

import importlib

import pytest

from libs.runtime.postgres import EmbeddedPostgres
from tests.support.service import client_of, service_resources

BARE = ("remote_care", "reimbursement", "settlement")


@pytest.mark.parametrize("service", BARE)
async def test_a_bare_service_is_healthy_and_offers_nothing(postgres: EmbeddedPostgres, service: str) -> None:
    create = importlib.import_module(f"services.{service}.app").create
    assert create(None).openapi()["paths"] == {}
    async with service_resources(postgres, service) as resources, client_of(create(resources)) as client:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await client.get(path)).status_code == 200, path
        answer = await client.post("/v1/applications", json={})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
