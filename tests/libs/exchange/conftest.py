"""A world for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.libs.exchange.world import ExchangeDatabase, World


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """Two agencies with fresh tables."""
    exchange = ExchangeDatabase(database)
    await exchange.install()
    yield World(exchange)
    await exchange.close()
