"""Answering TransferOutAccepted: may the relation leave, and what does its 信息表 say?"""

from __future__ import annotations

from libs.contracts.enrollment import ContributionPeriod, TransferRecordPrepared, TransferRecordRefused
from libs.contracts.transfer import TransferOutAccepted
from libs.ledger import holds
from libs.refusals.faults import Fault
from services.enrollment.domain import transfers as rules
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.months import periods_of
from services.enrollment.domain.purposes import hold_source
from services.enrollment.domain.transfers import OpenTransfer, Relation, Side, State
from services.enrollment.models import Person, Transfer
from services.enrollment.repository import enrolments, months, people, transfers
from services.enrollment.service import money
from services.enrollment.service.desk import Desk
from services.enrollment.service.steps import answer, move_on


async def prepare(desk: Desk, fact: TransferOutAccepted) -> None:
    """Check with authority, set the balance aside, state the periods; or refuse with all reasons.

    A transfer that was cancelled may be prepared anew; one still prepared gets its answer again.
    """
    person = await people.lock_person_by_key(desk.session, fact.region_code, fact.person_key)
    known = await transfers.lock_transfer(desk.session, fact.region_code, fact.conversation)
    if known is not None and known.state != State.CANCELLED:
        if known.state == State.PREPARED:
            await _tell_prepared(desk, fact, known)
        return
    reasons = await _reasons_to_stay(desk, fact, person)
    if person is None or reasons:
        await _tell_refused(desk, fact, reasons)
        return
    transfer = known or _new_transfer(fact, person)
    await _set_aside(desk, person, transfer)
    await _tell_prepared(desk, fact, transfer)


async def _reasons_to_stay(desk: Desk, fact: TransferOutAccepted, person: Person | None) -> list[Fault]:
    kind = InsuranceKind(fact.insurance_kind)
    if person is None:
        return rules.reasons_to_stay(Relation(kind, [], [], held_fen=0))
    spells = await enrolments.spells_here(desk.session, person.id)
    open_here = await transfers.transfers_in(
        desk.session, person.region_code, person.person_key, [kind.value], rules.OPEN
    )
    others = [other for other in open_here if other.conversation != fact.conversation]
    held_for_others_fen = sum(other.amount_fen for other in others if other.state == State.PREPARED)
    balance = await money.balance_of(desk.session, person, kind)
    relation = Relation(
        insurance_kind=kind,
        spells=[spell for spell in spells if spell.insurance_kind == kind],
        open_transfers=[
            OpenTransfer(other.case_no, Side(other.side), other.counterpart_region_code) for other in others
        ],
        held_fen=balance.held_fen - held_for_others_fen,
    )
    return rules.reasons_to_stay(relation)


def _new_transfer(fact: TransferOutAccepted, person: Person) -> Transfer:
    return Transfer(
        region_code=fact.region_code,
        conversation=fact.conversation,
        side=Side.OUT.value,
        attempt=0,
        case_no=fact.case_no,
        counterpart_region_code=fact.counterpart_region_code,
        person_key=person.person_key,  # the fact may still name an earlier one
        insurance_kind=fact.insurance_kind,
    )


async def _set_aside(desk: Desk, person: Person, transfer: Transfer) -> None:
    """Months and balance belong to this transfer from now on."""
    kind = InsuranceKind(transfer.insurance_kind)
    travelling = await months.send_along(desk.session, person.id, kind, transfer.conversation)
    periods = periods_of(travelling, home=person.region_code)
    balance = await money.balance_of(desk.session, person, kind)
    transfer.attempt += 1
    transfer.amount_fen, transfer.months = balance.available_fen, len(travelling)
    transfer.periods = [period.model_dump() for period in periods]
    transfer.prepared_at = desk.now
    if transfer.amount_fen:
        await holds.place(
            desk.session,
            account_id=await money.personal_account(desk.session, person, kind),
            amount_fen=transfer.amount_fen,
            source_id=hold_source(transfer.region_code, transfer.conversation, transfer.attempt),
        )
    move_on(desk, transfer, State.PREPARED, months=transfer.months)


async def _tell_prepared(desk: Desk, fact: TransferOutAccepted, transfer: Transfer) -> None:
    assert transfer.prepared_at is not None, "it is prepared"
    prepared = TransferRecordPrepared(
        conversation=fact.conversation,
        case_no=fact.case_no,
        region_code=fact.region_code,
        person_key=fact.person_key,
        insurance_kind=fact.insurance_kind,
        periods=[ContributionPeriod.model_validate(period) for period in transfer.periods],
        balance_fen=transfer.amount_fen,
        prepared_at=transfer.prepared_at,
    )
    await answer(desk, prepared, fact)


async def _tell_refused(desk: Desk, fact: TransferOutAccepted, reasons: list[Fault]) -> None:
    refused = TransferRecordRefused(
        conversation=fact.conversation,
        case_no=fact.case_no,
        region_code=fact.region_code,
        person_key=fact.person_key,
        reasons=[reason.message for reason in reasons],
    )
    await answer(desk, refused, fact)
