"""Fenced ownership: slots shared fairly among the live members of a scope.

The lease is a row with an end, by the database's clock, not a session lock: a process that is
stopped (SIGSTOP, a frozen machine) keeps its connection and would keep a session lock for ever.
Whoever acts as an owner proves it in the same statement (``OWNED``), so a member that was stopped
past its lease and continues changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

import asyncpg
import structlog

log = structlog.get_logger(__name__)

# Condition of a statement that acts for an owner; $1 is the scope, $2 the member. The row lock
# makes a concurrent take-over wait until the statement is through.
OWNED = """
    SELECT slot FROM bus_lease
    WHERE scope = $1 AND member = $2 AND expires_at > clock_timestamp() FOR KEY SHARE
"""

# Errors that mean: the database cannot be reached just now. The last one is how asyncpg notices
# that an idle connection was closed on it.
DATABASE_GONE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Leases:
    """One member of a scope; a context manager that keeps its leases alive in the background."""

    def __init__(self, pool: asyncpg.Pool, scope: str, *, lease_s: float) -> None:
        self.member = uuid4()
        self.scope = scope
        self.owned: frozenset[str] = frozenset()
        self._pool = pool
        self._lease = dt.timedelta(seconds=lease_s)
        self._round_s = min(1.0, lease_s / 4)
        self._next_round = 0.0

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep_alive())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeper
        with contextlib.suppress(*DATABASE_GONE):  # they end by themselves
            async with asyncio.timeout(2):
                await self._leave()

    async def share(self, slots: Collection[str]) -> frozenset[str]:
        """Slots owned from now on; about once a second they are shared out anew."""
        if time.monotonic() >= self._next_round:
            self.owned = await self._share_out(slots)
            self._next_round = time.monotonic() + self._round_s
        return self.owned

    def lost(self) -> None:
        """An action was fenced off: own nothing until the next ``share``, which asks anew."""
        self.owned = frozenset()
        self._next_round = 0.0

    async def _share_out(self, slots: Collection[str]) -> frozenset[str]:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 20242))", self.scope)
            await connection.execute(_REGISTER, self.scope, self.member, self._lease, sorted(slots))
            await connection.execute(_FORGET_MEMBERS, self.scope)
            await connection.execute(_FORGET_LEASES, self.scope)
            wanted = {row["member"]: row["slots"] for row in await connection.fetch(_MEMBERS, self.scope)}
            owners = {row["slot"]: row["member"] for row in await connection.fetch(_OWNERS, self.scope)}
            mine = share_of(self.member, wanted, owners)
            await connection.execute(_RELEASE, self.scope, self.member, sorted(mine))
            await connection.execute(_TAKE, self.scope, self.member, sorted(mine), self._lease)
        return mine

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 4)
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    await connection.execute(_EXTEND_MEMBER, self.scope, self.member, self._lease)
                    await connection.execute(_EXTEND_LEASES, self.scope, self.member, self._lease)
            except DATABASE_GONE as error:
                log.warning("lease_not_extended", scope=self.scope, error=type(error).__name__)

    async def _leave(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_RELEASE, self.scope, self.member, [])
            await connection.execute(
                "DELETE FROM bus_member WHERE scope = $1 AND member = $2", self.scope, self.member
            )


def share_of(
    member: UUID, wanted: Mapping[UUID, Collection[str]], owners: Mapping[str, UUID]
) -> frozenset[str]:
    """Slots ``member`` should own: what it has, up to its share, and free ones.

    ``wanted`` tells for every live member the slots it asks for. They need not be the same (during
    a release the new members read one topic more): each slot is shared by those who ask for it.
    """
    contested: dict[tuple[UUID, ...], list[str]] = {}
    for slot in sorted(wanted[member]):
        rivals = tuple(sorted(rival for rival, slots in wanted.items() if slot in slots))
        contested.setdefault(rivals, []).append(slot)
    mine: list[str] = []
    for rivals, slots in contested.items():
        share, rest = divmod(len(slots), len(rivals))
        quota = share + (1 if rivals.index(member) < rest else 0)
        kept = [slot for slot in slots if owners.get(slot) == member]
        free = [slot for slot in slots if slot not in owners]
        mine += (kept + free)[:quota]
    return frozenset(mine)


_REGISTER = """
    INSERT INTO bus_member (scope, member, expires_at, slots)
    VALUES ($1, $2, clock_timestamp() + $3::interval, $4)
    ON CONFLICT (scope, member) DO UPDATE SET expires_at = excluded.expires_at, slots = excluded.slots
"""
_FORGET_MEMBERS = "DELETE FROM bus_member WHERE scope = $1 AND expires_at <= clock_timestamp()"
_FORGET_LEASES = "DELETE FROM bus_lease WHERE scope = $1 AND expires_at <= clock_timestamp()"
_MEMBERS = "SELECT member, slots FROM bus_member WHERE scope = $1"
_OWNERS = "SELECT slot, member FROM bus_lease WHERE scope = $1"
_RELEASE = "DELETE FROM bus_lease WHERE scope = $1 AND member = $2 AND slot <> ALL ($3::text[])"
_TAKE = """
    INSERT INTO bus_lease (scope, slot, member, expires_at)
    SELECT $1, slot, $2, clock_timestamp() + $4::interval FROM unnest($3::text[]) AS slot
    ON CONFLICT (scope, slot) DO UPDATE SET expires_at = excluded.expires_at
"""
_EXTEND_MEMBER = """
    UPDATE bus_member SET expires_at = clock_timestamp() + $3::interval WHERE scope = $1 AND member = $2
"""
_EXTEND_LEASES = """
    UPDATE bus_lease SET expires_at = clock_timestamp() + $3::interval
    WHERE scope = $1 AND member = $2 AND expires_at > clock_timestamp()
"""
