"""What this service listens to: one line a fact."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from libs.casework.actors import SYSTEM
from libs.casework.clock import Clock
from libs.contracts.base import topic_of
from libs.contracts.enrollment import (
    EnrolmentStarted,
    EnrolmentStopped,
    PersonKeyChanged,
    PersonsMerged,
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
        await repository.put_standing(session, {**_known(fact), "started_on": fact.started_on})
        await _put_key(session, fact)

    @handlers.on(EnrolmentStopped)
    async def _stopped(session: AsyncSession, _: Event, fact: EnrolmentStopped) -> None:
        await repository.put_standing(session, {**_known(fact), "stopped_on": fact.stopped_on})
        await _put_key(session, fact)

    @handlers.on(PersonKeyChanged)
    async def _key_changed(session: AsyncSession, _: Event, fact: PersonKeyChanged) -> None:
        record, region, version = fact.person_id, fact.region_code, fact.person_version
        # Before the change it bore the previous key, in whatever version.
        await repository.put_key(session, record, region, fact.previous_person_key, version - 1)
        await repository.put_key(session, record, region, fact.person_key, version)

    @handlers.on(PersonsMerged)
    async def _merged(session: AsyncSession, _: Event, fact: PersonsMerged) -> None:
        await repository.put_key(session, fact.kept_id, fact.region_code, fact.person_key, fact.kept_version)
        await repository.put_key(session, fact.merged_id, fact.region_code, fact.merged_person_key, 0)
        await repository.put_merge(session, fact.merged_id, fact.kept_id, fact.region_code)

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


def _known(fact: EnrolmentStarted | EnrolmentStopped) -> dict[str, object]:
    told = {"enrolment_id", "region_code", "person_key", "insurance_kind", "person_kind"}
    # A fact of old names no record: it must not take away what a newer one has told.
    return fact.model_dump(include=told | ({"person_id"} if fact.person_id else set()))


async def _put_key(session: AsyncSession, fact: EnrolmentStarted | EnrolmentStopped) -> None:
    if fact.person_id:
        await repository.put_key(
            session, fact.person_id, fact.region_code, fact.person_key, fact.person_version
        )
