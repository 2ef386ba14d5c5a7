"""What became of a message we sent: one the other city will never take is visible in the case."""

from __future__ import annotations

from libs.casework.lifecycle import ENDED, Action
from libs.exchange.deliveries import Outcome, Undeliverable
from libs.exchange.envelope import KIND_NAMES, Kind, Message, Receipt
from services.transfer.domain.stages import Stage
from services.transfer.service.desk import Desk


async def settled(desk: Desk, message: Message, outcome: Outcome) -> None:
    """Keep in the record that a message was refused or could not be delivered, and why.

    Nothing is undone: the officers see it and correct, withdraw or ask the other city. A case that
    has ended takes no note; what crossed its end comes as a message of its own.
    """
    if isinstance(outcome, Receipt):
        return
    case, move = await desk.open_conversation(message.from_region, message.conversation)
    if case.status in ENDED:
        return
    kind = KIND_NAMES[Kind(message.kind)]
    if isinstance(outcome, Undeliverable):
        name, reason = f"《{kind}》无法送达", outcome.reason
    else:
        name, reason = f"《{kind}》被对方拒收", "；".join(fault.message for fault in outcome.faults)
    await desk.step(case, move, Action.NOTE, Stage(case.stage), name=name, reason=reason)
