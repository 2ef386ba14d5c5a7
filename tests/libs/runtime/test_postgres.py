import asyncpg


async def test_the_embedded_server_is_postgresql_18(database: str) -> None:
    connection = await asyncpg.connect(database)
    assert (await connection.fetchval("SHOW server_version")).startswith("18")
    await connection.close()


async def test_it_listens_on_no_network_address(database: str) -> None:
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SHOW listen_addresses") == ""
    await connection.close()
