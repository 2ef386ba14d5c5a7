"""The migrations make what the models say, and every table of a region guards it."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import make_url

from libs.runtime.databases import OWNER, SERVICES
from libs.runtime.migrations import service_configuration, upgrade
from libs.runtime.provisioning import owner_url

# Table -> why everybody who may log in sees all its rows.
UNGUARDED: dict[str, str] = {}


@pytest.fixture
async def owned(database: str) -> str:
    """URL of an empty database as the tables' owner, who is no superuser."""
    connection = await asyncpg.connect(database)
    await connection.execute(f'ALTER DATABASE "{make_url(database).database}" OWNER TO {OWNER}')
    await connection.close()
    return owner_url(database, str(make_url(database).database), None)


@pytest.fixture(params=SERVICES)
async def migrated(request: pytest.FixtureRequest, owned: str) -> tuple[str, str]:
    """A service, and the URL of its database at the newest revision."""
    await upgrade(request.param, owned)
    return request.param, owned


async def test_models_and_migrations_agree(migrated: tuple[str, str]) -> None:
    service, url = migrated
    await asyncio.to_thread(command.check, service_configuration(service, url))


async def test_every_table_with_a_region_has_row_level_security(migrated: tuple[str, str]) -> None:
    connection = await asyncpg.connect(migrated[1])
    query = """
        SELECT c.relname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'region_code' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relrowsecurity
    """
    open_tables = {row["relname"] for row in await connection.fetch(query)}
    await connection.close()
    assert open_tables <= UNGUARDED.keys()


async def test_services_own_nothing_and_have_only_what_is_granted(migrated: tuple[str, str]) -> None:
    connection = await asyncpg.connect(migrated[1])
    query = """
        SELECT table_name || ': ' || grantee || ' ' || privilege_type AS right
        FROM information_schema.table_privileges
        WHERE table_schema = 'public' AND (
            grantee = 'PUBLIC'
            OR grantee LIKE 'yibao%' AND grantee NOT IN ('yibao_app', 'yibao_owner')
            OR grantee = 'yibao_app' AND privilege_type IN ('TRUNCATE', 'TRIGGER'))
    """
    too_much = [row["right"] for row in await connection.fetch(query)]
    await connection.close()
    assert too_much == []


async def test_a_difference_would_be_found(owned: str) -> None:
    await upgrade("tracking", owned)
    connection = await asyncpg.connect(owned)
    await connection.execute("ALTER TABLE tracked_cases DROP COLUMN assignee")
    await connection.close()
    with pytest.raises(CommandError, match="assignee"):
        await asyncio.to_thread(command.check, service_configuration("tracking", owned))
