"""The projection: facts in any order, any number of times, give the same picture."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from libs.contracts.cases import CaseMoved, MessageSent
from services.tracking import domain, repository

_OF_CASE = {
    "case_no",
    "version",
    "region_code",
    "counterpart_region_code",
    "operation",
    "item_key",
    "item_name",
    "edition_id",
    "subject_key",
    "subject_name_masked",
    "status",
    "status_name",
    "stage",
    "stage_name",
    "assignee",
    "due_on",
    "due_provisional",
}
_OF_MOVE = {
    "case_no",
    "version",
    "region_code",
    "action",
    "action_name",
    "status",
    "status_name",
    "stage",
    "stage_name",
    "actor_kind",
    "actor_name",
    "office",
    "reason",
    "notice",
    "due_on",
    "due_provisional",
    "at",
}


async def record_moves(session: AsyncSession, facts: Sequence[CaseMoved]) -> None:
    """Add moves to the timelines; a case shows the newest of them, whatever comes last."""
    await repository.add_moves(session, [fact.model_dump(include=_OF_MOVE) for fact in facts])
    await repository.upsert_cases(
        session,
        [
            {
                **fact.model_dump(include=_OF_CASE),
                "owed_by": domain.owed_by(fact.status, fact.due_on),
                "moved_at": fact.at,
            }
            for fact in domain.newest_of_each(facts)
        ],
    )


async def record_messages(session: AsyncSession, facts: Sequence[MessageSent]) -> None:
    """Add messages to the timelines."""
    rows = [
        {
            "case_no": fact.case_no,
            "digest": domain.digest_of(fact),
            "region_code": fact.region_code,
            "kind": fact.kind,
            "text": fact.text,
            "at": fact.at,
        }
        for fact in facts
    ]
    await repository.add_messages(session, rows)
