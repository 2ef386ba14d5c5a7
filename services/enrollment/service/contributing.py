"""Contributions: record months, credit the personal account, state the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.ledger.accounts import AccountKind
from libs.ledger.posting import Posting, post_many
from libs.refusals.faults import Refusal, RefusalKind
from services.enrollment.domain import contributing
from services.enrollment.domain.contributing import KnownMonth, NewMonth
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.purposes import Purpose, contribution_source
from services.enrollment.models import Person
from services.enrollment.repository import enrolments, months
from services.enrollment.service import money
from services.enrollment.service.desk import Desk
from services.enrollment.service.enrolling import leaving_faults
from services.enrollment.service.people import require_person


@dataclass(frozen=True)
class Recorded:
    """What came of recording: months that are new, months that were known with the same content."""

    person: Person
    fresh: Sequence[NewMonth]
    repeated: Sequence[NewMonth]
    balance_fen: int


async def record(desk: Desk, person_id: UUID, kind: InsuranceKind, told: Sequence[NewMonth]) -> Recorded:
    """Record months and credit the account, all or none; months known with the same content are left.

    Raises Refusal: not found, invalid or conflict with every fault of every month.
    """
    person = await require_person(desk, person_id, lock=True)
    known = await months.known_months(desk.session, person.id, kind, [new.month for new in told])
    await _require_recordable(desk, person, kind, told, known)
    fresh = [new for new in told if new.month not in known]
    repeated = [new for new in told if new.month in known]
    await months.add_own_months(desk.session, person, kind, fresh, desk.now)
    await _credit(desk, person, kind, [new for new in fresh if new.account_fen])
    balance = await money.balance_of(desk.session, person, kind)
    return Recorded(person, fresh, repeated, balance.balance_fen)


async def _require_recordable(
    desk: Desk,
    person: Person,
    kind: InsuranceKind,
    told: Sequence[NewMonth],
    known: dict[str, KnownMonth],
) -> None:
    if all(new.month in known and known[new.month].repeats(kind, new) for new in told):
        return  # a repeat changes nothing, whatever has happened since
    leaving = await leaving_faults(desk, person, kind)
    if leaving:
        raise Refusal(RefusalKind.CONFLICT, "transfer_under_way", leaving[0].message, leaving)
    spells = await enrolments.spells_here(desk.session, person.id)
    faults = contributing.faults_of_contributions(kind, told, spells=spells, known=known, today=desk.today)
    if faults:
        raise contributing.refusal_of_contributions(faults)


async def _credit(desk: Desk, person: Person, kind: InsuranceKind, fresh: Sequence[NewMonth]) -> None:
    if not fresh:
        return
    bank = await money.fund_account(desk.session, person.region_code, kind.value, AccountKind.BANK_MIRROR)
    account = await money.personal_account(desk.session, person, kind)
    await post_many(desk.session, [_posting(desk, person, kind, new, bank, account) for new in fresh])


def _posting(
    desk: Desk, person: Person, kind: InsuranceKind, new: NewMonth, bank: UUID, account: UUID
) -> Posting:
    step = money.Step(
        source_id=contribution_source(person.id, kind, new.month),
        region_code=person.region_code,
        purpose=Purpose.CONTRIBUTION,
        occurred_on=desk.today,
        amount_fen=new.account_fen,
    )
    return step.posting(from_account=bank, to_account=account)
