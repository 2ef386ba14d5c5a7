"""Two agencies in one database, an impostor outside, and networks that misbehave as told."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from alembic.migration import MigrationContext
from alembic.operations import Operations
from fastapi import FastAPI
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from libs.casework.clock import AdjustableClock
from libs.exchange import conversations, journal, outgoing
from libs.exchange.bodies import Body
from libs.exchange.courier import Courier, HttpCourier
from libs.exchange.deliveries import Outcome
from libs.exchange.endpoint import exchange_router
from libs.exchange.envelope import Kind, Message, Receipt, Refusal
from libs.exchange.incoming import Deliver, receive
from libs.exchange.retry import RetryPolicy
from libs.exchange.seals import Ed25519Signer, KeyDirectory, Verifier
from libs.exchange.sender import Sender
from libs.exchange.tables import install_v1
from libs.exchange.transitions import State
from tests.libs.exchange.papers import MONDAY, WUHAN, YANTAI, ZAOZHUANG

CONVERSATION = "0195-test-conversation"
NO_SPREAD = RetryPolicy(first_delay_s=10, spread=0)


class ExchangeDatabase:
    """Installed tables; ``session`` has the rights of a service, no more."""

    def __init__(self, url: str) -> None:
        self.url = url.replace("postgresql://", "postgresql+asyncpg://", 1)
        self.app = self._engine("yibao_app")
        self.superuser = self._engine("postgres")

    def _engine(self, role: str) -> AsyncEngine:
        settings = {"role": role, "yibao.regions": "*"}
        return create_async_engine(self.url, pool_size=30, connect_args={"server_settings": settings})

    async def install(self) -> None:
        async with self.superuser.begin() as connection:
            await connection.execute(text("GRANT CREATE ON SCHEMA public TO yibao_owner"))
            await connection.execute(text("SET LOCAL ROLE yibao_owner"))
            await connection.run_sync(_install)
            # No unique key: an effect applied twice must be seen, not prevented.
            await connection.execute(text("CREATE TABLE effects (region_code text, message_id uuid)"))
            await connection.execute(text("GRANT SELECT, INSERT ON effects TO yibao_app"))

    async def close(self) -> None:
        await self.app.dispose()
        await self.superuser.dispose()

    @asynccontextmanager
    async def session(self, regions: str = "*") -> AsyncIterator[AsyncSession]:
        async with AsyncSession(self.app) as session, session.begin():
            await session.execute(
                text("SELECT set_config('yibao.regions', :regions, true)"), {"regions": regions}
            )
            yield session


def _install(connection: Connection) -> None:
    install_v1(Operations(MigrationContext.configure(connection)))


@dataclass
class World:
    """烟台 and 枣庄 exchange; 武汉 has a key of its own but no part in their conversations."""

    database: ExchangeDatabase
    clock: AdjustableClock = field(default_factory=lambda: AdjustableClock(MONDAY))
    signers: dict[str, Ed25519Signer] = field(
        default_factory=lambda: {r: Ed25519Signer.generate(r) for r in (YANTAI, ZAOZHUANG, WUHAN)}
    )
    settled: list[tuple[Message, Outcome]] = field(default_factory=list)
    deliver: Deliver | None = None

    def __post_init__(self) -> None:
        since = MONDAY - dt.timedelta(days=365)
        self.directory = KeyDirectory(signer.trusted_key(since) for signer in self.signers.values())
        self.verifier = Verifier(self.directory)

    async def send(
        self,
        kind: Kind,
        body: Body,
        *,
        by: str,
        to: str = "",
        conversation: str = CONVERSATION,
        lifetime: dt.timedelta = dt.timedelta(days=10),
        session: AsyncSession | None = None,
        **more: Any,
    ) -> Message:
        now = self.clock.now()
        async with nullcontext(session) if session else self.database.session() as transaction:
            return await outgoing.send(
                transaction,
                conversation=conversation,
                kind=kind,
                body=body,
                own_region=by,
                to_region=to or other(by),
                signer=self.signers[by],
                at=now,
                expires_at=now + lifetime,
                **more,
            )

    async def receive(self, raw: bytes) -> Receipt | Refusal:
        async with self.database.session() as session:
            return await receive(
                session,
                raw,
                verifier=self.verifier,
                signer_of=self.signer_of,
                clock=self.clock,
                deliver=self.deliver or self.take_effect,
            )

    def signer_of(self, region_code: str) -> Ed25519Signer | None:
        return self.signers.get(region_code) if region_code in (YANTAI, ZAOZHUANG) else None

    async def take_effect(self, session: AsyncSession, message: Message) -> None:
        await session.execute(
            text("INSERT INTO effects VALUES (:region, :id)"),
            {"region": message.to_region, "id": message.id},
        )

    async def note_outcome(self, session: AsyncSession, message: Message, outcome: Outcome) -> None:
        self.settled.append((message, outcome))

    def sender(self, courier: Courier, **more: Any) -> Sender:
        options: dict[str, Any] = {"settled": self.note_outcome, "retry": NO_SPREAD, "lease_s": 60} | more
        return Sender(self.database.session, courier, self.verifier, self.clock, **options)

    def app(self) -> FastAPI:
        app = FastAPI()
        app.include_router(
            exchange_router(
                self.database.session,
                verifier=self.verifier,
                signer_of=self.signer_of,
                clock=self.clock,
                deliver=self.deliver or self.take_effect,
            )
        )
        return app

    @asynccontextmanager
    async def http(self) -> AsyncIterator[HttpCourier]:
        transport = httpx.ASGITransport(app=self.app())
        async with httpx.AsyncClient(transport=transport) as client:
            addresses = {region: f"http://{region}.example" for region in (YANTAI, ZAOZHUANG)}
            yield HttpCourier(client, addresses.get)

    async def deliver_all(self, courier: Courier | None = None) -> None:
        """Deliver until the queue is empty, moving the clock over the pauses."""
        sender = self.sender(courier or Direct(self))
        for _ in range(200):
            if not await sender.deliver_due():
                if not await self.queued():
                    return
                self.clock.advance(dt.timedelta(seconds=61))
        raise AssertionError("the queue did not empty")

    async def queued(self) -> int:
        return int(await self.scalar("SELECT count(*) FROM exchange_outgoing WHERE state = 'queued'"))

    async def state(self, region_code: str, conversation: str = CONVERSATION) -> State:
        async with self.database.session() as session:
            held = await conversations.find(session, region_code, conversation)
        return held.standing.state if held else State.NEW

    async def effects(self, region_code: str) -> list[UUID]:
        async with self.database.session() as session:
            rows = await session.execute(
                text("SELECT message_id FROM effects WHERE region_code = :region"), {"region": region_code}
            )
            return list(rows.scalars())

    async def journal(self, region_code: str) -> list[journal.Entry]:
        async with self.database.session() as session:
            return await journal.read(session, region_code)

    async def scalar(self, sql: str) -> Any:
        async with self.database.session() as session:
            return (await session.execute(text(sql))).scalar_one()


def other(region_code: str) -> str:
    return ZAOZHUANG if region_code == YANTAI else YANTAI


@dataclass
class Direct:
    """A network that delivers each message at once and tells the test about it."""

    world: World
    carried: list[bytes] = field(default_factory=list)
    spoil: Callable[[bytes], bytes] = lambda answer: answer

    async def carry(self, to_region: str, raw: bytes) -> bytes:
        self.carried.append(raw)
        return self.spoil((await self.world.receive(raw)).raw())


class Killed(BaseException):
    """The process is gone: no ``except Exception`` sees it."""
