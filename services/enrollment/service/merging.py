"""两条档案合并: asked for by a clerk, decided by a reviewer who is somebody else, done in one transaction.

Both people's rows are locked while it is done: a contribution or an enrolment that is recorded
meanwhile comes before it (and goes over), or after it (and is refused: it names a merged record).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.casework.actors import Actor, require_different_person
from libs.contracts.enrollment import PersonsMerged
from libs.ledger.accounts import close_account
from libs.ledger.posting import Entry, Posting, post
from libs.refusals.faults import Fault, Refusal, conflict, invalid, not_found
from libs.webapp.database import asyncpg_of
from services.enrollment.domain import merging as rules
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.merging import Record
from services.enrollment.domain.purposes import Purpose, merge_source
from services.enrollment.domain.transfers import OPEN, OpenTransfer, Side
from services.enrollment.models import Person, PersonMerge
from services.enrollment.repository import aliases, enrolments, merging, people, reads, transfers
from services.enrollment.service import money
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import merged_record, no_person, personal_data

PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"
_WITHDRAWAL = "enrollment.account_withdrawal"


@dataclass(frozen=True)
class Preview:
    """What a pending request would come to, and what stands against it now."""

    faults: Sequence[Fault]
    double_months: Sequence[Mapping[str, Any]]
    overlapping_spells: Sequence[str]
    differences: Sequence[str]


async def request(
    desk: Desk, keep_id: UUID, merge_id: UUID, evidence: list[dict[str, Any]], reason: str
) -> tuple[PersonMerge, Preview]:
    """Ask for a merge. Raises Refusal: not found, invalid, conflict with every reason against it."""
    if keep_id == merge_id:
        message = "保留的档案和并入的档案是同一条，请核对人员编号。"
        raise invalid("same_record", message, [Fault("same_record", message, "/merge_id")])
    keep, merge = await _both(desk, keep_id, merge_id)
    preview = await _preview(desk, keep, merge)
    _require_possible(preview.faults)
    wanted = PersonMerge(
        id=uuid7(),
        region_code=keep.region_code,
        version=1,
        keep_id=keep.id,
        merge_id=merge.id,
        state=PENDING,
        evidence=evidence,
        reason=reason,
        requested_by=desk.actor,
        requested_at=desk.now,
    )
    if not await merging.add_merge(desk.session, wanted):
        raise conflict("merge_pending", "该档案已有一件合并申请待审核，不能重复申请。")
    return wanted, preview


async def approve(desk: Desk, merge_request_id: UUID) -> PersonMerge:
    """Do it, all or nothing. Raises Refusal: not found, forbidden to whoever asked, conflict."""
    wanted = await _pending(desk, merge_request_id)
    await merging.lock_payments(desk.session, [wanted.keep_id, wanted.merge_id])
    keep, merge = await _both(desk, wanted.keep_id, wanted.merge_id)
    preview = await _preview(desk, keep, merge)
    _require_possible(preview.faults)
    effects = {
        "enrolment_ids": [str(one) for one in await merging.move_enrolments(desk.session, merge, keep)],
        "months_moved": await merging.move_months(desk.session, merge, keep),
        "double_months": list(preview.double_months),
    }
    await merging.move_transfers(desk.session, merge, keep)
    await merging.move_papers_and_payments(desk.session, merge, keep)
    await _end_record(desk, merge, keep)
    effects["account_fen"] = await _move_money(desk, wanted, merge, keep)
    _decide(desk, wanted, APPROVED, None, effects)
    _note(desk, wanted, merge, keep, effects)
    await _tell(desk, merge, keep)
    return wanted


async def reject(desk: Desk, merge_request_id: UUID, reason: str) -> PersonMerge:
    """Nothing is merged. Raises Refusal: not found, forbidden to whoever asked, conflict."""
    wanted = await _pending(desk, merge_request_id)
    _decide(desk, wanted, REJECTED, reason, None)
    return wanted


async def find(desk: Desk, merge_request_id: UUID) -> tuple[PersonMerge, Preview | None]:
    """A request; a pending one with what it would come to. Raises Refusal (not found)."""
    wanted = _required(desk, await merging.find_merge(desk.session, merge_request_id))
    if wanted.state != PENDING:
        return wanted, None
    keep = await people.find_person(desk.session, wanted.keep_id)
    merge = await people.find_person(desk.session, wanted.merge_id)
    if keep is None or merge is None or {keep.id, merge.id} != {wanted.keep_id, wanted.merge_id}:
        return wanted, None  # one of them was merged elsewhere meanwhile: only a rejection is left
    return wanted, await _preview(desk, keep, merge)


async def list_of(
    desk: Desk, region_code: str, state: str | None, *, after: UUID | None, limit: int
) -> Sequence[PersonMerge]:
    """A page of the region's requests, newest first."""
    return await merging.merges_of(desk.session, region_code, state, after=after, limit=limit)


async def _both(desk: Desk, keep_id: UUID, merge_id: UUID) -> tuple[Person, Person]:
    """Both records, locked in the order in which forms lock many people. Raises Refusal."""
    known: dict[UUID, Person] = {}
    for person_id in (keep_id, merge_id):
        person = await people.find_record(desk.session, person_id)
        if person is None or not desk.may_see(person.region_code):
            raise no_person()
        known[person_id] = person
    if len({person.region_code for person in known.values()}) > 1:
        message = "两条档案不在同一统筹区；不同统筹区各有档案属正常，不能合并。"
        raise invalid("two_regions", message, [Fault("two_regions", message, "/merge_id")])
    for person in sorted(known.values(), key=lambda one: one.person_key):
        locked = await people.lock_person(desk.session, person.id)
        assert locked is not None, "persons are never deleted"
        if locked.merged_into is not None:
            raise merged_record(locked)
    return known[keep_id], known[merge_id]


