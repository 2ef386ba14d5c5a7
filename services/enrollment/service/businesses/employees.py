"""职工参保登记: employees by their employer's form, flexible workers by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from libs.casebook.cases import Case
from libs.caseflow.applications import Application
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk
from libs.catalogue.lookup import parameter
from libs.money.amounts import fen_of
from libs.refusals.faults import Fault, forbidden
from services.enrollment.domain.employment import CHANGE_NAMES, ChangeKind, Wish
from services.enrollment.domain.kinds import PersonKind
from services.enrollment.domain.rules import rules
from services.enrollment.domain.stops import StopReason
from services.enrollment.models import Employer
from services.enrollment.repository import employers as records
from services.enrollment.repository import people
from services.enrollment.schemas.applications_employees import EmployeeRegistrationPayload
from services.enrollment.service import employment
from services.enrollment.service.desk import Desk
from services.enrollment.service.employers import ACTIVE
from services.enrollment.service.employment import Row

Form = Application[EmployeeRegistrationPayload]


class EmployeeRegistration(Business[EmployeeRegistrationPayload]):
    """Six kinds of change, for many people in one form: all of it or nothing."""

    kind = "employee_registration"
    operation = "enrollment.employee_registration"

    def particulars(self, application: Form) -> Particulars:
        payload = application.payload
        is_flexible = payload.employer_credit_code is None
        first = payload.people[0]
        return Particulars(
            person_kinds=_person_kinds(payload),
            fields={
                # Form 2, note: flexible workers need no employer; nor do they declare a wage.
                "credit-code-or-employer-code": payload.employer_credit_code or "灵活就业",
                "person-category": "灵活就业人员" if is_flexible else "在职职工",
                "insurance-kinds": "、".join(payload.insurance_kinds),
                "declared-wage": "灵活就业" if is_flexible else _declared_wages(payload),
                "change-kind": first.change.value,
            },
            pointers={"declared-wage": "/payload/people"},
        )

    async def require_rights(self, desk: CaseDesk, application: Form) -> None:
        if desk.actor.kind != "citizen":
            return
        if application.payload.employer_credit_code is None:
            _require_only_self(application)
            return
        employer = await _employer(desk, application, application.payload.employer_credit_code)
        if employer is None or employer.agent_key != desk.actor.subject:
            raise forbidden("not_agent", "您不是该单位登记的经办人员，不能为该单位申请。")

    async def faults(self, desk: CaseDesk, application: Form) -> list[Fault]:
        employers = await _employers(desk, application)
        faults = [*_faults_of_form(application.payload), *employers.faults]
        faults += _not_offered(desk, application)
        if faults:
            return faults
        counter = Desk.of_case(desk)
        for index, row in enumerate(_rows(application, employers)):
            found = await employment.faults_of_row(counter, row)
            at = f"/payload/people/{index}"
            faults += [replace(fault, pointer=f"{at}{fault.pointer}") for fault in found]
        return faults

    async def carry_out(self, desk: CaseDesk, case: Case, application: Form) -> Mapping[str, Any]:
        employers = await _employers(desk, application)
        # Before any person, and all of them in one order: a merger of these employers waits, or we do.
        await records.hold(desk.session, [employer.id for employer in employers.by_code.values()])
        rows = _rows(application, employers)
        counter = Desk.of_case(desk)
        # One order for everybody: two forms with people in common never wait for one another in a circle.
        rows.sort(key=lambda row: counter.protector.blind_index(row.person.credential.canonical))
        said_by = "、".join(employer.name for employer in employers.by_code.values()) or "灵活就业人员申请"
        touched = [await employment.carry_out(counter, row, said_by, case.case_no) for row in rows]
        return {"enrolment_ids": [str(one) for row in touched for one in row], "people": len(rows)}


@dataclass(frozen=True)
class Employers:
    """The employers a form names, by credit code, and what is wrong with them."""

    by_code: Mapping[str, Employer]
    faults: list[Fault]


async def _employers(desk: CaseDesk, application: Form) -> Employers:
    payload = application.payload
    wanted = {payload.employer_credit_code: "/payload/employer_credit_code"}
    wanted |= {
        row.to_credit_code: f"/payload/people/{index}/to_credit_code"
        for index, row in enumerate(payload.people)
    }
    found: dict[str, Employer] = {}
    faults = []
    for code, pointer in wanted.items():
        if code is None:
            continue
        employer = await _employer(desk, application, code)
        if employer is None:
            message = f"本地没有统一社会信用代码为{code}的参保单位，请核对或先办理单位参保登记。"
            faults.append(Fault("no_employer", message, pointer))
        elif employer.state != ACTIVE:
            message = f"单位“{employer.name}”已暂停或注销参保，不能办理职工参保登记。"
            faults.append(Fault("employer_not_active", message, pointer))
        else:
            found[code] = employer
    return Employers(found, faults)


async def _employer(desk: CaseDesk, application: Form, credit_code: str) -> Employer | None:
    return await people.find_employer_by_code(desk.session, application.region_code, credit_code)


def _rows(application: Form, employers: Employers) -> list[Row]:
    payload = application.payload
    own = employers.by_code.get(payload.employer_credit_code or "")
    kind = PersonKind.EMPLOYEE if own else PersonKind.FLEXIBLE_WORKER
    return [
        Row(
            row.person.new_person(application.region_code),
            Wish(
                change=row.change,
                insurance_kinds=payload.insurance_kinds,
                person_kind=kind,
                employer_id=_id(own),
                effective_on=row.effective_on,
                to_employer_id=_id(employers.by_code.get(row.to_credit_code or "")),
                reason=row.reason,
                declared_wage_fen=fen_of(row.declared_wage_yuan) if row.declared_wage_yuan else None,
            ),
        )
        for row in payload.people
    ]


def _id(employer: Employer | None) -> UUID | None:
    return employer.id if employer else None


def _not_offered(desk: CaseDesk, application: Form) -> list[Fault]:
    """Kinds of change this edition's list does not have (shandong-2023 has no move within the area)."""
    item = desk.flow.catalogues.item(application.region_code, application.item_key, desk.today).item
    offered = parameter(item, "registration.change_kinds")
    if not isinstance(offered, list):
        return []
    names = "、".join(CHANGE_NAMES[ChangeKind(kind)] for kind in offered)
    return [
        Fault(
            "change_not_offered",
            f"本地目录的变更类别为：{names}；没有“{CHANGE_NAMES[row.change]}”。",
            f"/payload/people/{index}/change",
        )
        for index, row in enumerate(application.payload.people)
        if row.change.value not in offered
    ]


