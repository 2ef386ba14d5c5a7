"""What the database itself forbids, whatever the program does."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from libs.exchange.envelope import Kind
from libs.exchange.tables import metadata
from tests.libs.exchange import papers
from tests.libs.exchange.papers import WUHAN, YANTAI, ZAOZHUANG
from tests.libs.exchange.world import World

TABLES = ("exchange_outgoing", "exchange_incoming", "exchange_conversations", "exchange_journal")


async def one_exchange(world: World) -> None:
    await world.send(Kind.CONTACT_LETTER, papers.contact_letter(), by=ZAOZHUANG)
    await world.deliver_all()


async def execute(world: World, sql: str, regions: str = "*") -> int:
    async with world.database.session(regions) as session:
        result = await session.execute(text(sql))
        return len(result.all()) if result.returns_rows else 0  # type: ignore[attr-defined]


async def test_the_installed_tables_are_those_of_the_metadata(world: World) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"include_name": lambda name, kind, parent: kind != "table" or name in TABLES}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    async with world.database.superuser.connect() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.parametrize("table", TABLES)
async def test_a_region_sees_its_own_rows_only(world: World, table: str) -> None:
    await one_exchange(world)
    everything = await execute(world, f"SELECT 1 FROM {table}")
    own = [await execute(world, f"SELECT 1 FROM {table}", region) for region in (YANTAI, ZAOZHUANG)]
    assert everything == sum(own) > 0
    assert await execute(world, f"SELECT 1 FROM {table}", f"{YANTAI},{ZAOZHUANG}") == everything
    assert await execute(world, f"SELECT 1 FROM {table}", WUHAN) == 0
    assert await execute(world, f"SELECT 1 FROM {table}", "") == 0


async def test_a_region_cannot_write_anothers_rows(world: World) -> None:
    await one_exchange(world)
    copy = f"""
        INSERT INTO exchange_journal
        SELECT '{WUHAN}', position, conversation, case_position, at, event, message_id, content,
               previous_hash, case_previous_hash, hash
        FROM exchange_journal WHERE region_code = '{YANTAI}'
    """
    with pytest.raises(ProgrammingError, match="row-level security"):
        await execute(world, copy, YANTAI)
    await execute(world, copy, f"{YANTAI},{WUHAN}")


@pytest.mark.parametrize("role", ["app", "superuser"])
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE exchange_journal SET at = now()",
        "DELETE FROM exchange_journal",
        "TRUNCATE exchange_journal",
    ],
)
async def test_nobody_changes_the_journal(world: World, role: str, sql: str) -> None:
    await one_exchange(world)
    async with getattr(world.database, role).connect() as connection:
        with pytest.raises(DBAPIError, match=r"append-only|permission denied"):
            await connection.execute(text(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE exchange_outgoing SET body = ''",
        "UPDATE exchange_outgoing SET header = '{}'",
        "UPDATE exchange_outgoing SET digest = ''",
        "UPDATE exchange_incoming SET body = ''",
        "UPDATE exchange_incoming SET from_region = ''",
        "UPDATE exchange_conversations SET peer_region = ''",
        "DELETE FROM exchange_outgoing",
        "DELETE FROM exchange_incoming",
        "DELETE FROM exchange_conversations",
    ],
)
async def test_the_application_cannot_change_what_a_message_says(world: World, sql: str) -> None:
    await one_exchange(world)
    with pytest.raises(ProgrammingError, match="permission denied"):
        await execute(world, sql)


async def test_no_personal_data_are_in_the_journal_or_the_headers(world: World) -> None:
    await one_exchange(world)
    for table in TABLES:
        columns = "t.*" if table in ("exchange_journal", "exchange_conversations") else "header, answer"
        rows = await world.scalar(f"SELECT string_agg(({columns})::text, ' ') FROM {table} t")
        for secret in (papers.PERSON.credential_no, papers.PERSON.name, papers.account(ZAOZHUANG).account_no):
            assert secret not in rows
