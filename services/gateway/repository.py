"""Who may sign in, and used codes. Functions take the caller's session and never commit."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.gateway.models import clients, officers, used_codes


async def find_client(session: AsyncSession, client_id: str) -> Row[Any] | None:
    """An active client."""
    query = select(clients).where(clients.c.client_id == client_id, clients.c.active)
    return (await session.execute(query)).one_or_none()


async def find_officer(session: AsyncSession, username: str) -> Row[Any] | None:
    """An active officer."""
    query = select(officers).where(officers.c.username == username, officers.c.active)
    return (await session.execute(query)).one_or_none()


async def put_client(session: AsyncSession, row: dict[str, Any]) -> None:
    """Add or change a client."""
    statement = insert(clients).values(row)
    changed = {name: statement.excluded[name] for name in row if name != "client_id"}
    await session.execute(statement.on_conflict_do_update(index_elements=["client_id"], set_=changed))


async def put_officer(session: AsyncSession, row: dict[str, Any]) -> None:
    """Add or change an officer."""
    statement = insert(officers).values(row)
    changed = {name: statement.excluded[name] for name in row if name != "username"}
    await session.execute(statement.on_conflict_do_update(index_elements=["username"], set_=changed))


async def use_code(
    session: AsyncSession, client_id: str, code_id: str, expires_at: dt.datetime, now: dt.datetime
) -> bool:
    """Mark a code as used; False if it was. Codes long expired are forgotten on the way."""
    await session.execute(delete(used_codes).where(used_codes.c.expires_at < now - dt.timedelta(hours=1)))
    statement = insert(used_codes).values(client_id=client_id, code_id=code_id, expires_at=expires_at)
    marked = await session.scalar(statement.on_conflict_do_nothing().returning(used_codes.c.code_id))
    return marked is not None