async def _preview(desk: Desk, keep: Person, merge: Person) -> Preview:
    kept, ending = await _record_of(desk, keep), await _record_of(desk, merge)
    return Preview(
        faults=rules.reasons_against(kept, ending),
        double_months=[double.told() for double in rules.double_months(kept, ending)],
        overlapping_spells=rules.overlapping_spells(kept, ending),
        differences=rules.differences(kept, ending),
    )


async def _record_of(desk: Desk, person: Person) -> Record:
    kinds = [kind.value for kind in InsuranceKind]
    open_here = await transfers.transfers_in(desk.session, person.region_code, person.person_key, kinds, OPEN)
    balances = {kind: await money.balance_of(desk.session, person, kind) for kind in InsuranceKind}
    return Record(
        id=person.id,
        data=personal_data(desk.protector, person),
        sex=person.sex,
        birth_date=person.birth_date,
        deceased_on=person.deceased_on,
        spells=await enrolments.spells_here(desk.session, person.id),
        months=await reads.booked_months(await asyncpg_of(desk.session), person.id),
        held_fen={kind: balance.held_fen for kind, balance in balances.items()},
        open_transfers=[
            OpenTransfer(row.case_no, Side(row.side), row.counterpart_region_code) for row in open_here
        ],
        open_withdrawals=sorted(
            {
                *await merging.open_cases(desk.session, person.region_code, _WITHDRAWAL, [person.person_key]),
                *await merging.open_withdrawals(desk.session, person.id),
            }
        ),
    )


def _require_possible(faults: Sequence[Fault]) -> None:
    if faults:
        raise conflict("not_mergeable", f"两条档案有{len(faults)}处原因暂不能合并，未作任何更改。", faults)


async def _end_record(desk: Desk, merge: Person, keep: Person) -> None:
    """The merged record leads to the kept one from now on, under its key and every earlier one."""
    merge.merged_into = keep.id
    keep.deceased_on = keep.deceased_on or merge.deceased_on
    merge.version += 1
    keep.version += 1
    await desk.session.flush()
    await merging.redirect_earlier_merges(desk.session, merge, keep)
    await aliases.hand_over(desk.session, merge.id, keep.id)
    await aliases.put_alias(desk.session, merge.region_code, merge.person_key, keep.id, desk.now)


async def _move_money(desk: Desk, wanted: PersonMerge, merge: Person, keep: Person) -> dict[str, int]:
    """One posting for all funds; the merged record's accounts are closed. Amounts moved, in fen by fund."""
    moved: dict[str, int] = {}
    entries: list[Entry] = []
    emptied: list[UUID] = []
    for kind in InsuranceKind:
        account = await money.find_personal_account(desk.session, merge, kind)
        if account is None:
            continue
        emptied.append(account)
        amount = (await money.balance_of(desk.session, merge, kind)).balance_fen
        if amount:
            into = await money.personal_account(desk.session, keep, kind)
            entries += [Entry(account, -amount), Entry(into, amount)]
            moved[kind.value] = amount
    if entries:
        posting = Posting(
            source_id=merge_source(wanted.id),
            region_code=wanted.region_code,
            purpose=Purpose.PERSONS_MERGED.value,
            occurred_on=desk.today,
            entries=entries,
        )
        await post(desk.session, posting)
    for account in emptied:
        await close_account(desk.session, account)
    return moved


def _decide(
    desk: Desk, wanted: PersonMerge, state: str, reason: str | None, effects: dict[str, Any] | None
) -> None:
    wanted.state, wanted.decision_reason, wanted.effects = state, reason, effects
    wanted.decided_by, wanted.decided_at = desk.actor, desk.now
    wanted.version += 1


def _note(desk: Desk, wanted: PersonMerge, merge: Person, keep: Person, effects: dict[str, Any]) -> None:
    reason = f"档案合并{wanted.id}"
    desk.note(
        "person",
        merge.id,
        merge.region_code,
        merge.version,
        before={"merged_into": None},
        after={"merged_into": str(keep.id)},
        reason=reason,
    )
    desk.note(
        "person",
        keep.id,
        keep.region_code,
        keep.version,
        before={"merged": None},
        after={"merged": str(merge.id), "effects": effects},
        reason=reason,
    )


async def _tell(desk: Desk, merge: Person, keep: Person) -> None:
    fact = PersonsMerged(
        kept_id=str(keep.id),
        kept_version=keep.version,
        person_key=keep.person_key,
        merged_id=str(merge.id),
        merged_person_key=merge.person_key,
        region_code=keep.region_code,
        merged_on=desk.today,
    )
    await desk.tell(fact, person_key=merge.person_key, region_code=keep.region_code, subject=fact.merged_id)


async def _pending(desk: Desk, merge_request_id: UUID) -> PersonMerge:
    """The request, locked and still to be decided, by somebody who did not ask for it. Raises Refusal."""
    wanted = _required(desk, await merging.find_merge(desk.session, merge_request_id, lock=True))
    if wanted.state != PENDING:
        raise conflict("merge_decided", "该合并申请已审核，不能再次办理。")
    kind, _, subject = desk.actor.partition(":")
    _, _, asked_by = wanted.requested_by.partition(":")
    assert kind == "officer", "the routes let officers decide only"
    require_different_person(Actor("officer", subject, ""), {asked_by: "合并申请"})
    return wanted


def _required(desk: Desk, wanted: PersonMerge | None) -> PersonMerge:
    if wanted is None or not desk.may_see(wanted.region_code):
        raise no_merge()
    return wanted


def no_merge() -> Refusal:
    """The same answer whether there is none or it is none of the caller's business."""
    return not_found("no_merge", "没有此档案合并申请，或不在您可办理的统筹区内。")
