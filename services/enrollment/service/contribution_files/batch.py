"""What comes of a chunk of payments: gathered first, then written at once, all postings in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from libs.contracts.base import Fact
from libs.eventbus.outbox import Saying, publish_many
from libs.ledger.posting import Entry, Posting, post_many
from services.enrollment.domain.purposes import Purpose, payment_source
from services.enrollment.models import Payment
from services.enrollment.repository import merging, payers, settlements
from services.enrollment.repository.payers import MonthToAdd
from services.enrollment.repository.settlements import Settlement
from services.enrollment.service.desk import Desk


def total_of(payment: Payment) -> int:
    """The whole of a payment, in fen."""
    return payment.unit_fen + payment.personal_fen + payment.late_fee_fen


@dataclass
class Batch:
    """One transaction's work for one region. The people concerned are locked already.

    ``bereft`` are records whose months ``taken_back`` gave up.
    """

    desk: Desk
    region_code: str
    postings: list[Posting] = field(default_factory=list)
    months: list[MonthToAdd] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    bereft: set[UUID] = field(default_factory=set)
    settlements: list[Settlement] = field(default_factory=list)
    facts: list[tuple[str, str, Fact]] = field(default_factory=list)

    def post(
        self,
        payment: Payment,
        purpose: Purpose,
        amounts: Sequence[tuple[UUID, int]],
        *,
        step: str = "",
        reverses: UUID | None = None,
    ) -> None:
        """Post a payment's step; accounts on which nothing moves are left out."""
        posting = Posting(
            source_id=payment_source(payment.region_code, payment.serial, step),
            region_code=payment.region_code,
            purpose=purpose.value,
            occurred_on=self.desk.today,
            entries=[Entry(account, amount_fen) for account, amount_fen in amounts if amount_fen],
            reverses=reverses,
        )
        self.postings.append(posting)

    def tell(self, person_key: str, subject: str, fact: Fact) -> None:
        self.facts.append((person_key, subject, fact))

    async def write(self) -> None:
        """Everything, in this transaction. Raises LedgerRefusal."""
        session = self.desk.session
        await post_many(session, self.postings)
        await settlements.settle(session, self.settlements, self.desk.now)
        await payers.take_back(session, self.region_code, self.taken_back)
        await merging.come_home(session, self.bereft)
        await payers.add_months(session, self.region_code, self.months, self.desk.now)
        told = sorted(self.facts, key=lambda one: one[:2])
        sayings = [Saying(fact, key, self.region_code, subject) for key, subject, fact in told]
        await publish_many(session, sayings, at=self.desk.now)
