"""What a case file holds besides its record: notices, materials, documents."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import uuid_utils.compat as uuid7
from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.cases import Case
from libs.casebook.tables import case_documents, case_materials, case_notices, document_counters
from libs.casework.actors import Actor
from libs.casework.clock import SHANGHAI
from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault

# 个人承诺书 and its text, time and person are kept at least two years (domain.md §2).
COMMITMENT_KEPT_YEARS = 2


@dataclass(frozen=True)
class HandedIn:
    """A material as handed in: a file (by digest), from data sharing, or a commitment instead."""

    key: str
    name: str
    source: Literal["original", "data_sharing", "commitment"]
    content_digest: str | None = None
    commitment_text: str | None = None


@dataclass(frozen=True)
class Document:
    """A result document of a case."""

    id: UUID
    kind: str
    number: str
    title: str
    content: Mapping[str, Any]
    content_digest: str
    issued_at: dt.datetime


async def add_notice(
    session: AsyncSession,
    case: Case,
    items: Sequence[Fault],
    actor: Actor,
    at: dt.datetime,
    *,
    repeated: bool = False,
    reason: str | None = None,
) -> None:
    """Keep a one-time notice. A repeated one names the supervisor (the actor) and the reason."""
    last = await session.scalar(
        select(func.max(case_notices.c.ordinal)).where(case_notices.c.case_id == case.id)
    )
    await session.execute(
        insert(case_notices).values(
            case_id=case.id,
            ordinal=(last or 0) + 1,
            region_code=case.region_code,
            items=[vars(item) for item in items],
            repeated=repeated,
            supervisor=actor.subject if repeated else None,
            reason=reason,
            given_by=actor.subject,
            at=at,
        )
    )


async def noticed_items(session: AsyncSession, case: Case) -> list[Fault]:
    """Everything the applicant was ever told to supplement, oldest notice first."""
    query = (
        select(case_notices.c["items"])
        .where(case_notices.c.case_id == case.id)
        .order_by(case_notices.c.ordinal)
    )
    return [Fault(**item) for items in (await session.scalars(query)).all() for item in items]


async def add_materials(
    session: AsyncSession, case: Case, materials: Sequence[HandedIn], at: dt.datetime
) -> None:
    """Keep what was handed in; later hand-ins stand beside earlier ones."""
    if not materials:
        return
    count = select(func.count()).select_from(case_materials).where(case_materials.c.case_id == case.id)
    first = (await session.scalar(count) or 0) + 1
    keep_until = _years_later(at.astimezone(SHANGHAI).date(), COMMITMENT_KEPT_YEARS)
    await session.execute(
        insert(case_materials),
        [
            {
                "case_id": case.id,
                "ordinal": ordinal,
                "region_code": case.region_code,
                "key": material.key,
                "name": material.name,
                "source": material.source,
                "content_digest": material.content_digest,
                "commitment_text": material.commitment_text,
                "commitment_keep_until": keep_until if material.source == "commitment" else None,
                "handed_in_at": at,
            }
            for ordinal, material in enumerate(materials, start=first)
        ],
    )


async def materials_of(session: AsyncSession, case: Case) -> list[HandedIn]:
    """All materials of the case in the order they came."""
    query = (
        select(case_materials).where(case_materials.c.case_id == case.id).order_by(case_materials.c.ordinal)
    )
    return [
        HandedIn(row.key, row.name, row.source, row.content_digest, row.commitment_text)
        for row in (await session.execute(query)).all()
    ]


async def next_number(session: AsyncSession, region_code: str, kind: str, year: int) -> int:
    """The next number of this kind of document in region and year, without gaps.

    The counter stays locked until the transaction ends: a number is taken only by a document
    that is really issued.
    """
    statement = (
        upsert(document_counters)
        .values(region_code=region_code, kind=kind, year=year, last=1)
        .on_conflict_do_update(
            index_elements=["region_code", "kind", "year"], set_={"last": document_counters.c.last + 1}
        )
        .returning(document_counters.c.last)
    )
    number: int = (await session.execute(statement)).scalar_one()
    return number


async def add_document(
    session: AsyncSession,
    case: Case,
    protector: FieldProtector,
    *,
    kind: str,
    number: str,
    title: str,
    content: Mapping[str, Any],
    at: dt.datetime,
) -> Document:
    """Keep a document of the case; personal data in it are encrypted at rest."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    document = Document(uuid7.uuid7(), kind, number, title, content, digest, at)
    await session.execute(
        insert(case_documents).values(
            id=document.id,
            case_id=case.id,
            region_code=case.region_code,
            kind=kind,
            number=number,
            title=title,
            content=protector.encrypt(text, _document_context(case.region_code, kind)),
            content_digest=digest,
            issued_at=at,
        )
    )
    return document


async def has_document(session: AsyncSession, region_code: str, kind: str, number: str) -> bool:
    """Whether the region keeps a document of this kind and number already."""
    query = select(case_documents.c.id).where(
        case_documents.c.region_code == region_code,
        case_documents.c.kind == kind,
        case_documents.c.number == number,
    )
    return (await session.execute(query)).first() is not None


async def documents_of(session: AsyncSession, case: Case, protector: FieldProtector) -> list[Document]:
    """All documents of the case, oldest first."""
    query = (
        select(case_documents)
        .where(case_documents.c.case_id == case.id)
        .order_by(case_documents.c.issued_at, case_documents.c.id)
    )
    return [
        Document(
            row.id,
            row.kind,
            row.number,
            row.title,
            json.loads(protector.decrypt(row.content, _document_context(case.region_code, row.kind))),
            row.content_digest,
            row.issued_at,
        )
        for row in (await session.execute(query)).all()
    ]


def _years_later(day: dt.date, years: int) -> dt.date:
    """Not a day less: from 29 February it is 1 March where there is no such day."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)


def _document_context(region_code: str, kind: str) -> str:
    return f"{region_code}/document.{kind}"
