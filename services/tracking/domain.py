"""Rules of tracking: what is owed and when, what is missing, who may rate. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable

from libs.casework.lifecycle import ENDED, STATUS_NAMES, Status
from libs.contracts.cases import CaseMoved, MessageSent
from libs.refusals.faults import Fault, conflict, invalid

# Sorts behind every real date: nothing is owed while a clock stands still or after the end.
NOTHING_OWED = dt.date(9999, 12, 31)

# What the agency has decided can be rated (好差评), a refusal most of all; what the applicant
# has given up cannot.
RATABLE = frozenset({Status.COMPLETED, Status.REFUSED, Status.REJECTED})

_OPEN_NOTICE = frozenset({Status.SUPPLEMENTING, Status.REFUSED, Status.REJECTED})


def owed_by(status: str, due_on: dt.date | None) -> dt.date:
    """The day until which the agency owes the next step; ``NOTHING_OWED`` where it owes none."""
    if due_on is None or status in ENDED:
        return NOTHING_OWED
    return due_on


def newest_of_each(facts: Iterable[CaseMoved]) -> list[CaseMoved]:
    """The fact with the highest version of every case."""
    newest: dict[str, CaseMoved] = {}
    for fact in facts:
        known = newest.get(fact.case_no)
        if known is None or known.version < fact.version:
            newest[fact.case_no] = fact
    return list(newest.values())


def digest_of(fact: MessageSent) -> str:
    """SHA-256 that is the same for the same message told twice."""
    parts = (fact.case_no, fact.kind, fact.at.astimezone(dt.UTC).isoformat(), fact.text)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def notice_stands(status: str) -> bool:
    """Whether the last notice is still what the applicant has to know: things missing, or reasons."""
    return status in _OPEN_NOTICE


def require_ratable(status: str) -> None:
    """Raises Refusal (conflict) unless the agency has decided the case."""
    if status not in RATABLE:
        name = STATUS_NAMES[Status(status)]
        raise conflict("not_ratable", f"办件当前为“{name}”，办结（含不予受理、审核不通过）后才能评价。")


def day_of_cursor(text: str) -> dt.date:
    """The day inside a cursor. Raises Refusal (invalid) where somebody made it up."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        message = "cursor无效：请原样使用上一页答复中的next_cursor，或去掉它从头查询。"
        raise invalid("cursor", message, [Fault("cursor", message, "/query/cursor")]) from error
