"""Trying again: a few times for an event, without end for a database that is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, stop_never
from tenacity.wait import wait_exponential_jitter

from libs.eventbus.faults import DatabaseAway, is_deadlock

log = structlog.get_logger(__name__)

T = TypeVar("T")

_MOST_DEADLOCKS = 5


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failing event is tried before it is given up, and how long in between.

    The pause doubles from ``first_delay_s`` up to ``longest_delay_s``, which is also the longest
    pause between two attempts to reach a database or broker that is away.
    """

    attempts: int = 5
    first_delay_s: float = 0.1
    longest_delay_s: float = 5.0

    def a_few_times(self) -> AsyncRetrying:
        """Attempts at one event; the last error is raised, ``DatabaseAway`` at once."""
        return AsyncRetrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, Exception) and not isinstance(error, DatabaseAway)
            ),
            stop=stop_after_attempt(self.attempts),
            wait=self._pause(),
            reraise=True,
        )

    def until_database_is_back(self) -> AsyncRetrying:
        """Attempts as long as they end in ``DatabaseAway``; any other error is raised at once."""
        return AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, DatabaseAway)),
            stop=stop_never,
            wait=self._pause(),
            before_sleep=_tell,
            reraise=True,
        )

    def _pause(self) -> wait_exponential_jitter:
        return wait_exponential_jitter(
            multiplier=self.first_delay_s, max=self.longest_delay_s, jitter=self.first_delay_s
        )


async def through_deadlocks(work: Callable[[], Awaitable[T]]) -> T:
    """Do ``work``, a whole transaction, again when PostgreSQL ended it for another's sake.

    Two conversations about one person meet on each other's rows; whoever is ended has changed nothing.
    """
    attempts = AsyncRetrying(
        retry=retry_if_exception(is_deadlock),
        stop=stop_after_attempt(_MOST_DEADLOCKS),
        wait=wait_exponential_jitter(multiplier=0.01, max=0.1, jitter=0.05),
        reraise=True,
    )
    async for attempt in attempts:
        with attempt:
            return await work()
    raise AssertionError("tenacity gives a result or raises")


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("consumer_waits_for_database", error=str(error), attempt=state.attempt_number)
