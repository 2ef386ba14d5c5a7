"""Processes that die, or stop, at the worst moment. Run as ``python -m tests.libs.eventbus.doomed``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Collection, Sequence

from libs.eventbus.relay import Relay
from libs.eventbus.transport import Record, Subscription
from libs.eventbus.transports.postgres_log import PostgresLogTransport
from tests.libs.eventbus.harness import Service, recording_handlers


class SignalAfterAck(PostgresLogTransport):
    """Sends this process a signal once the broker has acknowledged, before the relay deletes."""

    signal = signal.SIGKILL

    async def publish(self, topic: str, messages: Sequence[tuple[str, bytes]]) -> None:
        await super().publish(topic, messages)
        os.kill(os.getpid(), self.signal)


class StopAfterAck(SignalAfterAck):
    """Stops where the other dies."""

    signal = signal.SIGSTOP


class DieBeforeCommit(PostgresLogTransport):
    """Dies after the handler's commit, before the offset moves."""

    @contextlib.asynccontextmanager
    async def subscribe(self, group: str, topics: Collection[str]) -> AsyncIterator[Subscription]:
        async with super().subscribe(group, topics) as subscription:
            yield Dying(subscription)


class Dying:
    """Its subscription."""

    def __init__(self, subscription: Subscription) -> None:
        self.fetch = subscription.fetch

    async def commit(self, records: Collection[Record]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


async def submit(database: str) -> None:
    await Service(database).note("case-1", 1, 2, 3)
    os.kill(os.getpid(), signal.SIGKILL)


async def relay(database: str, transport: PostgresLogTransport) -> None:
    await Relay(database, transport, lease_s=1.0).run()


async def consume(database: str) -> None:
    transport = DieBeforeCommit(database, partitions=4, lease_s=1.0)
    await Service(database).consumer(transport, recording_handlers()).run()


def main(what: str, database: str) -> None:
    work = {
        "submit": lambda: submit(database),
        "relay": lambda: relay(database, SignalAfterAck(database, partitions=4)),
        "stopping-relay": lambda: relay(database, StopAfterAck(database, partitions=4)),
        "consume": lambda: consume(database),
    }
    asyncio.run(work[what]())


if __name__ == "__main__":
    main(*sys.argv[1:])
