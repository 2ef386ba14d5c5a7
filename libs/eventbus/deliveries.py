"""From a record to a delivery: what the group is to do with it, or why it cannot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import ValidationError

from libs.contracts.base import Fact
from libs.eventbus.envelope import BrokenEnvelope, Event
from libs.eventbus.faults import Fault, FaultKind, describe
from libs.eventbus.handlers import Handlers, Route
from libs.eventbus.outbox import LONGEST_KEY
from libs.eventbus.transport import Record

_TYPE = re.compile(r"cn\.yibao\.[a-z_]+\.[a-z_]+\.v[1-9][0-9]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to a handler, or with the fault for which it is given up.

    ``held_order`` is set for an event that has waited: its place among those of its key.
    """

    topic: str
    key: str
    body: bytes
    event: Event
    route: Route | None = None
    fact: Fact | None = None
    fault: Fault | None = None
    held_order: int | None = None

    @property
    def event_id(self) -> UUID:
        """Id under which the inbox knows it."""
        return self.event.id


class Parked(NamedTuple):
    """A row of ``parked_event``."""

    topic: str
    key: str
    body: bytes
    event_id: UUID
    held_order: int


def inspect(handlers: Handlers, record: Record) -> Delivery | None:
    """What to do with a record; None if it is of no concern to this group."""
    origin = f"{record.topic}/{record.partition}/{record.offset}"

    def stand_in_id() -> UUID:
        # The digest keeps a topic that is made anew from repeating the ids of the old one.
        return uuid5(NAMESPACE_URL, f"{origin}#{sha256(record.body).hexdigest()}")

    # Without a key that we could have written the record is not ours and holds up only itself.
    key = record.key if 0 < len(record.key) <= LONGEST_KEY and "\0" not in record.key else origin
    return _inspect(handlers, record.topic, key, record.body, stand_in_id)


def inspect_parked(handlers: Handlers, parked: Parked) -> Delivery | None:
    """The same for an event that has waited; the answer may have changed with a new release."""
    return _inspect(
        handlers, parked.topic, parked.key, parked.body, lambda: parked.event_id, parked.held_order
    )


def stand_in(topic: str, key: str, event_id: UUID) -> Event:
    """An event in place of one that cannot be read, so that a transaction can be opened for it."""
    return Event(
        id=event_id,
        source="/yibao/eventbus",
        type="cn.yibao.eventbus.unreadable.v1",
        subject=topic,
        time=datetime.now(UTC),
        data={},
        partitionkey=key,
        regioncode="",
    )


def by_key(deliveries: Iterable[Delivery]) -> list[list[Delivery]]:
    """Deliveries of the same key together, in order."""
    chains: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        chains.setdefault(delivery.key, []).append(delivery)
    return list(chains.values())


def _inspect(
    handlers: Handlers,
    topic: str,
    key: str,
    body: bytes,
    stand_in_id: Callable[[], UUID],
    held_order: int | None = None,
) -> Delivery | None:
    route, fact, fault = None, None, None
    try:
        event = Event.from_bytes(body)
    except BrokenEnvelope as error:
        event = stand_in(topic, key, stand_in_id())
        fault = Fault(FaultKind.BROKEN, str(error))
    else:
        route = handlers.route(event.type)
        fact, fault = _read(route, event) if route else (None, _unrouted(handlers, event.type))
        if route is None and fault is None:
            return None
    return Delivery(
        topic=topic,
        key=key,
        body=body,
        event=event,
        route=route,
        fact=fact,
        fault=fault,
        held_order=held_order,
    )


def _unrouted(handlers: Handlers, event_type: str) -> Fault | None:
    if not _TYPE.fullmatch(event_type):
        return Fault(FaultKind.UNKNOWN_TYPE, f"{event_type} is no type of event of ours")
    if handlers.knows_name(event_type):
        return Fault(FaultKind.UNKNOWN_VERSION, f"{event_type} is a version this release does not know")
    return None


def _read(route: Route, event: Event) -> tuple[Fact | None, Fault | None]:
    try:
        return route.fact_type.model_validate(event.data), None
    except ValidationError as error:
        return None, Fault(FaultKind.INVALID_DATA, describe(error))