def _faults_of_form(payload: EmployeeRegistrationPayload) -> list[Fault]:
    """What the form itself lacks or says twice."""
    faults = []
    first_row: dict[str, int] = {}
    for index, row in enumerate(payload.people):
        at = f"/payload/people/{index}"
        known = first_row.setdefault(row.person.credential.canonical, index)
        if known != index:
            message = f"与第{known + 1}行是同一人，一张表中每人只填一行。"
            faults.append(Fault("person_twice", message, f"{at}/person"))
        if (row.change is ChangeKind.MOVE) != (row.to_credit_code is not None):
            message = "统筹地区内转移须填写转入的单位，其他变更类别不填。"
            faults.append(Fault("to_credit_code", message, f"{at}/to_credit_code"))
        if row.reason is not None and row.change is not ChangeKind.TERMINATE:
            faults.append(Fault("reason", "只有终止须填写原因，请删除。", f"{at}/reason"))
    return faults


def _person_kinds(payload: EmployeeRegistrationPayload) -> frozenset[str]:
    """The catalogue's kinds of people in this form: they decide which materials are needed."""
    kinds = {"employee" if payload.employer_credit_code else "flexible_worker"}
    for row in payload.people:
        if row.change in (ChangeKind.ADD, ChangeKind.RESUME):
            kinds |= {rules().special_groups.get(row.person.credential.type, "")} - {""}
        kinds |= {"retiring"} if row.change is ChangeKind.RETIRE else set()
        kinds |= {"emigrant"} if row.reason is StopReason.EMIGRATED else set()
    return frozenset(kinds)


def _declared_wages(payload: EmployeeRegistrationPayload) -> object:
    """The wages declared; None (missing) unless every row that begins an enrolment has one."""
    beginning = [row for row in payload.people if row.change in (ChangeKind.ADD, ChangeKind.RESUME)]
    if not beginning:
        return "不涉及"
    wages = [row.declared_wage_yuan for row in beginning]
    return None if None in wages else wages


def _require_only_self(application: Form) -> None:
    own = application.applicant.credential
    others = [row for row in application.payload.people if row.person.credential != own]
    if others:
        raise forbidden("not_own", "灵活就业人员只能为本人申请；为他人代办请到窗口办理。")
