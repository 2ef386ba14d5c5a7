"""Fixtures every test may use: a real PostgreSQL, and databases made for one test."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from libs.runtime.databases import provision
from libs.runtime.postgres import THROW_AWAY_SETTINGS, EmbeddedPostgres


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """The test run's PostgreSQL server; parallel workers share one."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-gw") else base
    with EmbeddedPostgres(Path(shared) / "pg", THROW_AWAY_SETTINGS) as server:
        yield server


@pytest.fixture
async def database(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """URL of an empty database (superuser), dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(postgres.url("postgres"))
    try:
        # Two workers must not create the cluster-wide roles at the same moment.
        await admin.execute("SELECT pg_advisory_lock(4242)")
        await provision(postgres.url("postgres"), databases=())
        await admin.execute("SELECT pg_advisory_unlock(4242)")
        await admin.execute(f"CREATE DATABASE {name}")
        yield postgres.url(name)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()
