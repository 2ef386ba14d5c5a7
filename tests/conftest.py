"""Fixtures every test may use: a real PostgreSQL, and databases made for one test."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from libs.runtime.databases import provision
from libs.runtime.postgres import THROW_AWAY_SETTINGS, EmbeddedPostgres

pytest_plugins = ["tests.support.kafka", "tests.support.log_guard"]

_RUN = "YIBAO_TEST_RUN"


def pytest_configure(config: pytest.Config) -> None:
    """One name for the run, inherited by the parallel workers."""
    os.environ.setdefault(_RUN, uuid.uuid4().hex)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The run's data go when its last worker has gone."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(_run_folder(), ignore_errors=True)


def _run_folder() -> Path:
    """Not under pytest's own temporary folder: that is closed to the user the server runs as
    when another run of root's begins."""
    return Path(tempfile.gettempdir()) / f"yibao-test-{os.environ[_RUN]}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The test run's PostgreSQL server; parallel workers share one."""
    with EmbeddedPostgres(_run_folder() / "pg", THROW_AWAY_SETTINGS) as server:
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
