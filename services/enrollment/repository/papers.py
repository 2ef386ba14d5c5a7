"""Sealed papers: kept once, found by the document they are the paper of."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.models import Paper


async def add_paper(session: AsyncSession, paper: Paper) -> None:
    """Keep a paper; its document has no other."""
    await session.execute(insert(Paper).values(paper.values()))


async def find_paper(session: AsyncSession, document_id: UUID) -> Paper | None:
    """The paper of a document, if it has one and the caller's regions show it."""
    return await session.get(Paper, document_id)
