"""Registering officers and systems in an installation's gateway, as the database's owner."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from libs.runtime.databases import OWNER
from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.database import ALL_REGIONS, Database


async def register_officer(postgres: EmbeddedPostgres, **officer: Any) -> None:
    """Add or change an officer (services/gateway/service/registration.py says what is needed)."""
    await register_officer_at(postgres.url("gateway", OWNER), **officer)


async def register_officer_at(owner_url: str, **officer: Any) -> None:
    """The same for any gateway database, reached as its owner."""
    await _register(owner_url, "register_officer", officer)


async def register_client(postgres: EmbeddedPostgres, **client: Any) -> None:
    """Add or change a system or a mini-program backend."""
    await _register(postgres.url("gateway", OWNER), "register_client", client)


async def register_officer_in(folder: Path, **officer: Any) -> None:
    """The same for an installation's folder; its server is started if it does not run."""
    with EmbeddedPostgres(folder / "postgres") as postgres:
        await register_officer(postgres, **officer)


async def _register(owner_url: str, verb: str, what: dict[str, Any]) -> None:
    registration = importlib.import_module("services.gateway.service.registration")
    database = Database(owner_url, pool_size=1)
    try:
        async with database.transaction(ALL_REGIONS) as session:
            await getattr(registration, verb)(session, **what)
    finally:
        await database.close()
