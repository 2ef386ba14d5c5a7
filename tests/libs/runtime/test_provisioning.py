"""Roles, passwords and URLs of a server that is made ready."""

from __future__ import annotations

import asyncpg
import pytest
from pydantic import SecretStr

from libs.runtime.databases import OWNER
from libs.runtime.provisioning import owner_url, set_passwords


async def test_passwords_are_set_and_replaced(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("CREATE ROLE probe_passwords LOGIN")
        seen = []
        for password in ("one", "it's %L \\ two"):
            await set_passwords(database, {"probe_passwords": SecretStr(password)})
            query = "SELECT rolpassword FROM pg_authid WHERE rolname = 'probe_passwords'"
            seen.append(await connection.fetchval(query))
        assert all(stored.startswith("SCRAM-SHA-256$") for stored in seen)
        assert seen[0] != seen[1]
    finally:
        await connection.execute("DROP ROLE probe_passwords")
        await connection.close()


async def test_an_unknown_role_is_refused(database: str) -> None:
    with pytest.raises(asyncpg.UndefinedObjectError):
        await set_passwords(database, {"nobody_here": SecretStr("x")})


@pytest.mark.parametrize(
    ("admin_url", "password", "expected"),
    [
        ("postgresql://postgres:a@db:5432/postgres", "b", f"postgresql://{OWNER}:b@db:5432/transfer"),
        ("postgresql://postgres:a@db/postgres", None, f"postgresql://{OWNER}@db/transfer"),
        (
            "postgresql://postgres@/postgres?host=%2Fvar%2Fpg",
            None,
            f"postgresql://{OWNER}@/transfer?host=%2Fvar%2Fpg",
        ),
    ],
)
def test_the_owner_is_reached_on_the_same_server(admin_url: str, password: str | None, expected: str) -> None:
    assert owner_url(admin_url, "transfer", SecretStr(password) if password else None) == expected
