"""What the relay and the consumers need of a broker. Three of them exist, under one suite of tests.

A topic has partitions; records of one key go to one partition and stay in order there. A group
reads every record at least once: its members share the partitions, a record is redelivered until
a position behind it is committed.

Errors, all ``TransportError``::

    Unavailable        nothing wrong with the records: back off and try again
      ProducerBroken   the same, and the producer was thrown away; the next publish opens a new one
    RecordRefused      the broker will never take this record (too large): it is poison
    OwnershipLost      the partition went to another member; the records will be delivered there
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

# Kafka's own default for message.max.bytes; the other transports keep to it, so that what passes
# in the small size passes in the large one.
MAX_BODY_BYTES = 1_048_576 - 4_096


class TransportError(Exception):
    """Base of what a transport raises."""


class Unavailable(TransportError):
    """The broker cannot be reached or is not ready; the same call may succeed later."""


class ProducerBroken(Unavailable):
    """The producer was beyond repair and has been discarded; the next publish opens a new one."""


class RecordRefused(TransportError):
    """One record of a publish is poison. Nothing after it of its key has been published."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"record {index} refused: {reason}")
        self.index = index
        self.reason = reason


class OwnershipLost(TransportError):
    """A commit for partitions this member no longer owns; they are delivered to another."""


class GroupRunning(TransportError):
    """The positions of a group belong to its running members."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic. ``offset`` counts from 0 within its partition."""

    topic: str
    partition: int
    offset: int
    key: str
    body: bytes


class Subscription(Protocol):
    """One member of a group."""

    async def fetch(self, max_records: int) -> Sequence[Record]:
        """Next records in order per partition; waits a little and may return none.

        Raises ``Unavailable``.
        """

    async def commit(self, records: Collection[Record]) -> None:
        """All records up to these are done. Raises ``OwnershipLost``, ``Unavailable``; never hangs."""


class Transport(Protocol):
    """A broker. ``close`` may be called more than once; other calls open connections as needed."""

    async def publish(self, topic: str, messages: Sequence[tuple[str, bytes]]) -> None:
        """Append (key, body) pairs in order and return once all are acknowledged.

        After any error some may have been appended, a prefix per key: publish all again.
        Raises ``Unavailable``, ``RecordRefused``.
        """

    def subscribe(self, group: str, topics: Collection[str]) -> AbstractAsyncContextManager[Subscription]:
        """Join a group as a new member for the duration of the context; topics are created if missing."""

    async def rewind(self, group: str, topics: Collection[str]) -> None:
        """Put a group back to the first record still kept. Raises ``GroupRunning``, ``Unavailable``."""

    async def close(self) -> None:
        """Give back all connections, within a bounded time."""


def too_large(body: bytes) -> str | None:
    """Reason to refuse a body, if there is one."""
    if len(body) <= MAX_BODY_BYTES:
        return None
    return f"{len(body)} bytes, the largest allowed is {MAX_BODY_BYTES}"
