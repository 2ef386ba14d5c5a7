"""Writing down what has come of payments, many rows in one statement."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.enrollment.domain.payments import Outcome

_SETTLE = text("""
    UPDATE contribution_payments AS p SET outcome = s.outcome, reasons = CAST(s.reasons AS jsonb),
        person_id = s.person_id, account_fen = s.account_fen, rule = s.rule,
        recorded_through = s.recorded_through, applied_at = :at
    FROM unnest(CAST(:files AS uuid[]), CAST(:rows AS bigint[]), CAST(:outcomes AS text[]),
                CAST(:reasons AS text[]), CAST(:people AS uuid[]), CAST(:accounts AS bigint[]),
                CAST(:rules AS text[]), CAST(:throughs AS text[]))
        AS s (file_id, row_no, outcome, reasons, person_id, account_fen, rule, recorded_through)
    WHERE p.file_id = s.file_id AND p.row_no = s.row_no
""")


@dataclass(frozen=True)
class Settlement:
    """What a row says from now on; ``reasons`` are code and sentence of each fault."""

    file_id: UUID
    row_no: int
    outcome: Outcome
    reasons: Sequence[dict[str, Any]] = field(default=())
    person_id: UUID | None = None
    account_fen: int | None = None
    rule: str | None = None
    recorded_through: str | None = None


async def settle(session: AsyncSession, settlements: Sequence[Settlement], at: dt.datetime) -> None:
    """Write them all."""
    if not settlements:
        return
    columns = {
        "files": [s.file_id for s in settlements],
        "rows": [s.row_no for s in settlements],
        "outcomes": [s.outcome.value for s in settlements],
        "reasons": [json.dumps(list(s.reasons), ensure_ascii=False) for s in settlements],
        "people": [s.person_id for s in settlements],
        "accounts": [s.account_fen for s in settlements],
        "rules": [s.rule for s in settlements],
        "throughs": [s.recorded_through for s in settlements],
    }
    await session.execute(_SETTLE, {**columns, "at": at})
