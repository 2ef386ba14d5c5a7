"""职工、城乡居民参保信息变更登记: key information by review, the rest at once; residents' stops.

(hubei-2022 items 五, 六 and forms 5, 6; shandong-2020/2023 items 5, 6; yantai 6, 7; zaozhuang 1.4, 二 1.3.)
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from libs.casebook.cases import Case
from libs.caseflow.applications import Application
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk
from libs.identifiers.credentials import CREDENTIAL_NAMES
from libs.refusals.faults import Fault, forbidden
from services.enrollment.domain.changes import ITEM_NAMES, ChangeItem, DataChange
from services.enrollment.domain.enrolling import Spell, faults_of_stop
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.rules import rules
from services.enrollment.domain.stops import StopReason
from services.enrollment.models import Employer, Person
from services.enrollment.repository import enrolments, months, people
from services.enrollment.schemas.applications_people_changes import (
    EmployeeChangePayload,
    EmployeeChangeRow,
    ResidentChangePayload,
    ResidentChangeRow,
)
from services.enrollment.service import changing, enrolling
from services.enrollment.service.changing import Row
from services.enrollment.service.desk import Desk

P = TypeVar("P", EmployeeChangePayload, ResidentChangePayload)

BUSINESS_NAMES = {"change": "信息变更", "suspend": "中止参保", "terminate": "终止参保"}


class PeopleChange(Business[P]):
    """What changing employees' and residents' data have in common."""

    def particulars(self, application: Application[P]) -> Particulars:
        rows = application.payload.people
        lines = [change.data_change() for row in rows for change in row.changes]
        credentials = [row.person.credential for row in rows]
        return Particulars(
            fields={
                "name": "、".join(row.person.name for row in rows),
                "credential": "、".join(f"{CREDENTIAL_NAMES[one.type]}{one.number}" for one in credentials),
                "change-item": _every(ITEM_NAMES[line.item] for line in lines),
                # What the applicant does not tell, the record itself says.
                "before-change": _every(line.before or "见参保档案" for line in lines),
                "after-change": _every(line.after for line in lines),
            },
            pointers=dict.fromkeys(("change-item", "before-change", "after-change"), "/payload/people"),
        )

    def particulars_at(self, desk: CaseDesk, application: Application[P]) -> Particulars:
        """With what the catalogue in force calls key information: it decides the materials."""
        is_key = bool(self._key_changes(desk, application))
        plain = self.particulars(application)
        return replace(
            plain,
            case_kinds=frozenset({"key_information_change" if is_key else "other_information_change"}),
            fields={**plain.fields, "key-information-flag": "是" if is_key else "否"},
        )

    async def reasons_for_review(self, desk: CaseDesk, application: Application[P]) -> list[str]:
        names = "、".join(ITEM_NAMES[item] for item in self._key_changes(desk, application))
        return [f"变更关键信息（{names}），须凭辅助材料由另一位工作人员审核"] if names else []

    async def faults(self, desk: CaseDesk, application: Application[P]) -> list[Fault]:
        counter = Desk.of_case(desk)
        rows, faults = await self._rows(desk, application)
        faults += _people_twice(rows)
        if faults:
            return faults
        for index, person in enumerate(await changing.lock_all(counter, rows)):
            found = await self._faults_of(counter, application, index, rows[index], person)
            faults += [replace(fault, pointer=f"/payload/people/{index}{fault.pointer}") for fault in found]
        return faults

    async def carry_out(self, desk: CaseDesk, case: Case, application: Application[P]) -> Mapping[str, Any]:
        counter = Desk.of_case(desk)
        rows, _ = await self._rows(desk, application)
        locked = [person for person in await changing.lock_all(counter, rows) if person is not None]
        assert len(locked) == len(rows), "asked for before the decision, in this transaction"
        await self._do(counter, application, list(zip(rows, locked, strict=True)), case.case_no)
        return {"person_ids": [str(person.id) for person in locked]}

    async def _faults_of(
        self, counter: Desk, application: Application[P], index: int, row: Row, person: Person | None
    ) -> list[Fault]:
        return await changing.faults_of_row(counter, row, person)

    async def _do(
        self, counter: Desk, application: Application[P], rows: Sequence[tuple[Row, Person]], case_no: str
    ) -> None:
        told = [
            fact for row, person in rows for fact in await changing.carry_out(counter, row, person, case_no)
        ]
        await changing.tell(counter, told, application.region_code)

    @abstractmethod
    async def _rows(self, desk: CaseDesk, application: Application[P]) -> tuple[list[Row], list[Fault]]:
        """The form's rows, and what is wrong with the form itself."""

    def _key_changes(self, desk: CaseDesk, application: Application[P]) -> list[ChangeItem]:
        stated = desk.flow.catalogues.parameter_in_force(
            application.region_code, (self.operation,), "change.key_fields", desk.today
        )
        key = frozenset(stated.value if stated else rules().person_key_fields)
        changed = (change.data_change().item for row in application.payload.people for change in row.changes)
        return [item for item in dict.fromkeys(changed) if item.value in key]


