"""A case and its record: open, load, move. Every move is one line of the record and one fact.

Functions take the caller's session and never commit.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid7
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.record import FIRST_HASH, line_hash
from libs.casebook.tables import case_record, case_serial, cases
from libs.casework import lifecycle
from libs.casework.actors import Actor
from libs.casework.case_numbers import CaseNumber, operation_codes
from libs.casework.clock import SHANGHAI
from libs.casework.deadlines import CaseClock, Reminder, TimeAllowed
from libs.casework.lifecycle import Action, Status
from libs.casework.working_days import DueDate
from libs.catalogue.schema import Unit
from libs.contracts.cases import CaseMoved, NoticeItem
from libs.eventbus.outbox import publish
from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault, Refusal, RefusalKind, not_found


@dataclass(frozen=True)
class NewCase:
    """What a case begins with. ``application`` is the whole form, kept encrypted."""

    region_code: str
    operation: str
    item_key: str
    item_name: str
    edition_id: str
    channel: str
    subject_key: str
    subject_name: str
    application: Mapping[str, Any]
    stage: str
    counterpart_region_code: str | None = None


@dataclass(frozen=True)
class Case:
    """A case as it stands. Immutable: a move returns the next one."""

    id: UUID
    case_no: str
    version: int
    region_code: str
    counterpart_region_code: str | None
    operation: str
    item_key: str
    item_name: str
    edition_id: str
    channel: str
    subject_key: str
    subject_name: str
    application: Mapping[str, Any]
    status: Status
    stage: str
    entered_by: str
    assignee: str | None
    clock: CaseClock | None
    submitted_at: dt.datetime
    ended_at: dt.datetime | None

    @property
    def submitted_on(self) -> dt.date:
        """The day of application as the law counts it: in Shanghai, whatever zone the database answers in."""
        return self.submitted_at.astimezone(SHANGHAI).date()


@dataclass(frozen=True)
class Move:
    """One step: the action, by whom, why, and what it leads to."""

    action: Action
    actor: Actor
    at: dt.datetime
    stage: str
    reason: str | None = None
    notice: Sequence[Fault] = ()
    details: Mapping[str, Any] | None = None
    action_name: str | None = None  # where the service's step has a name of its own


class Casebook:
    """The case file of one service.

    ``moved`` is the service's fact type, ``stage_names`` what its stages are called.
    """

    def __init__(
        self, moved: type[CaseMoved], stage_names: Mapping[str, str], protector: FieldProtector
    ) -> None:
        self._moved = moved
        self._stage_names = stage_names
        self._protector = protector

    async def open(self, session: AsyncSession, new: NewCase, actor: Actor, at: dt.datetime) -> Case:
        """A new case in status submitted, with the first line of its record."""
        serial = await session.scalar(case_serial.next_value())
        assert serial is not None, "a sequence always has a next value"
        number = CaseNumber(
            new.region_code, operation_codes()[new.operation], at.astimezone(SHANGHAI).date(), serial
        )
        case = Case(
            id=uuid7.uuid7(),
            case_no=str(number),
            version=1,
            region_code=new.region_code,
            counterpart_region_code=new.counterpart_region_code,
            operation=new.operation,
            item_key=new.item_key,
            item_name=new.item_name,
            edition_id=new.edition_id,
            channel=new.channel,
            subject_key=new.subject_key,
            subject_name=new.subject_name,
            application=new.application,
            status=Status.SUBMITTED,
            stage=new.stage,
            entered_by=actor.subject,
            assignee=None,
            clock=None,
            submitted_at=at,
            ended_at=None,
        )
        await session.execute(insert(cases).values(self._row_of(case)))
        await self._append(session, case, Move(Action.SUBMIT, actor, at, new.stage), FIRST_HASH)
        return case

    async def load(self, session: AsyncSession, case_no: str, *, lock: bool = False) -> Case:
        """The case with this number; ``lock`` keeps others waiting. Raises Refusal (not found)."""
        query = select(cases).where(cases.c.case_no == case_no)
        row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
        if row is None:
            raise not_found("no_case", f"没有编号为{case_no}的办件。")
        return self._case_of(row)

    async def load_by_id(self, session: AsyncSession, case_id: UUID, *, lock: bool = False) -> Case:
        """The case with this key. Raises Refusal (not found)."""
        query = select(cases).where(cases.c.id == case_id)
        row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
        if row is None:
            raise not_found("no_case", "没有此办件。")
        return self._case_of(row)

    async def move(
        self,
        session: AsyncSession,
        case: Case,
        step: Move,
        *,
        clock: CaseClock | None = None,
        application: Mapping[str, Any] | None = None,
    ) -> Case:
        """Take one step. Raises Refusal where the life of a case has no such step, or it moved meanwhile."""
        status = lifecycle.move(case.status, step.action)
        moved = replace(
            case,
            version=case.version + 1,
            status=status,
            stage=step.stage,
            clock=clock or case.clock,
            application=application or case.application,
            ended_at=step.at if status in lifecycle.ENDED else None,
        )
        result = await session.execute(
            update(cases)
            .where(cases.c.id == case.id, cases.c.version == case.version)
            .values(self._row_of(moved))
            .returning(cases.c.id)
        )
        if result.one_or_none() is None:
            raise stale_version(case.version)
        previous = await self.last_line(session, case)
        await self._append(session, moved, step, previous.hash)
        return moved

    async def last_line(self, session: AsyncSession, case: Case) -> Row[Any]:
        """The line of the record that made this version of the case."""
        query = select(case_record).where(
            case_record.c.case_id == case.id, case_record.c.version == case.version
        )
        return (await session.execute(query)).one()

    async def record(self, session: AsyncSession, case: Case) -> Sequence[Row[Any]]:
        """All lines of the case's record, oldest first."""
        query = select(case_record).where(case_record.c.case_id == case.id).order_by(case_record.c.version)
        return (await session.execute(query)).all()

    async def _append(self, session: AsyncSession, case: Case, step: Move, previous_hash: str) -> None:
        line = {
            "case_id": case.id,
            "version": case.version,
            "region_code": case.region_code,
            "action": step.action.value,
            "status": case.status.value,
            "stage": case.stage,
            "actor_kind": step.actor.kind,
            "actor_subject": step.actor.subject,
            "actor_name": step.actor.name,
            "office": step.actor.office,
            "origin": step.actor.origin,
            "reason": step.reason,
            "details": {
                **(step.details or {}),
                "name": _name_of(step),
                "notice": [vars(_notice_item(fault)) for fault in step.notice],
            },
            "at": step.at,
            "previous_hash": previous_hash,
        }
        await session.execute(insert(case_record).values(**line, hash=line_hash(line)))
        await publish(
            session,
            self._fact(case, step),
            key=fact_key(case.region_code, case.subject_key),
            region_code=case.region_code,
            subject=case.case_no,
            at=step.at,
        )

    def _fact(self, case: Case, step: Move) -> CaseMoved:
        clock = case.clock
        return self._moved(
            case_no=case.case_no,
            version=case.version,
            region_code=case.region_code,
            operation=case.operation,
            item_key=case.item_key,
            item_name=case.item_name,
            edition_id=case.edition_id,
            subject_key=case.subject_key,
            subject_name_masked=mask_name(case.subject_name),
            action=step.action.value,
            action_name=_name_of(step),
            status=case.status.value,
            status_name=lifecycle.STATUS_NAMES[case.status],
            stage=case.stage,
            stage_name=self._stage_names.get(case.stage, case.stage),
            actor_kind=step.actor.kind,
            actor_name=mask_name(step.actor.name) if step.actor.kind == "citizen" else step.actor.name,
            office=step.actor.office,
            reason=step.reason,
            notice=[_notice_item(fault) for fault in step.notice],
            due_on=clock.due.on if clock and not clock.paused_on else None,
            due_provisional=bool(clock and clock.due.provisional),
            assignee=case.assignee,
            counterpart_region_code=case.counterpart_region_code,
            at=step.at,
        )

    def _row_of(self, case: Case) -> dict[str, Any]:
        clock = case.clock
        return {
            "id": case.id,
            "case_no": case.case_no,
            "version": case.version,
            "region_code": case.region_code,
            "counterpart_region_code": case.counterpart_region_code,
            "operation": case.operation,
            "item_key": case.item_key,
            "item_name": case.item_name,
            "edition_id": case.edition_id,
            "channel": case.channel,
            "subject_key": case.subject_key,
            "subject_name": self._protector.encrypt(case.subject_name, f"{case.region_code}/case.name"),
            "application": self._protector.encrypt(
                json.dumps(case.application, ensure_ascii=False), f"{case.region_code}/case.application"
            ),
            "status": case.status.value,
            "stage": case.stage,
            "entered_by": case.entered_by,
            "assignee": case.assignee,
            "limit_amount": clock.allowed.amount if clock else None,
            "limit_unit": clock.allowed.unit.value if clock else None,
            "clock_started_on": clock.started_on if clock else None,
            "clock_running_since": clock.running_since if clock else None,
            "clock_left": clock.left if clock else None,
            "clock_paused_on": clock.paused_on if clock else None,
            "clock_reminded": clock.reminded if clock else None,
            "due_on": clock.due.on if clock else None,
            "due_provisional": bool(clock and clock.due.provisional),
            "submitted_at": case.submitted_at,
            "ended_at": case.ended_at,
        }

    def _case_of(self, row: Row[Any]) -> Case:
        return Case(
            id=row.id,
            case_no=row.case_no,
            version=row.version,
            region_code=row.region_code,
            counterpart_region_code=row.counterpart_region_code,
            operation=row.operation,
            item_key=row.item_key,
            item_name=row.item_name,
            edition_id=row.edition_id,
            channel=row.channel,
            subject_key=row.subject_key,
            subject_name=self._protector.decrypt(row.subject_name, f"{row.region_code}/case.name"),
            application=json.loads(
                self._protector.decrypt(row.application, f"{row.region_code}/case.application")
            ),
            status=Status(row.status),
            stage=row.stage,
            entered_by=row.entered_by,
            assignee=row.assignee,
            clock=clock_of(row),
            submitted_at=row.submitted_at,
            ended_at=row.ended_at,
        )


