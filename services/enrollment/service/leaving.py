"""The transferring-out side after it was prepared: issue, pay, complete, or cancel.

Each verb meets one fact of the transfer service and may meet it again: what has been done is
recognised by the transfer's state and by the ledger's source ids, and is not done twice.
"""

from __future__ import annotations

from libs.contracts.transfer import (
    FundsPaid,
    InformationSheetIssued,
    TransferFact,
    TransferOutCancelled,
    TransferOutCompleted,
)
from libs.ledger import holds
from libs.ledger.accounts import AccountKind
from libs.ledger.posting import reverse
from services.enrollment.domain import transfers as rules
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.purposes import Purpose, hold_source, transfer_source
from services.enrollment.domain.transfers import State
from services.enrollment.models import Person, Transfer
from services.enrollment.repository import enrolments, months, people, transfers
from services.enrollment.service import money
from services.enrollment.service.desk import Desk
from services.enrollment.service.steps import account_of, move_on, post_between, step_of, unknown_transfer


async def issue(desk: Desk, fact: InformationSheetIssued) -> None:
    """The sealed 信息表 left: the held balance goes from the personal account into transit."""
    person, transfer = await _require(desk, fact, fact.amount_fen)
    reached = rules.later(State(transfer.state), State.ISSUED)
    if transfer.amount_fen:
        step = step_of(transfer, Purpose.TRANSFER_ISSUED, fact.issued_on, transfer.attempt)
        kind = InsuranceKind(transfer.insurance_kind)
        payout = step.posting(
            from_account=await money.personal_account(desk.session, person, kind),
            to_account=await account_of(desk, transfer, AccountKind.IN_TRANSIT_OUT),
        )
        await holds.capture(desk.session, _hold_of(transfer), payout)
    move_on(desk, transfer, reached, sheet_number=fact.sheet_number)


async def pay(desk: Desk, fact: FundsPaid) -> None:
    """The bank paid the other city: the bank mirror follows; clearing waits for the completion."""
    _, transfer = await _require(desk, fact, fact.amount_fen)
    reached = rules.later(State(transfer.state), State.PAID)
    await post_between(
        desk,
        transfer,
        step_of(transfer, Purpose.TRANSFER_PAID, fact.paid_on),
        from_kind=AccountKind.REMITTANCE_CLEARING,
        to_kind=AccountKind.BANK_MIRROR,
    )
    move_on(desk, transfer, reached, bank_reference=fact.bank_reference)


async def complete(desk: Desk, fact: TransferOutCompleted) -> None:
    """The other city has it all: transit and clearing are settled, the relation has left."""
    person, transfer = await _require(desk, fact, fact.amount_fen)
    reached = rules.later(State(transfer.state), State.COMPLETED)
    await post_between(
        desk,
        transfer,
        step_of(transfer, Purpose.TRANSFER_COMPLETED, fact.completed_on),
        from_kind=AccountKind.IN_TRANSIT_OUT,
        to_kind=AccountKind.REMITTANCE_CLEARING,
    )
    if transfer.state != reached:
        kind = InsuranceKind(transfer.insurance_kind)
        await enrolments.mark_transferred_out(desk.session, person.id, kind, fact.completed_on)
        person.version += 1
    move_on(desk, transfer, reached, completed_on=fact.completed_on.isoformat())


async def cancel(desk: Desk, fact: TransferOutCancelled) -> None:
    """Everything is as before: the hold ends, or what was in transit is back on the account.

    Nothing to do for a conversation that was refused or never asked for. Raises Refusal (conflict)
    once the money has left.
    """
    person = await people.lock_person_by_key(desk.session, fact.region_code, fact.person_key)
    transfer = await transfers.lock_transfer(desk.session, fact.region_code, fact.conversation)
    if person is None or transfer is None or transfer.state == State.CANCELLED:
        return
    rules.require_cancellable(State(transfer.state))
    if transfer.amount_fen:
        await _give_back(desk, transfer)
    await months.bring_back(desk.session, person.id, transfer.conversation)
    move_on(desk, transfer, State.CANCELLED, reason=fact.reason)


async def _give_back(desk: Desk, transfer: Transfer) -> None:
    if transfer.state == State.PREPARED:
        await holds.release(desk.session, _hold_of(transfer))
        return
    region_code, conversation, attempt = transfer.region_code, transfer.conversation, transfer.attempt
    await reverse(
        desk.session,
        transfer_source(Purpose.TRANSFER_ISSUED, region_code, conversation, attempt),
        new_source_id=transfer_source(Purpose.TRANSFER_REVERSED, region_code, conversation, attempt),
        purpose=Purpose.TRANSFER_REVERSED.value,
        occurred_on=desk.today,
    )


async def _require(desk: Desk, fact: TransferFact, amount_fen: int) -> tuple[Person, Transfer]:
    """Person and transfer, locked in this order. Raises Refusal: not found, or another amount."""
    person = await people.lock_person_by_key(desk.session, fact.region_code, fact.person_key)
    transfer = await transfers.lock_transfer(desk.session, fact.region_code, fact.conversation)
    if person is None or transfer is None:
        raise unknown_transfer(fact)
    rules.require_amount(transfer.amount_fen, amount_fen)
    return person, transfer


def _hold_of(transfer: Transfer) -> str:
    return hold_source(transfer.region_code, transfer.conversation, transfer.attempt)
