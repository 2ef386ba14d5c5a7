"""Sending, second half: a worker that delivers queued messages until each is receipted, refused or given up.

Three steps, each of which may be the last before a kill: lease (a transaction), deliver (none open), record
(a transaction). Killed before recording, the lease runs out and the message goes out again; the receiver
recognises it and answers as before. So delivery is at least once, its effect once.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casework.clock import Clock
from libs.eventbus.retry import through_deadlocks
from libs.exchange import deliveries
from libs.exchange.courier import Courier, NotCarried
from libs.exchange.deliveries import Leased, Outcome, Undeliverable
from libs.exchange.envelope import Message, Receipt, Refusal
from libs.exchange.faults import ExchangeFault
from libs.exchange.inspection import checked_answer
from libs.exchange.keeping import PLAIN, BodyKeeper, restored
from libs.exchange.retry import RetryPolicy
from libs.exchange.seals import Verifier

OpenTransaction = Callable[[], AbstractAsyncContextManager[AsyncSession]]
Settled = Callable[[AsyncSession, Message, Outcome], Awaitable[None]]

log = structlog.get_logger(__name__)


async def _nobody_is_told(session: AsyncSession, message: Message, outcome: Outcome) -> None:
    return None


class Sender:
    """Delivers what ``outgoing.send`` queued, for all regions its transactions may see.

    ``open_transaction`` gives a session whose transaction is committed on leaving. ``settled`` is told, in
    the recording transaction, what became of a message: its receipt, its final refusal, or that it was given
    up.
    Any number of senders may run beside one another.
    """

    def __init__(
        self,
        open_transaction: OpenTransaction,
        peers: Courier,
        verifier: Verifier,
        clock: Clock,
        *,
        settled: Settled = _nobody_is_told,
        keeper: BodyKeeper = PLAIN,
        retry: RetryPolicy | None = None,
        lease_s: float = 120.0,
        batch: int = 20,
        poll_s: float = 1.0,
    ) -> None:
        self._open_transaction = open_transaction
        self._peers = peers
        self._verifier = verifier
        self._clock = clock
        self._settled = settled
        self._keeper = keeper
        self._retry = retry or RetryPolicy()
        self._lease = dt.timedelta(seconds=lease_s)
        self._batch = batch
        self._poll_s = poll_s
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at the queue now: called after a commit that queued a message, in the same process."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled. A database that is away is waited for."""
        while True:
            try:
                busy = await self.deliver_due()
            except Exception:
                # The database is away, or one message's recording failed: its lease runs out and it is
                # tried again, and the others must not wait for a new process.
                log.exception("exchange.round_failed")
                busy = 0
            if not busy:
                await self._pause()

    async def deliver_due(self) -> int:
        """One round: deliver what is due now. Returns how many messages were tried."""
        async with self._open_transaction() as session:
            due = await deliveries.lease_due(session, self._clock.now(), lease=self._lease, limit=self._batch)
        # Every delivery comes to its own end; then the first one that broke is reported upwards.
        outcomes = await asyncio.gather(*(self._deliver(leased) for leased in due), return_exceptions=True)
        broken = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        for error in broken[1:]:
            log.error("exchange.delivery_broke", exc_info=error)
        if broken:
            raise broken[0]
        return len(due)

    async def _deliver(self, leased: Leased) -> None:
        message = restored(leased.header, leased.body, self._keeper)
        try:
            raw = await self._peers.carry(message.to_region, message.raw())
            answer = checked_answer(message, raw, self._verifier, self._clock.now())
        except (NotCarried, ExchangeFault) as error:
            await self._record_failure(message, leased, str(error))
            return
        await through_deadlocks(lambda: self._record(message, leased, answer))

    async def _record(self, message: Message, leased: Leased, answer: Receipt | Refusal) -> None:
        if isinstance(answer, Receipt) and answer.stored == "delivered":
            await self._record_receipt(message, answer)
        elif isinstance(answer, Refusal) and answer.final:
            await self._record_refusal(message, answer)
        else:
            await self._record_delay(message, leased, answer)

    async def _record_receipt(self, message: Message, receipt: Receipt) -> None:
        async with self._open_transaction() as session:
            if await deliveries.record_receipt(session, message, receipt, self._clock.now()):
                await self._settled(session, message, receipt)

    async def _record_refusal(self, message: Message, refusal: Refusal) -> None:
        log.warning("exchange.refused", message_id=str(message.id), faults=_codes(refusal))
        async with self._open_transaction() as session:
            now = self._clock.now()
            if await deliveries.record_refusal(session, message, refusal, self._keeper, now):
                await self._settled(session, message, refusal)

    async def _record_delay(self, message: Message, leased: Leased, answer: Receipt | Refusal) -> None:
        """Parked there, or refused for the time being: ask again later."""
        if isinstance(answer, Refusal):
            reasons = "；".join(fault.message for fault in answer.faults)
            await self._record_failure(message, leased, reasons)
            return
        async with self._open_transaction() as session:
            now = self._clock.now()
            await deliveries.send_missing_again(session, message, answer.missing, now)
        wanted = "、".join(str(number) for number in answer.missing)
        await self._record_failure(message, leased, f"对方已暂存，尚缺第{wanted}号消息")

    async def _record_failure(self, message: Message, leased: Leased, reason: str) -> None:
        log.info("exchange.not_delivered", message_id=str(message.id), attempts=leased.attempts)
        async with self._open_transaction() as session:
            retry_in = self._retry.delay(leased.attempts)
            now = self._clock.now()
            if await deliveries.record_failure(session, message, leased.lease, reason, now, retry_in):
                await self._settled(session, message, Undeliverable(reason))

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), self._poll_s)
        except TimeoutError:
            return
        finally:
            self._woken.clear()


def _codes(refusal: Refusal) -> list[str]:
    return [fault.code.value for fault in refusal.faults]
