"""The consumer: one effect per event, in order per key, whatever crashes in between.

A batch of records becomes one transaction: inbox rows, handlers, commit; only then the position
in the topic moves. If that fails, the events go one by one, keys side by side, each with a few
attempts; what still fails becomes a dead letter, and later events of its key are parked behind it.
While the database is away nothing is counted and no position moves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

import structlog

from libs.eventbus.deliveries import Delivery, by_key, inspect
from libs.eventbus.faults import DatabaseAway, Fault, FaultKind, describe
from libs.eventbus.handlers import Handlers
from libs.eventbus.retry import RetryPolicy
from libs.eventbus.transactions import GroupTransactions, OpenTransaction
from libs.eventbus.transport import OwnershipLost, Record, Subscription, Transport, Unavailable

__all__ = ["Consumer", "Handlers", "OpenTransaction", "RetryPolicy"]

log = structlog.get_logger(__name__)


class Consumer:
    """One member of a consumer group; run as many as you like, in as many processes.

    ``open_transaction(event)`` gives a session in a READ COMMITTED transaction that commits when
    the context ends well. Its event is the first of a batch, so the session must not be narrowed
    to that event's region: workers see all regions (``yibao.regions`` = ``*``).
    """

    def __init__(
        self,
        *,
        group: str,
        topics: Collection[str],
        handlers: Handlers,
        transport: Transport,
        open_transaction: OpenTransaction,
        retry: RetryPolicy | None = None,
        batch_size: int = 500,
        parallel_keys: int = 4,
        release_poll_s: float = 1.0,
    ) -> None:
        self._group = group
        self._topics = sorted(topics)
        self._handlers = handlers
        self._transport = transport
        self._transactions = GroupTransactions(group, handlers, open_transaction)
        self._retry = retry or RetryPolicy()
        self._batch_size = batch_size
        self._parallel_keys = asyncio.Semaphore(parallel_keys)
        self._release_poll_s = release_poll_s

    async def run(self) -> None:
        """Consume until cancelled; a database or broker that is away is waited for."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consume())
            tasks.create_task(self._work_off_released_keys())

    async def _consume(self) -> None:
        while True:
            try:
                async with self._transport.subscribe(self._group, self._topics) as subscription:
                    while True:
                        await self._consume_batch(subscription)
            except Unavailable as error:
                log.warning("consumer_waits_for_broker", group=self._group, error=str(error))
                await asyncio.sleep(self._retry.first_delay_s)

    async def _consume_batch(self, subscription: Subscription) -> None:
        records = await subscription.fetch(self._batch_size)
        if not records:
            return
        await self._deliver(records)
        try:
            await subscription.commit(records)
        except OwnershipLost as error:
            # Whoever has the partition now gets the records again and finds them in the inbox.
            log.info("partitions_lost", group=self._group, error=str(error))

    async def _deliver(self, records: Sequence[Record]) -> None:
        inspected = (inspect(self._handlers, record) for record in records)
        deliveries = [delivery for delivery in inspected if delivery is not None]
        if not deliveries:
            return
        async for attempt in self._retry.until_database_is_back():
            with attempt:
                await self._deliver_together(deliveries)

    async def _deliver_together(self, deliveries: Sequence[Delivery]) -> None:
        try:
            await self._transactions.handle(deliveries)
        except DatabaseAway:
            raise
        except Exception as error:
            log.info("batch_taken_apart", group=self._group, events=len(deliveries), error=describe(error))
            chains = [self._deliver_in_turn(chain) for chain in by_key(deliveries)]
            # All keys come to their end before the failure of one is raised.
            for outcome in await asyncio.gather(*chains, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome from None

    async def _deliver_in_turn(self, chain: Sequence[Delivery]) -> None:
        for delivery in chain:
            fault = await self._attempts(delivery)
            if fault:
                await self._transactions.handle([replace(delivery, fault=fault)])

    async def _attempts(self, delivery: Delivery) -> Fault | None:
        """Handle one event; the fault if every attempt failed."""
        try:
            async for attempt in self._retry.a_few_times():
                with attempt:
                    async with self._parallel_keys:
                        await self._transactions.handle([delivery])
        except DatabaseAway:
            raise
        except Exception as error:
            return Fault(FaultKind.POISON, describe(error), self._retry.attempts)
        return None

    async def _work_off_released_keys(self) -> None:
        while True:
            async for attempt in self._retry.until_database_is_back():
                with attempt:
                    for key in await self._transactions.released_keys():
                        await self._work_off(key)
            await asyncio.sleep(self._release_poll_s)

    async def _work_off(self, key: str) -> None:
        more = True
        while more:
            try:
                async for attempt in self._retry.a_few_times():
                    with attempt:
                        more = await self._transactions.work_off_next(key)
            except DatabaseAway:
                raise
            except Exception as error:
                fault = Fault(FaultKind.POISON, describe(error), self._retry.attempts)
                more = await self._transactions.work_off_next(key, fault)
