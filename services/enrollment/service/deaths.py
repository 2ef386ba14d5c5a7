"""Deaths: learned from data sharing, an officer, a withdrawal or an employer; revoked if they are wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.contracts.enrollment import DeathRevoked, PersonDeceased
from libs.identifiers.credentials import Credential
from libs.refusals.faults import Fault, Refusal, conflict, forbidden, invalid, not_found
from services.enrollment.domain import deaths as rules
from services.enrollment.domain.deaths import LineOutcome, NoticeState, Source
from services.enrollment.domain.enrolling import NewEnrolment
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.stops import StopReason
from services.enrollment.domain.withdrawals import OF_DEATH, Reason
from services.enrollment.models import DeathNotice, Enrolment, Person
from services.enrollment.repository import deaths, enrolments, months, withdrawals
from services.enrollment.service import enrolling
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import require_person

_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Told:
    """A death as it is told: whose (any region's records), when, who says so and under which number."""

    credential: Credential
    deceased_on: dt.date
    origin: Source
    source: str
    reference: str
    evidence_digest: str | None = None


@dataclass(frozen=True)
class Learned:
    """What came of one death told; a notice for each region that knows the person."""

    outcome: LineOutcome
    notices: Sequence[DeathNotice]


@dataclass(frozen=True)
class Revoked:
    """What a revocation brought back, and why the rest must be enrolled by hand."""

    notice: DeathNotice
    resumed: Sequence[Enrolment]
    not_resumed: Sequence[str]


async def learn_all(desk: Desk, told: Sequence[Told]) -> list[Learned]:
    """Record deaths, each once; answers in the same order.

    Raises Refusal (invalid) for dates to come, all at once: then nothing is recorded.
    """
    faults = [
        Fault("deceased_on", f"死亡日期不能晚于今天（{desk.today}）。", f"/notices/{index}/deceased_on")
        for index, one in enumerate(told)
        if one.deceased_on > desk.today
    ]
    if faults:
        raise invalid("deaths", f"死亡信息有{len(faults)}处错误，本次未作任何更改。", faults)
    keys = [desk.protector.blind_index(one.credential.canonical) for one in told]
    answers: dict[int, Learned] = {}
    # One order for everybody: two messages with people in common never wait in a circle.
    for index in sorted(range(len(told)), key=lambda place: (keys[place], place)):
        answers[index] = await _learn_of(desk, keys[index], told[index])
    return [answers[index] for index in range(len(told))]


async def learn(desk: Desk, person: Person, told: Told) -> tuple[DeathNotice, bool]:
    """Record a death of a person whose record the caller has locked; False where it stood already.

    Every active enrolment here ends, whatever was paid for the time after (domain/deaths.py).
    """
    standing = await deaths.standing_notice(desk.session, person.id)
    if standing is not None:
        return standing, False
    ends = rules.ends_of(await enrolments.spells_here(desk.session, person.id), told.deceased_on)
    for end in ends:
        enrolment, _ = await enrolling.find(desk, key_of(end.spell.enrolment_id))
        await enrolling.end(desk, person, enrolment, end.last_day, StopReason.DECEASED)
    notice = _notice(desk, person, told)
    notice.stopped = [end.spell.enrolment_id for end in ends]
    notice.paid_after = {
        kind.value: later for kind, later in (await _paid_after(desk, person, told.deceased_on)).items()
    }
    _set_deceased(desk, person, told.deceased_on, f"{told.source} {told.reference}")
    added = await deaths.add_notice(desk.session, notice)
    assert added, "the person is locked and had no notice"
    fact = PersonDeceased(
        notice_id=str(notice.id),
        person_key=person.person_key,
        region_code=person.region_code,
        deceased_on=told.deceased_on,
        source=told.origin.value,
    )
    await desk.tell(fact, person_key=fact.person_key, region_code=fact.region_code, subject=fact.notice_id)
    return notice, True


async def ask_revocation(desk: Desk, notice_id: UUID, reason: str) -> DeathNotice:
    """An officer says the death was reported wrongly; nothing changes until another confirms.

    Raises Refusal: not found, conflict where it is revoked or a withdrawal by reason of it is under way.
    """
    notice, person = await _take(desk, notice_id)
    if notice.state == NoticeState.REVOKED:
        raise conflict("death_revoked", "该死亡信息已撤销。")
    await _require_no_withdrawal(desk, person)
    notice.state, notice.revoke_reason = NoticeState.REVOKING.value, reason
    notice.revoke_asked_by = desk.actor
    return notice


async def confirm_revocation(desk: Desk, notice_id: UUID) -> Revoked:
    """A second officer confirms: the person lives, and is insured again from the day after.

    Raises Refusal: not found, conflict where nothing is asked or the day after is still to come,
    forbidden to whoever asked.
    """
    notice, person = await _take(desk, notice_id)
    if notice.state != NoticeState.REVOKING:
        raise conflict("nothing_asked", "该死亡信息没有待复核的撤销申请。")
    if notice.revoke_asked_by == desk.actor:
        raise forbidden("maker_checker", "撤销由您申请，须由另一位工作人员复核。")
    await _require_no_withdrawal(desk, person)
    if notice.deceased_on >= desk.today:
        message = f"参保关系自次日恢复，请于{notice.deceased_on + _ONE_DAY}起复核。"
        raise conflict("too_early", message)
    notice.state, notice.revoked_by, notice.revoked_at = NoticeState.REVOKED.value, desk.actor, desk.now
    _set_deceased(desk, person, None, notice.revoke_reason)
    fact = DeathRevoked(
        notice_id=str(notice.id),
        person_key=person.person_key,
        region_code=person.region_code,
        deceased_on=notice.deceased_on,
    )
    await desk.tell(fact, person_key=fact.person_key, region_code=fact.region_code, subject=fact.notice_id)
    # The death must be gone before enrolments begin anew: the session writes it first.
    await desk.session.flush()
    return await _resume(desk, person, notice)


async def require_notice(desk: Desk, notice_id: UUID) -> DeathNotice:
    """The notice with this key. Raises Refusal (not found)."""
    found = await deaths.find_notice(desk.session, notice_id)
    if found is None or not desk.may_see(found.region_code):
        raise not_found("no_death_notice", "没有此死亡信息，或不在您可办理的统筹区内。")
    return found


async def _learn_of(desk: Desk, person_key: str, told: Told) -> Learned:
    known = await deaths.persons_with_key(desk.session, person_key)
    here = [person for person in known if desk.may_see(person.region_code)]
    if not here:
        return Learned(LineOutcome.UNKNOWN_PERSON, [])
    if any(_disagrees(person, told.deceased_on) for person in here):
        standing = [await deaths.standing_notice(desk.session, person.id) for person in here]
        return Learned(LineOutcome.DISAGREES, [notice for notice in standing if notice is not None])
    done = [await learn(desk, person, told) for person in here]
    is_new = any(recorded for _, recorded in done)
    outcome = LineOutcome.RECORDED if is_new else LineOutcome.KNOWN
    return Learned(outcome, [notice for notice, _ in done])


def _disagrees(person: Person, deceased_on: dt.date) -> bool:
    return deceased_on < person.birth_date or person.deceased_on not in (None, deceased_on)


async def _take(desk: Desk, notice_id: UUID) -> tuple[DeathNotice, Person]:
    """Notice and person, locked: the person first, as everywhere. Raises Refusal (not found)."""
    found = await require_notice(desk, notice_id)
    person = await require_person(desk, found.person_id, lock=True)
    notice = await deaths.find_notice(desk.session, notice_id, lock=True)
    assert notice is not None, "notices are never deleted"
    return notice, person


async def _require_no_withdrawal(desk: Desk, person: Person) -> None:
    standing = await withdrawals.open_withdrawal_of(desk.session, person.id)
    if standing is not None and Reason(standing.reason) in OF_DEATH:
        message = f"因死亡的一次性支取（办件编号{standing.case_no}）正在办理，请先终止支取再撤销死亡信息。"
        raise conflict("withdrawal_under_way", message)


async def _resume(desk: Desk, person: Person, notice: DeathNotice) -> Revoked:
    """What the death stopped begins anew; what the rules refuse by now is told, and enrolled by hand."""
    stopped = await deaths.enrolments_with_keys(desk.session, [key_of(key) for key in notice.stopped])
    resumed, refused = [], []
    for enrolment in stopped:
        try:
            started, _ = await enrolling.start(desk, _begun_anew(person, enrolment))
            resumed.append(started)
        except Refusal as refusal:
            refused += [fault.message for fault in refusal.faults] or [refusal.message]
    return Revoked(notice, resumed, refused)


def _begun_anew(person: Person, stopped: Enrolment) -> NewEnrolment:
    assert stopped.stopped_on is not None, "it was stopped by the death"
    return NewEnrolment(
        person_id=person.id,
        insurance_kind=InsuranceKind(stopped.insurance_kind),
        person_kind=PersonKind(stopped.person_kind),
        employer_id=stopped.employer_id,
        started_on=stopped.stopped_on + _ONE_DAY,
        declared_wage_fen=stopped.declared_wage_fen,
    )


def _notice(desk: Desk, person: Person, told: Told) -> DeathNotice:
    return DeathNotice(
        id=uuid7(),
        region_code=person.region_code,
        person_id=person.id,
        deceased_on=told.deceased_on,
        origin=told.origin.value,
        source=told.source,
        reference=told.reference,
        evidence_digest=told.evidence_digest,
        state=NoticeState.RECORDED.value,
        recorded_by=desk.actor,
        recorded_at=desk.now,
    )


def _set_deceased(desk: Desk, person: Person, deceased_on: dt.date | None, reason: str | None) -> None:
    before = {"deceased_on": person.deceased_on and person.deceased_on.isoformat()}
    person.deceased_on = deceased_on
    person.version += 1
    after = {"deceased_on": deceased_on and deceased_on.isoformat()}
    desk.note(
        "person",
        person.id,
        person.region_code,
        person.version,
        before=before,
        after=after,
        reason=reason,
    )


async def _paid_after(desk: Desk, person: Person, deceased_on: dt.date) -> dict[InsuranceKind, list[str]]:
    paid = {kind: await months.own_months(desk.session, person.id, kind) for kind in InsuranceKind}
    return rules.paid_after(paid, deceased_on)


def key_of(enrolment_id: str | None) -> UUID:
    """The key of an enrolment as a spell carries it."""
    assert enrolment_id is not None, "spells here have their enrolment's key"
    return UUID(enrolment_id)
