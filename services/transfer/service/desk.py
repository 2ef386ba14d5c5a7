"""The desk a case is worked on: what the service has at hand, and one transaction at work."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.cases import Case, Casebook
from libs.casebook.cases import Move as Step
from libs.casework.actors import Actor
from libs.casework.clock import SHANGHAI
from libs.casework.deadlines import CaseClock, allowed_by
from libs.casework.lifecycle import ENDED, Action
from libs.casework.working_days import add_working_days
from libs.catalogue.lookup import Catalogues, ItemInForce, scope_between
from libs.catalogue.situation import Situation
from libs.contracts.transfer import TransferFact
from libs.eventbus.outbox import publish
from libs.exchange import conversations
from libs.exchange.bodies import Body
from libs.exchange.envelope import Kind, Message
from libs.exchange.keeping import BodyKeeper
from libs.exchange.outgoing import send
from libs.exchange.seals import Signer
from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault, Refusal, RefusalKind
from libs.regions.agencies import Agencies
from services.transfer import repository
from services.transfer.domain.rules import Rules
from services.transfer.domain.stages import STAGE_LIMITS, Side, Stage
from services.transfer.models import Move

# Tried in this order: an edition that splits the item by direction, then one that does not.
OPERATIONS = {
    Side.IN: ("transfer.in", "transfer.relation"),
    Side.OUT: ("transfer.out", "transfer.relation"),
}


@dataclass(frozen=True)
class Office:
    """What the service has at hand for as long as it runs."""

    casebook: Casebook
    catalogues: Catalogues
    agencies: Agencies
    signers: dict[str, Signer]
    protector: FieldProtector
    keeper: BodyKeeper
    rules: Rules

    def signer_of(self, region_code: str) -> Signer:
        """The seal of a region whose agency runs here. Raises Refusal where it does not."""
        signer = self.signers.get(region_code)
        if signer is None:
            message = f"行政区划{region_code}的经办机构不在本系统办理业务。"
            raise Refusal(RefusalKind.INVALID, "region_not_here", message)
        return signer

    def item(self, region_code: str, side: Side, on: dt.date) -> ItemInForce:
        """The item in force for this side of a move."""
        return self.catalogues.item_for(region_code, OPERATIONS[side], on)


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
        move = await repository.move_by_case_no(self.session, case_no)
        case = await self._take(move)
        if version is not None and version != case.version:
            raise Refusal(
                RefusalKind.STALE_VERSION,
                "stale_version",
                f"办件已更新到第{case.version}版，您看到的是第{version}版，请刷新后再办。",
            )
        return case, await repository.move_of(self.session, case)

    async def _take(self, move: Move) -> Case:
        """Lock conversation, then case: the order of arriving messages (exchange/conversations.py)."""
        await conversations.hold(
            self.session, move.region_code, move.conversation, move.counterpart_region_code, self.now
        )
        return await self.office.casebook.load_by_id(self.session, move.case_id, lock=True)

    async def open_by_id(self, case_id: UUID) -> tuple[Case, Move]:
        """Take case and move for work by the case's key."""
        case = await self._take(await repository.move_by_case_id(self.session, case_id))
        return case, await repository.move_of(self.session, case)

    async def open_conversation(self, region_code: str, conversation: str) -> tuple[Case, Move]:
        """Take this region's side of a conversation for work. Raises Refusal (not found)."""
        case = await self._take(await repository.move_in(self.session, region_code, conversation))
        return case, await repository.move_of(self.session, case)

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
            move.stage_since = self.today
            move.stage_due_on = self._stage_due(moved, move, stage)
            move.inquiries, move.last_inquiry_on = 0, None
        move.is_open = moved.status not in ENDED
        return moved

    async def tell(
        self, case: Case, move: Move, kind: Kind, body: Body, *, answers: str | None = None
    ) -> Message:
        """Seal a message to the other city and queue it, in this transaction."""
        move.conversation_opened = True
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

    async def publish(self, move: Move, fact: TransferFact) -> None:
        """Tell the other services, in this transaction, in the order of this person."""
        await publish(
            self.session,
            fact,
            key=move.person_key,
            region_code=move.region_code,
            subject=move.conversation,
            at=self.now,
        )

    def total_clock(self, item: ItemInForce, region_code: str, other_region_code: str) -> CaseClock:
        """The whole case's clock, started today, by the catalogue in force."""
        situation = Situation(scope=scope_between(region_code, other_region_code))
        allowed = allowed_by(item.item, situation)
        assert allowed is not None, f"{item.edition.id} {item.item.key} has no total limit"
        return CaseClock.start(allowed, self.today)

    def _stage_due(self, case: Case, move: Move, stage: Stage) -> dt.date | None:
        """Last day for this stage, ours or the other city's, within our total (stages.py)."""
        limit = STAGE_LIMITS.get(stage)
        if limit is None:
            return None
        if limit.continues and move.stage_due_on:
            return move.stage_due_on
        side = Side(move.side) if limit.ours else Side(move.side).other
        here, there = move.region_code, move.counterpart_region_code
        item = self.office.item(here if limit.ours else there, side, case.submitted_at.date())
        allowed = allowed_by(item.item, Situation(scope=scope_between(here, there)), limit.name)
        due = (
            allowed.from_day(self.today)
            if allowed
            else add_working_days(self.today, self.office.rules.stage_limits_working_days[limit.name])
        )
        return min(due.on, case.clock.due.on) if case.clock and limit.ours else due.on
