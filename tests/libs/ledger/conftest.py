"""A ledger of its own for each test, and sessions on it in the three roles that could write it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from libs.ledger.accounts import AccountKind, balance, open_account
from libs.ledger.posting import Entry, PostedTransaction, Posting, post
from libs.ledger.tables import install_v1, upgrade_v2
from libs.ledger.verification import Fault, verify

YANTAI, ZAOZHUANG = "370600", "370400"
EMPLOYEE, RESIDENT = "310", "390"
TODAY = dt.date(2025, 3, 14)


class LedgerDatabase:
    """An installed ledger. ``app`` writes as the services do, ``owner`` as migrations do."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql://", "postgresql+asyncpg://", 1)
        self.app = self._engine("yibao_app")
        self.owner = self._engine("yibao_owner")
        self.superuser = self._engine("postgres")

    def _engine(self, role: str) -> AsyncEngine:
        return create_async_engine(
            self._url,
            pool_size=20,
            connect_args={"server_settings": {"role": role, "yibao.regions": "*"}},
        )

    async def install(self, installed: Callable[[Connection], None] | None = None) -> None:
        async with self.superuser.begin() as connection:
            await connection.execute(text("GRANT CREATE ON SCHEMA public TO yibao_owner"))
        async with self.owner.begin() as connection:
            await connection.run_sync(installed or _install)

    async def close(self) -> None:
        for engine in (self.app, self.owner, self.superuser):
            await engine.dispose()

    @asynccontextmanager
    async def session(self, regions: str = "*") -> AsyncIterator[AsyncSession]:
        """A transaction of a service, committed at the end of the block."""
        async with AsyncSession(self.app) as session, session.begin():
            await session.execute(
                text("SELECT set_config('yibao.regions', :regions, true)"), {"regions": regions}
            )
            yield session

    async def account(
        self,
        kind: AccountKind,
        owner: str | None = None,
        *,
        region_code: str = YANTAI,
        fund: str = EMPLOYEE,
        funded_fen: int = 0,
    ) -> UUID:
        """Open an account; ``funded_fen`` arrives on it through the bank mirror."""
        async with self.session() as session:
            account = await open_account(session, region_code=region_code, fund=fund, kind=kind, owner=owner)
            if funded_fen:
                mirror = await open_account(
                    session, region_code=region_code, fund=fund, kind=AccountKind.BANK_MIRROR
                )
                await post(session, credit(f"fund:{account}", mirror, account, funded_fen, region_code))
        return account

    async def person(self, owner: str = "person-1", funded_fen: int = 0) -> UUID:
        return await self.account(AccountKind.PERSONAL_ACCOUNT, owner, funded_fen=funded_fen)

    async def pooled(self) -> UUID:
        return await self.account(AccountKind.POOLED)

    async def post(self, posting: Posting) -> PostedTransaction:
        """Post in a transaction of its own."""
        async with self.session() as session:
            return await post(session, posting)

    async def balance_fen(self, account: UUID) -> int:
        async with self.session() as session:
            return (await balance(session, account)).balance_fen

    async def faults(self) -> list[Fault]:
        async with self.session() as session:
            return await verify(session)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements the services' role sends inside the block."""
        sent: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            sent.append(statement)

        event.listen(self.app.sync_engine, "before_cursor_execute", note)
        yield sent
        event.remove(self.app.sync_engine, "before_cursor_execute", note)


async def refusal(engine: AsyncEngine, *statements: str) -> str | None:
    """SQLSTATE with which PostgreSQL refuses the statements or their COMMIT; None if it does not."""
    try:
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    except DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", None))
    return None


def credit(
    source_id: str, from_account: UUID, to_account: UUID, amount_fen: int, region_code: str = YANTAI
) -> Posting:
    """A posting of one amount from one account to another."""
    return Posting(
        source_id=source_id,
        region_code=region_code,
        purpose="contribution",
        occurred_on=TODAY,
        entries=[Entry(from_account, -amount_fen), Entry(to_account, amount_fen)],
    )


def _install(connection: Connection) -> None:
    operations = Operations(MigrationContext.configure(connection))
    install_v1(operations)
    upgrade_v2(operations)


@pytest.fixture
async def ledger(database: str) -> AsyncIterator[LedgerDatabase]:
    installed = LedgerDatabase(database)
    await installed.install()
    yield installed
    await installed.close()
