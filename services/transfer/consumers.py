"""What this service listens to: one line a fact."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from libs.casework.actors import SYSTEM
from libs.casework.clock import Clock
from libs.contracts.base import topic_of
from libs.contracts.enrollment import (
    EnrolmentStarted,
    EnrolmentStopped,
    TransferCredited,
    TransferRecordPrepared,
    TransferRecordRefused,
)
from libs.eventbus.envelope import Event
from libs.eventbus.handlers import Handlers
from services.transfer import repository
from services.transfer.service import transferring_in, transferring_out
from services.transfer.service.desk import Desk
from services.transfer.service.office import Office

GROUP = "transfer"
TOPICS = (topic_of(EnrolmentStarted.event_type),)


def handlers_of(office: Office, clock: Clock) -> Handlers:
    """All handlers of this service's consumer group."""
    handlers = Handlers()

    def desk(session: AsyncSession) -> Desk:
        return Desk(office, session, SYSTEM, clock.now())

    @handlers.on(EnrolmentStarted)
    async def _started(session: AsyncSession, _: Event, fact: EnrolmentStarted) -> None:
        known = fact.model_dump(
            include={"enrolment_id", "region_code", "person_key", "insurance_kind", "person_kind"}
        )
        await repository.put_standing(session, {**known, "started_on": fact.started_on})

    @handlers.on(EnrolmentStopped)
    async def _stopped(session: AsyncSession, _: Event, fact: EnrolmentStopped) -> None:
        known = fact.model_dump(
            include={"enrolment_id", "region_code", "person_key", "insurance_kind", "person_kind"}
        )
        await repository.put_standing(session, {**known, "stopped_on": fact.stopped_on})

    @handlers.on(TransferRecordPrepared)
    async def _prepared(session: AsyncSession, _: Event, fact: TransferRecordPrepared) -> None:
        await transferring_out.take_prepared_record(desk(session), fact)

    @handlers.on(TransferRecordRefused)
    async def _refused(session: AsyncSession, _: Event, fact: TransferRecordRefused) -> None:
        await transferring_out.take_refused_record(desk(session), fact)

    @handlers.on(TransferCredited)
    async def _credited(session: AsyncSession, _: Event, fact: TransferCredited) -> None:
        await transferring_in.complete(desk(session), fact)

    return handlers
