"""城乡居民参保登记."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from libs.casebook.cases import Case
from libs.caseflow.applications import Application
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk
from libs.refusals.faults import Fault
from services.enrollment.domain.employment import NOBODY_YET
from services.enrollment.domain.enrolling import NewEnrolment, faults_of_start
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.people import NewPerson, faults_of_person
from services.enrollment.domain.rules import rules
from services.enrollment.repository import enrolments
from services.enrollment.schemas.applications_residents import ResidentRegistrationPayload
from services.enrollment.service import enrolling, people, registering
from services.enrollment.service.desk import Desk

Form = Application[ResidentRegistrationPayload]


class ResidentRegistration(Business[ResidentRegistrationPayload]):
    """A resident is enrolled, by themselves or by their family."""

    kind = "resident_registration"
    operation = "enrollment.resident_registration"

    def particulars(self, application: Form) -> Particulars:
        payload, person = application.payload, new_person_of(application)
        birth_date = person.birth_date or person.credential.birth_date
        group = rules().special_groups.get(person.credential.type)
        return Particulars(
            person_kinds=frozenset({"resident"} | ({group} if group else set())),
            fields={
                "name": person.name,
                "credential": person.credential.number,
                "birth-date": birth_date and birth_date.isoformat(),
                "telephone": person.telephone or application.applicant.telephone,
                "household-address": payload.household_address,
                "applicant-status": payload.applicant_status,
            },
            pointers={
                "birth-date": "/payload/person/birth_date",
                "household-address": "/payload/household_address",
                "applicant-status": "/payload/applicant_status",
            },
        )

    async def faults(self, desk: CaseDesk, application: Form) -> list[Fault]:
        payload, counter = application.payload, Desk.of_case(desk)
        at = "/payload/person" if payload.person else "/applicant"
        new_person = new_person_of(application)
        named = await registering.look_up(counter, new_person)
        may_learn = _may_learn(desk, application)
        of_person = named.faults if may_learn else faults_of_person(new_person, counter.today)
        faults = [replace(fault, pointer=f"{at}{fault.pointer}") for fault in of_person]
        if payload.person is not None and payload.relation is None:
            message = "为家庭成员参保的，请填写申请人与参保人的关系。"
            faults.append(Fault("relation_missing", message, "/payload/relation"))
        if named.birth_date is None or not may_learn:
            return faults
        here = await enrolments.spells_here(counter.session, named.record.id) if named.record else []
        elsewhere = await enrolments.spells_elsewhere(
            counter.session,
            named.person_key,
            application.region_code,
            InsuranceKind.RESIDENT,
            payload.started_on,
        )
        new = _enrolment(NOBODY_YET, payload)
        found = faults_of_start(
            new, birth_date=named.birth_date, known=[*here, *elsewhere], today=counter.today
        )
        return faults + [replace(fault, pointer=f"/payload{fault.pointer}") for fault in found]

    async def reasons_for_review(self, desk: CaseDesk, application: Form) -> list[str]:
        if not _may_learn(desk, application):
            return ["为他人申请，亲属或监护关系须由工作人员核对"]
        return []

    async def carry_out(self, desk: CaseDesk, case: Case, application: Form) -> Mapping[str, Any]:
        payload, counter = application.payload, Desk.of_case(desk)
        person = await registering.ensure_registered(counter, new_person_of(application))
        people.keep_resident_data(
            counter,
            person,
            address=payload.household_address,
            applicant_status=payload.applicant_status,
            subsidy_kind=payload.subsidy_kind,
        )
        started, _ = await enrolling.start(counter, _enrolment(person.id, payload))
        return {"enrolment_ids": [str(started.id)], "person_ids": [str(person.id)]}


def _may_learn(desk: CaseDesk, application: Form) -> bool:
    """Whether the one at the desk may be told where the person is insured.

    Whoever signs in and names a relative is believed by an officer first, who then asks the records.
    """
    return desk.actor.kind != "citizen" or application.payload.person is None


def new_person_of(application: Form) -> NewPerson:
    """Whom the application is about: the person named in it, or the applicant."""
    person = application.payload.person
    if person is not None:
        return person.new_person(application.region_code)
    applicant = application.applicant
    return NewPerson(
        application.region_code, applicant.credential, applicant.name, telephone=applicant.telephone
    )


def _enrolment(person_id: UUID, payload: ResidentRegistrationPayload) -> NewEnrolment:
    status = rules().applicant_statuses.get(payload.applicant_status or "")
    person_kind = status.person_kind if status else PersonKind.RESIDENT
    return NewEnrolment(person_id, InsuranceKind.RESIDENT, person_kind, None, payload.started_on)
