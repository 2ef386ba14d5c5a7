"""The migrations make what the models say, guard every region's table, and grant no more than needed."""

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

# Tables with a region and no row-level security.
UNGUARDED = """
    SELECT c.relname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'region_code' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relrowsecurity
"""
# Rights of single logins or of everybody, and rights that no service needs.
TOO_MANY_RIGHTS = """
    SELECT table_name || ': ' || grantee || ' ' || privilege_type
    FROM information_schema.table_privileges
    WHERE table_schema = 'public' AND (
        grantee = 'PUBLIC'
        OR grantee LIKE 'yibao%' AND grantee NOT IN ('yibao_app', 'yibao_owner')
        OR grantee = 'yibao_app' AND privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES'))
"""


@pytest.fixture
async def owned(database: str) -> str:
    """URL of an empty database as the tables' owner, who is no superuser."""
    name = make_url(database).database or ""
    await execute(database, f'ALTER DATABASE "{name}" OWNER TO {OWNER}')
    return owner_url(database, name, None)


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def listed(url: str, query: str) -> list[str]:
    """The first column of a query's rows."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(query)
    await connection.close()
    return [row[0] for row in rows]


async def difference(service: str, url: str) -> str:
    """What the models have and the migrations do not make, or the other way round; empty if nothing."""
    try:
        await asyncio.to_thread(command.check, service_configuration(service, url))
    except CommandError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_s_tables_are_as_its_models_say_guarded_and_granted(service: str, owned: str) -> None:
    await upgrade(service, owned)
    assert {
        "difference": await difference(service, owned),
        "unguarded": await listed(owned, UNGUARDED),
        "too many rights": await listed(owned, TOO_MANY_RIGHTS),
    } == {"difference": "", "unguarded": [], "too many rights": []}


async def test_what_is_wrong_would_be_found(owned: str) -> None:
    await upgrade("tracking", owned)
    await execute(
        owned,
        "ALTER TABLE tracked_cases DROP COLUMN assignee",
        "ALTER TABLE tracked_moves DISABLE ROW LEVEL SECURITY",
        "GRANT SELECT ON ratings TO PUBLIC",
    )
    assert "assignee" in await difference("tracking", owned)
    assert await listed(owned, UNGUARDED) == ["tracked_moves"]
    assert await listed(owned, TOO_MANY_RIGHTS) == ["ratings: PUBLIC SELECT"]
