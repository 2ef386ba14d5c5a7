"""Make a PostgreSQL server ready for all services: roles, databases, passwords, migrations.

``yibao migrate`` runs ``prepare`` before anything else starts; running it again changes nothing
that is already right. The same for the embedded server, for compose, for a site's own PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url

from libs.runtime.databases import OWNER, SERVICES, login_of, provision
from libs.runtime.migrations import upgrade


class ProvisioningSettings(BaseSettings):
    """What ``yibao migrate`` needs; no service is ever given these."""

    model_config = SettingsConfigDict(env_prefix="YIBAO_", extra="ignore", use_attribute_docstrings=True)

    admin_url: SecretStr
    """URL of any database of the server, as a superuser."""

    owner_password: SecretStr | None = None
    """Password for the tables' owner, where the server asks for one."""

    login_passwords: dict[str, SecretStr] = {}
    """Service -> password for its login (JSON object), where the server asks for them."""


async def prepare(settings: ProvisioningSettings) -> None:
    """Bring roles, databases, passwords and tables of all services up to date."""
    admin_url = settings.admin_url.get_secret_value()
    await provision(admin_url)
    owner = {OWNER: settings.owner_password} if settings.owner_password else {}
    logins = {login_of(service): password for service, password in settings.login_passwords.items()}
    await set_passwords(admin_url, owner | logins)
    for service in SERVICES:
        await upgrade(service, owner_url(admin_url, service, settings.owner_password))


async def set_passwords(admin_url: str, passwords: Mapping[str, SecretStr]) -> None:
    """Give each role its password. Raises asyncpg's UndefinedObjectError for an unknown role."""
    connection = await asyncpg.connect(admin_url)
    try:
        for role, password in passwords.items():
            statement: str = await connection.fetchval(
                "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)",
                role,
                password.get_secret_value(),
            )
            await connection.execute(statement)
    finally:
        await connection.close()


def owner_url(admin_url: str, database: str, password: SecretStr | None) -> str:
    """URL of ``database`` as the tables' owner, on the server of ``admin_url``."""
    admin = make_url(admin_url)
    url = URL.create(
        admin.drivername,
        username=OWNER,
        # Never the administrator's: an owner without a password goes without.
        password=password.get_secret_value() if password else None,
        host=admin.host,
        port=admin.port,
        database=database,
        query=admin.query,
    )
    return url.render_as_string(hide_password=False)
