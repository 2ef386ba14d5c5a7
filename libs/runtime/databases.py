"""Roles and databases: one database a service, one login a service, no superuser at run time.

``yibao_owner`` owns the tables and runs the migrations; the services log in as
``yibao_<service>``, members of ``yibao_app``, which the migrations grant only what it needs
(no UPDATE or DELETE on the ledger's entries, row-level security in force).
"""

from __future__ import annotations

import asyncpg

OWNER = "yibao_owner"
APP_GROUP = "yibao_app"
SERVICES = (
    "enrollment",
    "transfer",
    "remote_care",
    "reimbursement",
    "settlement",
    "tracking",
    "gateway",
)
# The Postgres log transport keeps the events of all services in a database of its own.
DATABASES = (*SERVICES, "eventbus")


def login_of(service: str) -> str:
    """Role a service logs in with."""
    return f"yibao_{service}"


async def provision(admin_url: str, databases: tuple[str, ...] = DATABASES) -> None:
    """Create what is missing of roles and databases. Safe to run again."""
    connection = await asyncpg.connect(admin_url)
    try:
        roles = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        for role, options in ((OWNER, "LOGIN"), (APP_GROUP, "NOLOGIN")):
            if role not in roles:
                await connection.execute(f"CREATE ROLE {role} {options}")
        existing = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for database in databases:
            if login_of(database) not in roles:
                await connection.execute(f"CREATE ROLE {login_of(database)} LOGIN IN ROLE {APP_GROUP}")
            if database not in existing:
                await connection.execute(f"CREATE DATABASE {database} OWNER {OWNER}")
                await connection.execute(f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")
            await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {login_of(database)}")
    finally:
        await connection.close()
