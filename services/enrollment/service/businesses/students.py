"""学生参保登记: a school's roster, handed to the workers by a case.

The case ends when the roster is handed over (即时办结, yantai L10): what becomes of every pupil is told
row by row in the roster's own progress, because one pupil's fault must hold up neither the others
nor the school. The record's last line names the roster, and the roster names its case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from libs.casebook.cases import Case
from libs.caseflow.applications import Application
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk
from libs.refusals.faults import Fault
from services.enrollment.repository import rosters
from services.enrollment.schemas.applications_students import StudentRegistrationPayload
from services.enrollment.service.rosters import receiving

Form = Application[StudentRegistrationPayload]


class StudentRegistration(Business[StudentRegistrationPayload]):
    """A school enrols its pupils."""

    kind = "student_registration"
    operation = "enrollment.student_registration"

    def particulars(self, application: Form) -> Particulars:
        return Particulars(person_kinds=frozenset({"student"}))

    async def faults(self, desk: CaseDesk, application: Form) -> list[Fault]:
        roster = await rosters.find(desk.session, application.payload.roster_id)
        found = receiving.faults_of_release(roster, application.region_code)
        return [replace(fault, pointer=f"/payload{fault.pointer}") for fault in found]

    async def reasons_for_review(self, desk: CaseDesk, application: Form) -> list[str]:
        # No register says who acts for a school, and whoever knows a roster's key could release it.
        if desk.actor.kind == "citizen":
            return ["网上申请学生参保登记，申请人为学校经办人员的授权须由工作人员核对"]
        return []

    async def carry_out(self, desk: CaseDesk, case: Case, application: Form) -> Mapping[str, Any]:
        roster_id = application.payload.roster_id
        roster = await receiving.release(desk.session, roster_id, application.region_code, case.case_no)
        return {"roster_id": str(roster.id), "people": roster.rows_total}
