"""Events in the memory of one process: unit tests, and the small demonstrations of the docs."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from zlib import crc32

from libs.eventbus.transport import GroupRunning, OwnershipLost, Record, RecordRefused, too_large

Slot = tuple[str, int]  # topic and partition


class MemoryTransport:
    """Keeps every record for ever. Members of a group share the partitions round robin."""

    def __init__(self, *, partitions: int = 4, fetch_wait_s: float = 0.2) -> None:
        self._partitions = partitions
        self._fetch_wait_s = fetch_wait_s
        self._records: dict[Slot, list[Record]] = defaultdict(list)
        self._positions: dict[tuple[str, Slot], int] = defaultdict(int)
        self._members: dict[str, list[MemorySubscription]] = defaultdict(list)
        self._appended = asyncio.Event()

    async def publish(self, topic: str, messages: Sequence[tuple[str, bytes]]) -> None:
        for index, (key, body) in enumerate(messages):
            if reason := too_large(body):
                raise RecordRefused(index, reason)
            partition = crc32(key.encode()) % self._partitions
            records = self._records[topic, partition]
            records.append(Record(topic, partition, len(records), key, body))
        self._appended.set()

    @contextlib.asynccontextmanager
    async def subscribe(self, group: str, topics: Collection[str]) -> AsyncIterator[MemorySubscription]:
        member = MemorySubscription(self, group, topics)
        self._members[group].append(member)
        self._reassign(group)
        try:
            yield member
        finally:
            self._members[group].remove(member)
            self._reassign(group)

    async def rewind(self, group: str, topics: Collection[str]) -> None:
        if self._members[group]:
            raise GroupRunning(group)
        for topic in topics:
            for partition in range(self._partitions):
                self._positions[group, (topic, partition)] = 0

    async def close(self) -> None:
        """Nothing is held."""

    def _reassign(self, group: str) -> None:
        members = self._members[group]
        for rank, member in enumerate(members):
            slots = [(topic, n) for topic in sorted(member.topics) for n in range(self._partitions)]
            member.assign(slots[rank :: len(members)])

    async def _wait(self) -> None:
        self._appended.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._fetch_wait_s):
                await self._appended.wait()


class MemorySubscription:
    """One member of a group in this process."""

    def __init__(self, transport: MemoryTransport, group: str, topics: Collection[str]) -> None:
        self.topics = frozenset(topics)
        self._transport = transport
        self._group = group
        self._next: dict[Slot, int] = {}

    def assign(self, slots: Sequence[Slot]) -> None:
        """Own these partitions; those that are new start from the group's position."""
        positions = self._transport._positions
        self._next = {slot: self._next.get(slot, positions[self._group, slot]) for slot in slots}

    async def fetch(self, max_records: int) -> Sequence[Record]:
        records = self._take(max_records)
        if not records:
            await self._transport._wait()
            records = self._take(max_records)
        return records

    async def commit(self, records: Collection[Record]) -> None:
        if any((record.topic, record.partition) not in self._next for record in records):
            raise OwnershipLost(f"group {self._group} was shared out anew")
        for record in records:
            self._transport._positions[self._group, (record.topic, record.partition)] = record.offset + 1

    def _take(self, max_records: int) -> list[Record]:
        taken: list[Record] = []
        for slot, start in self._next.items():
            fresh = self._transport._records[slot][start : start + max_records - len(taken)]
            self._next[slot] = start + len(fresh)
            taken.extend(fresh)
        return taken
