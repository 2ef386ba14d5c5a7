"""Deaths learned: what they end, and what a revocation brings back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.months import month_of


class Source(StrEnum):
    """Who says so."""

    DATA_SHARING = "data_sharing"
    OFFICER = "officer"
    WITHDRAWAL = "withdrawal"
    EMPLOYER = "employer"


class NoticeState(StrEnum):
    RECORDED = "recorded"
    REVOKING = "revoking"
    REVOKED = "revoked"


NOTICE_STATE_NAMES = {
    NoticeState.RECORDED: "已登记",
    NoticeState.REVOKING: "申请撤销，待复核",
    NoticeState.REVOKED: "已撤销",
}


class LineOutcome(StrEnum):
    """What came of one line told."""

    RECORDED = "recorded"
    KNOWN = "known"
    UNKNOWN_PERSON = "unknown_person"
    DISAGREES = "disagrees"


LINE_OUTCOME_NAMES = {
    LineOutcome.RECORDED: "已登记",
    LineOutcome.KNOWN: "此前已登记，日期一致",
    LineOutcome.UNKNOWN_PERSON: "本地没有此人的参保档案",
    LineOutcome.DISAGREES: "与已登记的死亡日期或出生日期不一致，未作更改，请核实",
}


@dataclass(frozen=True)
class End:
    """An enrolment that ends with the death; ``last_day`` is its last."""

    spell: Spell
    last_day: dt.date


def ends_of(spells: Sequence[Spell], deceased_on: dt.date) -> list[End]:
    """All active enrolments end on the day of death.

    One begun after it was begun in error: it ends on its own first day, the least there is, and no benefit
    is due from it. Months paid after the death do not keep an enrolment open (nobody dead is insured;
    waiting for the refund would leave benefits running): they are listed to be refunded.
    """
    return [End(spell, max(deceased_on, spell.started_on)) for spell in spells if spell.is_active]


def paid_after(
    months: Mapping[InsuranceKind, Sequence[str]], deceased_on: dt.date
) -> dict[InsuranceKind, list[str]]:
    """Own months paid for the time after the month of death, by kind: to be refunded."""
    found = {
        kind: sorted(month for month in paid if month > month_of(deceased_on))
        for kind, paid in months.items()
    }
    return {kind: later for kind, later in found.items() if later}
