"""The transferring-in side: money received, relation taken up.

Both verbs may meet their fact again, or the other one first: each posting stands alone, and money
in transit is 0 once both have come.
"""

from __future__ import annotations

from libs.contracts.enrollment import TransferCredited
from libs.contracts.transfer import FundsReceived, TransferFact, TransferTakenUp
from libs.ledger.accounts import AccountKind
from libs.ledger.posting import post
from libs.refusals.faults import Refusal, not_found
from services.enrollment.domain import transfers as rules
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.months import months_of
from services.enrollment.domain.purposes import Purpose
from services.enrollment.domain.transfers import Side, State
from services.enrollment.models import Person, Transfer
from services.enrollment.repository import months, people, transfers
from services.enrollment.service import money
from services.enrollment.service.desk import Desk
from services.enrollment.service.steps import account_of, answer, move_on, post_between, step_of


async def receive(desk: Desk, fact: FundsReceived) -> None:
    """Another city's money is at the bank: it waits in transit until the relation is taken up."""
    person = await people.lock_person_by_key(desk.session, fact.region_code, fact.person_key)
    transfer = await _transfer(desk, fact, fact.amount_fen, person)
    reached = _reached(transfer, State.RECEIVED)
    await post_between(
        desk,
        transfer,
        step_of(transfer, Purpose.TRANSFER_RECEIVED, fact.received_on),
        from_kind=AccountKind.BANK_MIRROR,
        to_kind=AccountKind.IN_TRANSIT_IN,
    )
    move_on(desk, transfer, reached, bank_reference=fact.bank_reference)


async def take_up(desk: Desk, fact: TransferTakenUp) -> None:
    """Credit the account, record the months that are not here yet, and say so.

    Raises Refusal: the person is not known here, or the amount is not the one received.
    """
    person = await people.lock_person_by_key(desk.session, fact.region_code, fact.person_key)
    if person is None:
        raise _nobody(fact)
    transfer = await _transfer(desk, fact, fact.amount_fen, person)
    if transfer.state != State.CREDITED:
        await _credit(desk, fact, person, transfer)
        transfer.periods = [period.model_dump() for period in fact.periods]
        arriving = months_of(fact.periods)
        transfer.months = await months.add_arriving_months(
            desk.session, person, arriving, fact.conversation, desk.now
        )
        transfer.credited_on = desk.today
        person.version += 1
        move_on(desk, transfer, State.CREDITED, months=transfer.months)
    await _tell_credited(desk, fact, transfer)


async def _credit(desk: Desk, fact: TransferTakenUp, person: Person, transfer: Transfer) -> None:
    if not transfer.amount_fen:
        return
    step = step_of(transfer, Purpose.TRANSFER_CREDITED, fact.taken_up_on)
    kind = InsuranceKind(transfer.insurance_kind)
    posting = step.posting(
        from_account=await account_of(desk, transfer, AccountKind.IN_TRANSIT_IN),
        to_account=await money.personal_account(desk.session, person, kind),
    )
    await post(desk.session, posting)


async def _transfer(desk: Desk, fact: TransferFact, amount_fen: int, person: Person | None) -> Transfer:
    """This side of the conversation, locked; a new one for the first fact that comes.

    It stands under the person's present key, which is not always the one the fact names.
    """
    known = await transfers.lock_transfer(desk.session, fact.region_code, fact.conversation)
    if known is not None:
        rules.require_amount(known.amount_fen, amount_fen)
        return known
    return Transfer(
        region_code=fact.region_code,
        conversation=fact.conversation,
        side=Side.IN.value,
        attempt=1,
        case_no=fact.case_no,
        counterpart_region_code=fact.counterpart_region_code,
        person_key=person.person_key if person else fact.person_key,
        insurance_kind=fact.insurance_kind,
        amount_fen=amount_fen,
        periods=[],
        months=0,
    )


def _reached(transfer: Transfer, state: State) -> State:
    return rules.later(State(transfer.state), state) if transfer.state else state


async def _tell_credited(desk: Desk, fact: TransferTakenUp, transfer: Transfer) -> None:
    assert transfer.credited_on is not None, "it is credited"
    credited = TransferCredited(
        conversation=fact.conversation,
        case_no=fact.case_no,
        region_code=fact.region_code,
        person_key=fact.person_key,
        amount_fen=transfer.amount_fen,
        months_recorded=transfer.months,
        credited_on=transfer.credited_on,
    )
    await answer(desk, credited, fact)


def _nobody(fact: TransferFact) -> Refusal:
    return not_found("no_person", f"{fact.region_code}没有办件{fact.case_no}所涉人员的参保档案，不能记账。")
