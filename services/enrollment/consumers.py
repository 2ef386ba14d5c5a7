"""What this service does with the facts of others: one table of fact → use case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from libs.casework.clock import Clock
from libs.contracts.base import Fact, topic_of
from libs.contracts.transfer import (
    FundsPaid,
    FundsReceived,
    InformationSheetIssued,
    TransferOutAccepted,
    TransferOutCancelled,
    TransferOutCompleted,
    TransferTakenUp,
)
from libs.eventbus.envelope import Event
from libs.eventbus.handlers import Handlers
from libs.protection.fields import FieldProtector
from services.enrollment.service import arriving, leaving, preparing
from services.enrollment.service.desk import Desk

GROUP = "enrollment"
TOPICS = (topic_of(TransferOutAccepted.event_type),)

F = TypeVar("F", bound=Fact)


def handlers_of(protector: FieldProtector, clock: Clock) -> Handlers:
    """The consumer group's table."""
    handlers = Handlers()

    def connect(fact_type: type[F], verb: Callable[[Desk, F], Awaitable[None]]) -> None:
        async def handle(session: AsyncSession, _: Event, fact: F) -> None:
            await verb(Desk(session, protector, clock.now()), fact)

        handlers.on(fact_type)(handle)

    connect(TransferOutAccepted, preparing.prepare)
    connect(InformationSheetIssued, leaving.issue)
    connect(FundsPaid, leaving.pay)
    connect(TransferOutCompleted, leaving.complete)
    connect(TransferOutCancelled, leaving.cancel)
    connect(FundsReceived, arriving.receive)
    connect(TransferTakenUp, arriving.take_up)
    return handlers
