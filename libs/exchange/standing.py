"""Where a conversation stands: its state, its two parts, and the documents in force."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.exchange.envelope import Kind
from libs.exchange.transitions import By, Regime, State


class Reference(BaseModel):
    """A message in force: by its digest others answer it, by its id it is replaced."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    message_id: UUID
    digest: str
    amount_fen: int = 0


class Conversation(BaseModel):
    """Where a conversation stands, as far as one side has sent and received."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: State = State.NEW
    regime: Regime | None = None
    opened_as: Kind | None = None
    requester: str | None = None
    transferring_out: str | None = None
    transferring_in: str | None = None
    request: Reference | None = None
    sheet: Reference | None = None
    funds: Reference | None = None
    returned: Reference | None = None
    withdrawn_from: State | None = None
    """After a withdrawal of this side: where the conversation would stand without it."""

    @property
    def over(self) -> bool:
        """Nothing more is expected of either side."""
        return self.state in (State.COMPLETED, State.WITHDRAWN)

    def is_sender(self, region_code: str, by: By) -> bool:
        """Whether this region has the part ``by`` in the conversation."""
        return {
            By.OUT: region_code == self.transferring_out,
            By.IN: region_code == self.transferring_in,
            By.REQUESTER: region_code == self.requester,
            By.REQUESTED: region_code != self.requester,
            By.OUT_AS_REQUESTER: region_code == self.transferring_out == self.requester,
            By.EITHER: True,
        }[by]
