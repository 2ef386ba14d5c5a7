"""Facts tracking hears: every service's case moves and messages, found in the contracts.

A producer that declares its own ``CaseMoved`` or ``MessageSent`` is tracked without a change here.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from libs.contracts.base import topic_of
from libs.contracts.cases import CaseMoved, MessageSent
from libs.contracts.registry import facts_of
from libs.eventbus.envelope import Event
from libs.eventbus.handlers import Handlers
from services.tracking.service.projection import record_messages, record_moves

GROUP = "tracking"


def handlers() -> Handlers:
    """The table: type of fact -> what is done with a run of them."""
    table = Handlers()
    for moved in facts_of(CaseMoved):
        table.on_batch(moved)(_moved)
    for sent in facts_of(MessageSent):
        table.on_batch(sent)(_sent)
    return table


def topics() -> list[str]:
    """Topics of all producers that have cases."""
    heard = [*facts_of(CaseMoved), *facts_of(MessageSent)]
    return sorted({topic_of(fact.event_type) for fact in heard})


async def _moved(session: AsyncSession, events: Sequence[tuple[Event, CaseMoved]]) -> None:
    await record_moves(session, [fact for _, fact in events])


async def _sent(session: AsyncSession, events: Sequence[tuple[Event, MessageSent]]) -> None:
    await record_messages(session, [fact for _, fact in events])