def stale_version(version: int) -> Refusal:
    """Somebody else was faster."""
    return Refusal(
        RefusalKind.STALE_VERSION,
        "stale_version",
        f"办件已被他人办理（您看到的是第{version}版），请刷新后再办。",
    )


def fact_key(region_code: str, subject_key: str) -> str:
    """What a person's facts are kept in order by: within one region.

    The key is locked until the transaction ends. Were it the person alone, the two regions of a
    move would wait for one another over it, each holding what the other's transactions need next.
    """
    return f"{region_code}/{subject_key}"


def mask_name(name: str) -> str:
    """``张三丰`` -> ``张**``: the surname stays."""
    return name[:1] + "*" * (len(name) - 1)


def _name_of(step: Move) -> str:
    return step.action_name or lifecycle.ACTION_NAMES[step.action]


def _notice_item(fault: Fault) -> NoticeItem:
    return NoticeItem(code=fault.code, message=fault.message, pointer=fault.pointer, rule=fault.rule)


def clock_of(row: Row[Any]) -> CaseClock | None:
    """The clock in a row of ``cases``; None before it was started."""
    if row.clock_started_on is None:
        return None
    return CaseClock(
        allowed=TimeAllowed(row.limit_amount, Unit(row.limit_unit)),
        started_on=row.clock_started_on,
        due=DueDate(row.due_on, row.due_provisional),
        running_since=row.clock_running_since,
        left=row.clock_left,
        paused_on=row.clock_paused_on,
        reminded=Reminder(row.clock_reminded) if row.clock_reminded else None,
    )
