"""Run a service's migrations. Every service's ``migrations/env.py`` calls ``run_env``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, pool
from sqlalchemy.ext.asyncio import create_async_engine

REPOSITORY_ROOT = Path(__file__).resolve().parents[2]

# A migration that cannot get its lock gives up rather than queue every request behind it.
LOCK_TIMEOUT = "10s"


def configuration(folder: Path, database_url: str) -> Config:
    """Alembic configuration for the migrations in ``folder`` against ``postgresql://…``."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["database_url"] = database_url
    return config


def service_configuration(service: str, database_url: str) -> Config:
    """Alembic configuration of ``services/<service>/migrations``."""
    return configuration(REPOSITORY_ROOT / "services" / service / "migrations", database_url)


async def upgrade(service: str, owner_url: str) -> None:
    """Bring a service's database to the newest revision, as its owner."""
    await asyncio.to_thread(command.upgrade, service_configuration(service, owner_url), "head")


def run_env(metadata: MetaData | Sequence[MetaData]) -> None:
    """Body of every ``env.py``: online migrations only, in one transaction."""
    asyncio.run(_run(metadata))


async def _run(metadata: MetaData | Sequence[MetaData]) -> None:
    url = context.config.attributes["database_url"].replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate, metadata)
        await connection.commit()
    await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData | Sequence[MetaData]) -> None:
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    connection.commit()
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
