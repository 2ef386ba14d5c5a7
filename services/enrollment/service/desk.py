"""The desk work is done on: one transaction, by whom and when, and what the service has at hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from libs.caseflow.desk import CaseDesk
from libs.casework.clock import SHANGHAI
from libs.contracts.base import Fact
from libs.contracts.enrollment import EnrolmentStarted, EnrolmentStopped
from libs.eventbus.crowds import publish_under_locks
from libs.eventbus.outbox import Saying, publish
from libs.protection.fields import FieldProtector
from services.enrollment.models import Change

PersonFact = EnrolmentStarted | EnrolmentStopped
SYSTEM = "system"
ALL_REGIONS = ("*",)


@dataclass(frozen=True)
class Desk:
    """One transaction at work.

    ``actor`` is who changes things: ``officer:<subject>``, ``system``; ``regions`` are those whose
    records are the actor's business (row-level security stands behind it).
    """

    session: AsyncSession
    protector: FieldProtector
    now: dt.datetime
    actor: str = SYSTEM
    regions: tuple[str, ...] = ALL_REGIONS

    @classmethod
    def of_case(cls, desk: CaseDesk) -> Desk:
        """The desk at which what a case decides is carried out, in the case's transaction."""
        actor = f"{desk.actor.kind}:{desk.actor.subject}"
        return cls(desk.session, desk.flow.protector, desk.now, actor, desk.regions)

    def may_see(self, region_code: str) -> bool:
        """Whether a region's records are the actor's business at all."""
        return self.regions == ALL_REGIONS or region_code in self.regions

    @property
    def today(self) -> dt.date:
        """The date of law."""
        return self.now.astimezone(SHANGHAI).date()

    async def tell(self, fact: Fact, *, person_key: str, region_code: str, subject: str) -> None:
        """Publish in this transaction, in the order of the person."""
        await publish(
            self.session, fact, key=person_key, region_code=region_code, subject=subject, at=self.now
        )

    async def tell_many(self, facts: Iterable[PersonFact]) -> None:
        """Publish facts about many people, of each in the order given; their rows are all locked."""
        sayings = [Saying(fact, fact.person_key, fact.region_code, fact.enrolment_id) for fact in facts]
        await publish_under_locks(self.session, sayings, at=self.now)

    def note(
        self,
        subject_kind: str,
        subject_id: object,
        region_code: str,
        version: int,
        *,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
        reason: str | None = None,
    ) -> None:
        """Keep what data said before and after; personal data in either only encrypted."""
        change = Change(
            id=uuid7(),
            region_code=region_code,
            subject_kind=subject_kind,
            subject_id=str(subject_id),
            version=version,
            before=None if before is None else dict(before),
            after=dict(after),
            changed_by=self.actor,
            reason=reason,
            changed_at=self.now,
        )
        self.session.add(change)
