"""The desk a case is worked on: one transaction at work, by somebody, at some moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.cases import Case, fact_key, stale_version
from libs.casebook.cases import Move as Step
from libs.casework.actors import Actor
from libs.casework.clock import SHANGHAI
from libs.casework.deadlines import CaseClock
from libs.casework.lifecycle import ENDED, Action
from libs.contracts.transfer import TransferFact
from libs.eventbus.outbox import publish
from libs.exchange import conversations
from libs.exchange.bodies import Body
from libs.exchange.envelope import Kind, Message
from libs.exchange.faults import ExchangeFault
from libs.exchange.outgoing import send
from libs.refusals.faults import Fault, conflict
from services.transfer import repository
from services.transfer.domain.stages import STAGE_LIMITS, Stage
from services.transfer.models import Move
from services.transfer.service import limits
from services.transfer.service.office import Office


@dataclass(frozen=True)
class Desk:
    """One transaction at work: by whom and when."""

    office: Office
    session: AsyncSession
    actor: Actor
    now: dt.datetime

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(SHANGHAI).date()

    def acting_as(self, actor: Actor) -> Desk:
        """The same transaction for somebody else (the system, the other city)."""
        return replace(self, actor=actor)

    async def open(self, case_no: str, version: int | None = None) -> tuple[Case, Move]:
        """Take case and move for work. Raises Refusal: not found, or newer than ``version`` (If-Match)."""
        case, move = await self._take(await repository.move_by_case_no(self.session, case_no))
        if version is not None and version != case.version:
            raise stale_version(version)
        return case, move

    async def open_by_id(self, case_id: UUID) -> tuple[Case, Move]:
        """Take case and move for work by the case's key."""
        return await self._take(await repository.move_by_case_id(self.session, case_id))

    async def open_conversation(self, region_code: str, conversation: str) -> tuple[Case, Move]:
        """Take this region's side of a conversation for work. Raises Refusal (not found)."""
        return await self._take(await repository.move_in(self.session, region_code, conversation))

    async def _take(self, move: Move) -> tuple[Case, Move]:
        """Lock conversation, then case: the order of arriving messages (exchange/conversations.py).

        A conversation the other city has not heard of has no messages to wait for. Raises Refusal
        (stale version) where somebody opened it just before the case was locked.
        """
        was_open = move.conversation_opened
        if was_open:
            await conversations.hold(
                self.session, move.region_code, move.conversation, move.counterpart_region_code, self.now
            )
        case = await self.office.casebook.load_by_id(self.session, move.case_id, lock=True)
        move = await repository.move_of(self.session, case)
        if move.conversation_opened and not was_open:
            raise stale_version(case.version - 1)
        return case, move

    async def step(
        self,
        case: Case,
        move: Move,
        action: Action,
        stage: Stage,
        *,
        name: str | None = None,
        reason: str | None = None,
        notice: list[Fault] | None = None,
        clock: CaseClock | None = None,
        application: dict[str, object] | None = None,
        details: dict[str, object] | None = None,
    ) -> Case:
        """One step of the case; the move follows: stage since today, closed when the case ends."""
        step = Step(
            action, self.actor, self.now, stage.value, reason, notice or [], details, action_name=name
        )
        moved = await self.office.casebook.move(
            self.session, case, step, clock=clock, application=application
        )
        if stage.value != case.stage:
            self._enter(moved, move, stage)
        move.is_open = moved.status not in ENDED
        return moved

    def _enter(self, case: Case, move: Move, stage: Stage) -> None:
        limit = STAGE_LIMITS.get(stage)
        if not (limit and limit.continues and move.stage_due_on):
            move.limit_since = self.today
        due = limits.stage_due(self.office, case, move, stage)
        move.stage_since = self.today
        move.stage_due_on, move.stage_due_provisional = (due.on, due.provisional) if due else (None, False)
        move.inquiries, move.last_inquiry_on = 0, None

    async def tell(
        self, case: Case, move: Move, kind: Kind, body: Body, *, answers: str | None = None
    ) -> Message:
        """Seal a message to the other city and queue it, in this transaction.

        Raises Refusal (conflict) with every reason where the protocol has no such message now.
        """
        move.conversation_opened = True
        try:
            return await send(
                self.session,
                conversation=move.conversation,
                kind=kind,
                body=body,
                own_region=move.region_code,
                to_region=move.counterpart_region_code,
                signer=self.office.signer_of(move.region_code),
                at=self.now,
                expires_at=self.now + dt.timedelta(days=self.office.rules.message_life_natural_days),
                answers=answers,
                keeper=self.office.keeper,
            )
        except ExchangeFault as fault:
            faults = [Fault(one.code.value, one.message) for one in fault.faults]
            raise conflict("exchange", "按与对方往来报文的现状，此时不能办理此步。", faults) from fault

    async def publish(self, move: Move, fact: TransferFact) -> None:
        """Tell the other services, in this transaction, in the order of this person here."""
        await publish(
            self.session,
            fact,
            key=fact_key(move.region_code, move.person_key),
            region_code=move.region_code,
            subject=move.conversation,
            at=self.now,
        )
