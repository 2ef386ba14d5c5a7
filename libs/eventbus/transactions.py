"""The transactions of a consumer group: handling events, and working off those that have waited."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from libs.eventbus import holding
from libs.eventbus.deliveries import Delivery, inspect_parked, stand_in
from libs.eventbus.envelope import Event
from libs.eventbus.faults import DatabaseAway, Fault, describe, is_database_away
from libs.eventbus.handlers import Handlers

log = structlog.get_logger(__name__)

OpenTransaction = Callable[[Event], AbstractAsyncContextManager[AsyncSession]]


class GroupTransactions:
    """Every method is one transaction. All raise ``DatabaseAway``, or what a handler raised."""

    def __init__(self, group: str, handlers: Handlers, open_transaction: OpenTransaction) -> None:
        self._group = group
        self._handlers = handlers
        self._open_transaction = open_transaction

    async def handle(self, deliveries: Sequence[Delivery]) -> None:
        """Inbox rows and effects of these events; those of held keys are parked instead."""
        started = False
        try:
            async with self._open_transaction(deliveries[0].event) as session:
                ready = await self._take_in(session, deliveries)
                started = True
                await _call_handlers(session, ready)
        except Exception as error:
            raise _blamed(error, handlers_called=started) from error

    async def work_off_next(self, key: str, fault: Fault | None = None) -> bool:
        """Handle what waits first for a released key, or give it up with ``fault``.

        False if the key needs no more work: nothing is left, or it is held again.
        """
        started = False
        try:
            async with self._housekeeping() as session:
                if not await holding.lock_released(session, self._group, key):
                    return False
                parked = await holding.first_parked(session, self._group, key)
                if parked is None:
                    await holding.let_go(session, self._group, key)
                    return False
                await holding.unpark(session, parked.held_order)
                delivery = inspect_parked(self._handlers, parked)
                if delivery is None:
                    return True
                if fault or delivery.fault:
                    await self._bury(session, replace(delivery, fault=fault or delivery.fault))
                    return False
                started = True
                await _call_handlers(session, [delivery])
                return True
        except Exception as error:
            raise _blamed(error, handlers_called=started) from error

    async def released_keys(self) -> list[str]:
        """Keys with events to work off."""
        try:
            async with self._housekeeping() as session:
                return await holding.released_keys(session, self._group)
        except Exception as error:
            raise _blamed(error, handlers_called=False) from error

    async def _take_in(self, session: AsyncSession, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Enter the inbox, park, bury; what is left is for the handlers."""
        fresh = await holding.claim(session, self._group, deliveries)
        held = await holding.held_keys(session, self._group, {delivery.key for delivery in fresh})
        ready: list[Delivery] = []
        for delivery in fresh:
            if delivery.key in held:
                await holding.park(session, self._group, delivery)
            elif delivery.fault:
                await self._bury(session, delivery)
                held.add(delivery.key)
            else:
                ready.append(delivery)
        return ready

    async def _bury(self, session: AsyncSession, delivery: Delivery) -> None:
        assert delivery.fault is not None
        log.error(
            "event_dead_lettered",
            group=self._group,
            event_id=str(delivery.event_id),
            type=delivery.event.type,
            fault=delivery.fault.kind.value,
            reason=delivery.fault.reason,
        )
        await holding.bury(session, self._group, delivery)

    def _housekeeping(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self._open_transaction(stand_in("", "", uuid7()))


async def _call_handlers(session: AsyncSession, deliveries: Sequence[Delivery]) -> None:
    for route, run in itertools.groupby(deliveries, key=lambda delivery: delivery.route):
        assert route is not None, "only deliveries with a route come here"
        await route.handle(session, [(delivery.event, delivery.fact) for delivery in run])
        await session.flush()


def _blamed(error: Exception, *, handlers_called: bool) -> Exception:
    """The error itself, or ``DatabaseAway`` where no event can be blamed for it."""
    if handlers_called and not is_database_away(error):
        return error
    return DatabaseAway(describe(error))
