"""Both ends apply at the same time: which of two conversations about one move goes on.

Each end knows its own application when the other city's arrives, and decides alone; both must
decide alike. Conversation ids are UUIDv7, so the lower one was opened first, and both ends see
the same two ids.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.transfer.domain.stages import Side, Stage, may_be_withdrawn


@dataclass(frozen=True)
class OwnMove:
    """The person's open move here. ``theirs``: the other city asked for it, ``told``: it knows of it."""

    side: Side
    stage: Stage
    counterpart_region_code: str
    conversation: str
    theirs: bool
    told: bool
    money_moved: bool


def gives_way(own: OwnMove, side: Side, counterpart_region_code: str, conversation: str) -> bool:
    """Whether ``own`` ends so that the application arriving in ``conversation`` can go on instead.

    Only for the same move, and only while it can still be withdrawn. One the other city never
    heard of gives way to one it has accepted; so does an earlier one of its own, which it must
    have ended (its withdrawal is still on the way). Otherwise the conversation opened first goes on.
    """
    same_move = (own.side, own.counterpart_region_code) == (side, counterpart_region_code)
    if not same_move or not may_be_withdrawn(own.side, own.stage, money_moved=own.money_moved):
        return False
    return own.theirs or not own.told or conversation < own.conversation
