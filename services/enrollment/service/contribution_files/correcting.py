"""Red entries: a payment is taken back whole, its posting reversed once, its months given up.

Money that has been spent is not taken back: the entry waits, and no account goes below nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from libs.contracts.enrollment import ContributionsTakenBack
from libs.ledger.bulk import available_on_personal
from libs.ledger.posting import PostedTransaction, find_postings
from services.enrollment.domain.contributing import OWN
from services.enrollment.domain.payments import Original, Outcome, faults_of_correction
from services.enrollment.domain.purposes import Purpose, payment_source
from services.enrollment.domain.tax_files.rows import PaymentKind
from services.enrollment.models import ContributionMonth, Payment
from services.enrollment.repository import contribution_files as files
from services.enrollment.repository import merging, payers
from services.enrollment.repository.payers import LockedPerson
from services.enrollment.repository.settlements import Settlement
from services.enrollment.service.contribution_files.attributing import (
    paid_of,
    settle_broken,
    settle_unmatched,
)
from services.enrollment.service.contribution_files.batch import Batch, total_of
from services.enrollment.service.contribution_files.books import open_books

ATTRIBUTED, UNDONE, CORRECTED = "attributed", "undone", "corrected"


@dataclass
class _Originals:
    """The payments referred to, and what stands in the books because of them; shrinks as they go."""

    payments: Mapping[str, Payment]
    people: Mapping[str, LockedPerson]
    months: Mapping[str, Sequence[ContributionMonth]]
    posted: Mapping[str, Sequence[PostedTransaction]]
    available_fen: dict[UUID, int]
    moved: Mapping[UUID, UUID]
    gone: set[str] = field(default_factory=set)

    def told(self, serial: str) -> Original | None:
        """What the rules want to know of a payment."""
        payment = self.payments.get(serial)
        if payment is None:
            return None
        account = self.account_of(serial)
        months = self.months.get(serial, ())
        return Original(
            serial=serial,
            outcome=Outcome.REVERSED if serial in self.gone else Outcome(payment.outcome),
            is_correction=payment.kind == PaymentKind.CORRECTION,
            total_fen=total_of(payment),
            account_fen=payment.account_fen or 0,
            person_key=payment.person_key,
            available_fen=0 if account is None else self.available_fen[account],
            months_leave=any(row.travels_with or row.source != OWN for row in months),
        )

    def account_of(self, serial: str) -> UUID | None:
        """The personal account the payment was credited to; after a merge, where the money is now."""
        entries = (
            self.moved.get(entry.account_id, entry.account_id)
            for posted in self.posted.get(serial, ())
            for entry in posted.entries
        )
        return next((account for account in entries if account in self.available_fen), None)

    def undoing(self, posted: PostedTransaction) -> tuple[list[tuple[UUID, int]], UUID | None]:
        """What takes it back, and the posting that is thereby reversed.

        None where the money has gone over to another record's account: the ledger's reversals stay on
        the accounts of what they reverse.
        """
        if any(entry.account_id in self.moved for entry in posted.entries):
            amounts = [
                (self.moved.get(account, account), amount_fen) for account, amount_fen in _negated(posted)
            ]
            return amounts, None
        return _negated(posted), posted.id


async def correct_all(batch: Batch, rows: Sequence[Payment], *, received: bool) -> None:
    """Decide on each red entry. ``received``: the rows' own money stands as unattributed already."""
    readable = [row for row in rows if not row.reasons or received]
    originals = await _originals(batch, readable)
    funds = [row.insurance_kind for row in rows]
    books = await open_books(batch.desk.session, batch.region_code, funds, [])
    own = await _own_receipts(batch, rows) if received else {}
    for row in readable:
        serial = row.corrects or ""
        faults = faults_of_correction(paid_of(batch.desk.protector, row), originals.told(serial))
        if faults:
            settle_unmatched(batch, books, row, faults, received=received)
        else:
            _take_back(batch, originals, row, serial, own.get(row.serial))
    for row in rows:
        if row.reasons and not received:
            settle_broken(batch, books, row)