class EmployeeChange(PeopleChange[EmployeeChangePayload]):
    """Of employees by their employer, of anybody by themselves."""

    kind = "employee_change"
    operation = "enrollment.employee_change"

    def particulars(self, application: Application[EmployeeChangePayload]) -> Particulars:
        plain = super().particulars(application)
        # Form 5, note: flexible workers fill in no employer; whoever applies alone has none to fill in.
        code = application.payload.employer_credit_code or "本人申请"
        return replace(plain, fields={**plain.fields, "credit-code-or-employer-code": code})

    async def require_rights(self, desk: CaseDesk, application: Application[EmployeeChangePayload]) -> None:
        if desk.actor.kind != "citizen":
            return
        if application.payload.employer_credit_code is None:
            if _others(application):
                raise forbidden("not_own", "只能变更本人的参保信息；为他人代办请到窗口办理。")
            return
        employer = await _employer(desk, application)
        if employer is None or employer.agent_key != desk.actor.subject:
            raise forbidden("not_agent", "您不是该单位登记的经办人员，不能为该单位申请。")

    async def _rows(
        self, desk: CaseDesk, application: Application[EmployeeChangePayload]
    ) -> tuple[list[Row], list[Fault]]:
        code = application.payload.employer_credit_code
        employer = await _employer(desk, application) if code else None
        if code and employer is None:
            message = f"本地没有统一社会信用代码为{code}的参保单位，请核对。"
            return [], [Fault("no_employer", message, "/payload/employer_credit_code")]
        employer_id = employer.id if employer else None
        return [_row(application.region_code, row, employer_id) for row in application.payload.people], []


