"""The table of a consumer group: which fact is handled by which function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from libs.contracts.base import Fact
from libs.eventbus.envelope import Event

F = TypeVar("F", bound=Fact)

Handler = Callable[[AsyncSession, Event, F], Awaitable[None]]
BatchHandler = Callable[[AsyncSession, Sequence[tuple[Event, F]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """What happens to events of one type; ``handle`` takes a run of consecutive ones."""

    fact_type: type[Fact]
    handle: Callable[[AsyncSession, Sequence[tuple[Event, Any]]], Awaitable[None]]


class Handlers:
    """Handlers of one consumer group, at most one a type.

    A handler works in the transaction it is given, never commits, and may be called again for the
    same event after a rollback.
    """

    def __init__(self) -> None:
        self._routes: dict[str, Route] = {}
        self._names: set[str] = set()

    def on(self, fact_type: type[F]) -> Callable[[Handler[F]], Handler[F]]:
        """Register ``async def h(session, event, fact) -> None`` for one type of fact."""

        def register(handler: Handler[F]) -> Handler[F]:
            async def one_by_one(session: AsyncSession, events: Sequence[tuple[Event, F]]) -> None:
                for event, fact in events:
                    await handler(session, event, fact)
                    # As if every event had a session of its own: what is wrong shows at the
                    # event that caused it, and the next one reads afresh.
                    await session.flush()
                    session.expunge_all()

            self._add(fact_type, one_by_one)
            return handler

        return register

    def on_batch(self, fact_type: type[F]) -> Callable[[BatchHandler[F]], BatchHandler[F]]:
        """Register ``async def h(session, [(event, fact), …]) -> None``: fewer, larger statements.

        It gets runs of consecutive events of the type, in order; single ones when a batch failed.
        """

        def register(handler: BatchHandler[F]) -> BatchHandler[F]:
            self._add(fact_type, handler)
            return handler

        return register

    def route(self, event_type: str) -> Route | None:
        """Route of exactly this type and version."""
        return self._routes.get(event_type)

    def knows_name(self, event_type: str) -> bool:
        """Whether some version of this fact is handled."""
        return _name(event_type) in self._names

    def _add(
        self,
        fact_type: type[F],
        handle: Callable[[AsyncSession, Sequence[tuple[Event, F]]], Awaitable[None]],
    ) -> None:
        if fact_type.event_type in self._routes:
            raise ValueError(f"{fact_type.event_type} has a handler already")
        self._routes[fact_type.event_type] = Route(fact_type, handle)
        self._names.add(_name(fact_type.event_type))


def _name(event_type: str) -> str:
    """``cn.yibao.transfer.case_accepted`` of ``cn.yibao.transfer.case_accepted.v1``."""
    return event_type.rpartition(".")[0]
