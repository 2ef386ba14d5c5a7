from __future__ import annotations

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from libs.eventbus.tables import create_log, metadata
from tests.libs.eventbus.harness import Service

LETTER = """
    INSERT INTO dead_letter
        (id, consumer, topic, key, event_id, event_type, region_code, body, fault, reason, attempts)
    VALUES (gen_random_uuid(), 'c', 't', 'k', gen_random_uuid(), 'e', :region, '', 'poison', 'r', 1)
"""


async def test_the_installed_tables_are_those_of_the_metadata(service: Service) -> None:
    def differences(connection: Connection) -> list[object]:
        await_context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": lambda name, kind, _: name != "effect"}
        )
        return list(compare_metadata(await_context, metadata))

    async with service.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_log_can_be_created_again(database: str) -> None:
    connection = await asyncpg.connect(database)
    await create_log(connection)
    await create_log(connection)
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM dead_letter",
        "UPDATE dead_letter SET reason = 'another'",
        "DELETE FROM inbox",
        "UPDATE outbox SET body = ''",
    ],
)
async def test_a_service_may_not_rewrite_what_happened(service: Service, statement: str) -> None:
    async with service.sessions() as session:
        await session.execute(text("SET LOCAL ROLE yibao_app"))
        with pytest.raises(DBAPIError, match="permission denied"):
            await session.execute(text(statement))


async def test_dead_letters_of_other_regions_cannot_be_seen(service: Service) -> None:
    for region in ("370400", "420100"):
        await service.execute(LETTER, region=region)
    seen = {}
    for regions in ("370400", "370400,420100", "*", ""):
        async with service.sessions.begin() as session:
            await session.execute(text("SET LOCAL ROLE yibao_app"))
            await session.execute(
                text("SELECT set_config('yibao.regions', :regions, true)"), {"regions": regions}
            )
            found = await session.execute(text("SELECT region_code FROM dead_letter ORDER BY 1"))
            seen[regions] = list(found.scalars())
    assert seen == {
        "370400": ["370400"],
        "370400,420100": ["370400", "420100"],
        "*": ["370400", "420100"],
        "": [],
    }