class ResidentChange(PeopleChange[ResidentChangePayload]):
    """Residents' data; and, where the edition has it, 中止 and 终止 of their enrolment."""

    kind = "resident_change"
    operation = "enrollment.resident_change"

    def particulars(self, application: Application[ResidentChangePayload]) -> Particulars:
        plain, payload = super().particulars(application), application.payload
        if payload.business == "change":
            return plain
        told = {
            "change-item": BUSINESS_NAMES[payload.business],
            "before-change": "在保",
            "after-change": "、".join(str(row.last_day) for row in payload.people),
        }
        return replace(plain, fields={**plain.fields, **told})

    async def reasons_for_review(
        self, desk: CaseDesk, application: Application[ResidentChangePayload]
    ) -> list[str]:
        reasons = await super().reasons_for_review(desk, application)
        if desk.actor.kind == "citizen" and _others(application):
            reasons.append("为他人申请，亲属或监护关系须由工作人员核对")
        return reasons

    async def _rows(
        self, desk: CaseDesk, application: Application[ResidentChangePayload]
    ) -> tuple[list[Row], list[Fault]]:
        rows = [_row(application.region_code, row, None) for row in application.payload.people]
        return rows, self._not_offered(desk, application)

    def _not_offered(self, desk: CaseDesk, application: Application[ResidentChangePayload]) -> list[Fault]:
        stated = desk.flow.catalogues.parameter_in_force(
            application.region_code, (self.operation,), "change.kinds", desk.today
        )
        offered, wanted = (stated.value if stated else ["change"]), application.payload.business
        if wanted in offered:
            return []
        message = f"本地目录的居民变更登记不包含“{BUSINESS_NAMES[wanted]}”，请按停保办理。"
        return [Fault("business_not_offered", message, "/payload/business")]

    async def _faults_of(
        self,
        counter: Desk,
        application: Application[ResidentChangePayload],
        index: int,
        row: Row,
        person: Person | None,
    ) -> list[Fault]:
        if application.payload.business == "change":
            return await changing.faults_of_row(counter, row, person)
        faults = await changing.faults_of_person(counter, row, person)
        if person is None or faults:
            return faults
        spell = await _active_spell(counter, person)
        if spell is None:
            message = "该人员没有在保的城乡居民基本医疗保险，不能中止或终止。"
            return [Fault("not_enrolled", message, "/person/credential_no")]
        last_day = application.payload.people[index].last_day
        assert last_day is not None, "the payload asks for it"
        paid = await months.own_months(counter.session, person.id, InsuranceKind.RESIDENT)
        found = faults_of_stop(spell, last_day, paid_months=paid, today=counter.today)
        return [replace(fault, pointer="/last_day") for fault in found]

    async def _do(
        self,
        counter: Desk,
        application: Application[ResidentChangePayload],
        rows: Sequence[tuple[Row, Person]],
        case_no: str,
    ) -> None:
        if application.payload.business == "change":
            await super()._do(counter, application, rows, case_no)
            return
        stops = list(zip(rows, application.payload.people, strict=True))
        for (_, person), told in sorted(stops, key=lambda stop: stop[0][1].person_key):
            spell = await _active_spell(counter, person)
            assert spell is not None, "asked for before the decision, in this transaction"
            assert spell.enrolment_id is not None, "spells here have their enrolment's key"
            assert told.last_day is not None, "the payload asks for it"
            reason = told.reason or StopReason.INTERRUPTED
            await enrolling.stop(counter, UUID(spell.enrolment_id), told.last_day, reason)


def _every(values: Any) -> str:
    return "、".join(values)


def _row(region_code: str, row: EmployeeChangeRow | ResidentChangeRow, employer_id: UUID | None) -> Row:
    lines: list[DataChange] = [change.data_change() for change in row.changes]
    return Row(region_code, row.person.credential, row.person.name, lines, employer_id, row.version)


def _people_twice(rows: Sequence[Row]) -> list[Fault]:
    first: dict[str, int] = {}
    return [
        Fault(
            "person_twice",
            f"与第{first[row.credential.canonical] + 1}人是同一人，一张表中每人只填一次。",
            f"/payload/people/{index}/person",
        )
        for index, row in enumerate(rows)
        if first.setdefault(row.credential.canonical, index) != index
    ]


def _others(application: Application[Any]) -> bool:
    own = application.applicant.credential
    return any(row.person.credential != own for row in application.payload.people)


async def _employer(desk: CaseDesk, application: Application[EmployeeChangePayload]) -> Employer | None:
    code = application.payload.employer_credit_code
    assert code is not None, "asked for only where there is one"
    return await people.find_employer_by_code(desk.session, application.region_code, code)


async def _active_spell(counter: Desk, person: Person) -> Spell | None:
    spells = await enrolments.spells_here(counter.session, person.id)
    active = (spell for spell in spells if spell.is_active)
    return next((spell for spell in active if spell.insurance_kind is InsuranceKind.RESIDENT), None)