def _take_back(
    batch: Batch, originals: _Originals, row: Payment, serial: str, receipt: PostedTransaction | None
) -> None:
    """Reverse what the payment posted; ``receipt`` is the red entry's own, undone first."""
    if receipt is not None:
        batch.post(row, Purpose.TAX_CORRECTED, _negated(receipt), step=UNDONE, reverses=receipt.id)
    steps = [CORRECTED if receipt else "", ATTRIBUTED]
    for step, posted in zip(steps, originals.posted[serial], strict=False):
        amounts, reverses = originals.undoing(posted)
        batch.post(row, Purpose.TAX_CORRECTED, amounts, step=step, reverses=reverses)
    original, account = originals.payments[serial], originals.account_of(serial)
    if account is not None:
        originals.available_fen[account] -= original.account_fen or 0
    originals.gone.add(serial)
    batch.taken_back.append(serial)
    _settle(batch, row, original)
    person = originals.people.get(original.person_key or "")
    if person is not None and original.outcome == Outcome.MATCHED:
        batch.bereft.add(person.id)
        fact = ContributionsTakenBack(
            payment=serial,
            person_key=person.person_key,
            region_code=row.region_code,
            insurance_kind=original.insurance_kind,
            taken_back_on=batch.desk.today,
        )
        batch.tell(person.person_key, row.serial, fact)


def _settle(batch: Batch, row: Payment, original: Payment) -> None:
    batch.settlements.append(
        Settlement(row.file_id, row.row_no, Outcome.MATCHED, person_id=original.person_id)
    )
    batch.settlements.append(
        Settlement(
            original.file_id,
            original.row_no,
            Outcome.REVERSED,
            original.reasons,
            original.person_id,
            original.account_fen,
            original.rule,
        )
    )


async def _originals(batch: Batch, rows: Sequence[Payment]) -> _Originals:
    session, region_code = batch.desk.session, batch.region_code
    serials = {row.corrects for row in rows if row.corrects}
    payments = await files.lock_originals(session, region_code, serials)
    keys = {payment.person_key for payment in payments.values() if payment.person_key}
    people = await payers.lock_people(session, region_code, keys)
    months: dict[str, list[ContributionMonth]] = {}
    for month in await payers.months_paid_with(session, region_code, serials):
        months.setdefault(month.paid_with or "", []).append(month)
    posted = await _posted(batch, payments)
    accounts = {entry.account_id for each in posted.values() for told in each for entry in told.entries}
    moved = await merging.succeeding_accounts(session, accounts)
    available = await available_on_personal(session, accounts | set(moved.values()))
    return _Originals(payments, people, months, posted, available, moved)


async def _posted(batch: Batch, serials: Collection[str]) -> dict[str, list[PostedTransaction]]:
    """The receipt or payment of each, and what attributed it later, in this order."""
    sources = {serial: _sources(batch.region_code, serial) for serial in serials}
    found = await find_postings(batch.desk.session, [name for names in sources.values() for name in names])
    return {serial: [found[name] for name in names if name in found] for serial, names in sources.items()}


async def _own_receipts(batch: Batch, rows: Sequence[Payment]) -> dict[str, PostedTransaction]:
    names = {row.serial: payment_source(batch.region_code, row.serial) for row in rows}
    found = await find_postings(batch.desk.session, list(names.values()))
    return {serial: found[name] for serial, name in names.items()}


def _sources(region_code: str, serial: str) -> list[str]:
    return [payment_source(region_code, serial), payment_source(region_code, serial, ATTRIBUTED)]


def _negated(posted: PostedTransaction) -> list[tuple[UUID, int]]:
    return [(entry.account_id, -entry.amount_fen) for entry in posted.entries]
