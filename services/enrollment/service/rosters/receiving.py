"""A roster is taken in: what cannot be worked on is refused before anything is kept."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from libs.refusals.faults import Fault, Refusal, conflict, invalid, not_found
from libs.rosters.layouts import RosterKind, layout_of
from libs.rosters.reading import Format, open_roster
from services.enrollment.domain.enrolling import faults_of_first_day
from services.enrollment.domain.rosters import ROSTER_STATE_NAMES, RosterState
from services.enrollment.models import Roster
from services.enrollment.repository import people, rosters
from services.enrollment.service.desk import Desk
from services.enrollment.service.enrolling import faults_of_employer


@dataclass(frozen=True)
class NewRoster:
    """A file as it was sent. ``started_on`` is the first day insured of all in it.

    ``release`` False: it waits for the application that names it.
    """

    region_code: str
    kind: RosterKind
    started_on: dt.date
    file_name: str
    content: bytes
    school: str | None = None
    employer_id: UUID | None = None
    release: bool = True


async def receive(desk: Desk, new: NewRoster) -> Roster:
    """Keep the file and hand it to the workers.

    Raises Refusal: invalid with everything wrong (dates, employer, headings, damage), conflict where
    the same file was taken before, naming that roster.
    """
    await _require_sound(desk, new)
    file_format, people_in_it = await asyncio.to_thread(_inspect, new)
    roster = _roster(desk, new, file_format, people_in_it)
    if not await rosters.add(
        desk.session, roster, desk.protector.encrypt_bytes(new.content, file_context(roster))
    ):
        raise await _taken_before(desk, roster)
    return roster


async def release(session: AsyncSession, roster_id: UUID, region_code: str, case_no: str) -> Roster:
    """Hand a received students' roster to the workers. Raises Refusal (conflict) as ``faults_of_release``."""
    roster = await rosters.find(session, roster_id, lock=True)
    faults = faults_of_release(roster, region_code)
    if faults or roster is None:
        raise conflict("roster", faults[0].message, faults)
    await rosters.release(session, roster.id, case_no)
    return roster


def faults_of_release(roster: Roster | None, region_code: str) -> list[Fault]:
    """A students' roster can be released once, in its own region; a foreign one is as good as none."""
    if roster is None or roster.region_code != region_code:
        return [Fault("no_roster", "没有此花名册，请核对花名册编号，或先上传。", "/roster_id")]
    faults = []
    if roster.kind != RosterKind.STUDENT:
        faults.append(Fault("other_roster", "此花名册不是学生花名册，请核对花名册编号。", "/roster_id"))
    if roster.state != RosterState.RECEIVED:
        message = f"此花名册{ROSTER_STATE_NAMES[RosterState(roster.state)]}，不能再次办理。"
        faults.append(Fault("roster_released", message, "/roster_id"))
    return faults


async def find(desk: Desk, roster_id: UUID) -> Roster:
    """A roster of the desk's regions. Raises Refusal (not found)."""
    roster = await rosters.find(desk.session, roster_id)
    if roster is None or not desk.may_see(roster.region_code):
        raise not_found("no_roster", "没有此花名册，或不在您可办理的统筹区内。")
    return roster


def file_context(roster: Roster) -> str:
    """What the sealed file is bound to."""
    return f"{roster.region_code}/roster.file/{roster.id}"


def name_context(roster: Roster) -> str:
    """What its name is bound to."""
    return f"{roster.region_code}/roster.file_name/{roster.id}"


def _inspect(new: NewRoster) -> tuple[Format, int]:
    opened = open_roster(new.content, layout_of(new.kind))
    return opened.format, opened.count()


async def _require_sound(desk: Desk, new: NewRoster) -> None:
    faults = faults_of_first_day(new.started_on, desk.today)
    if new.kind is RosterKind.EMPLOYEE:
        employer = new.employer_id and await people.find_employer(desk.session, new.employer_id)
        faults += faults_of_employer(
            employer if employer and employer.region_code == new.region_code else None
        )
    elif new.employer_id is not None:
        faults.append(Fault("employer_unexpected", "学生花名册不填单位，请删除单位编号。", "/employer_id"))
    if faults:
        at_query = [replace(fault, pointer=f"/query{fault.pointer}") for fault in faults]
        raise invalid("roster", f"花名册有{len(faults)}处不符合要求，文件未接收。", at_query)


async def _taken_before(desk: Desk, roster: Roster) -> Refusal:
    same = await rosters.find_same(desk.session, roster.region_code, roster.kind, roster.digest)
    if same is None:  # it failed between our write and our look
        return conflict("roster_meanwhile", "同一文件刚刚处理中断，请重新上传。")
    message = (
        f"同一文件已于{same.submitted_at.astimezone(desk.now.tzinfo):%Y-%m-%d %H:%M}上传，"
        f"花名册编号{same.id}，{ROSTER_STATE_NAMES[RosterState(same.state)]}；"
        "更正后的人员请用该花名册的错误文件上传。"
    )
    return conflict("roster_known", message, [Fault("roster_known", message, "/file")])


def _roster(desk: Desk, new: NewRoster, file_format: Format, people_in_it: int) -> Roster:
    roster = Roster(
        id=uuid7(),
        region_code=new.region_code,
        version=1,
        kind=new.kind.value,
        state=(RosterState.READY if new.release else RosterState.RECEIVED).value,
        format=file_format.value,
        digest=hashlib.sha256(new.content).hexdigest(),
        school=new.school,
        employer_id=new.employer_id,
        started_on=new.started_on,
        rows_total=people_in_it,
        rows_done=0,
        enrolled=0,
        already_enrolled=0,
        refused=0,
        next_row=1,
        submitted_by=desk.actor,
        submitted_at=desk.now,
    )
    roster.file_name = desk.protector.encrypt(new.file_name, name_context(roster))
    return roster
