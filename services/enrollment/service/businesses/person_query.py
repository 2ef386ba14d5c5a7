"""参保人员参保信息查询: decided at once, its document is the person's insurance record.

(hubei-2022 item 八, 《社会保险个人权益记录管理办法》第十四、十五条; zaozhuang 一 3.2.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.casebook.schemas import PersonBody
from libs.caseflow.applications import Application
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk
from libs.identifiers.credentials import CREDENTIAL_NAMES
from libs.money.amounts import yuan_of
from libs.refusals.faults import Fault, forbidden
from libs.regions import names
from libs.webapp.database import asyncpg_of
from services.enrollment.domain.kinds import INSURANCE_NAMES, PERSON_KIND_NAMES, InsuranceKind, PersonKind
from services.enrollment.domain.stops import STOP_REASON_NAMES, StopReason
from services.enrollment.models import Person
from services.enrollment.models.rows import EmployerRow, EnrolmentRow
from services.enrollment.repository import people
from services.enrollment.schemas.applications_person_query import PersonQueryPayload
from services.enrollment.service import money, reading
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import personal_data
from services.enrollment.service.reading import Reader

Form = Application[PersonQueryPayload]

DOCUMENT_KIND = "insurance_record"
TITLE = "参保人员参保信息"


class PersonQuery(Business[PersonQueryPayload]):
    """Somebody asks for their own record, at a window also for another with authorisation."""

    kind = "person_query"
    operation = "enrollment.person_query"

    def particulars(self, application: Form) -> Particulars:
        wanted = _wanted(application)
        return Particulars(fields={"name": wanted.name, "credential": wanted.credential_no})

    async def require_rights(self, desk: CaseDesk, application: Form) -> None:
        wanted = _wanted(application)
        if desk.actor.kind == "citizen" and wanted.credential != application.applicant.credential:
            raise forbidden("not_own", "只能查询本人的参保信息；代他人查询请到窗口办理。")

    async def faults(self, desk: CaseDesk, application: Form) -> list[Fault]:
        at = "/payload/person" if application.payload.person else "/applicant"
        person = await _person(desk, application)
        if person is None:
            message = "本地没有该证件号码的参保档案，请核对证件，或向参保地查询。"
            return [Fault("no_person", message, f"{at}/credential_no")]
        if personal_data(desk.flow.protector, person).name != _wanted(application).name:
            message = "姓名与该证件号码在本地参保档案中的姓名不一致，请核对。"
            return [Fault("name_disagrees", message, f"{at}/name")]
        return []

    async def carry_out(self, desk: CaseDesk, case: Case, application: Form) -> Mapping[str, Any]:
        person = await _person(desk, application)
        assert person is not None, "asked for before the decision, in this transaction"
        year = desk.today.year
        serial = await contents.next_number(desk.session, case.region_code, DOCUMENT_KIND, year)
        document = await contents.add_document(
            desk.session,
            case,
            desk.flow.protector,
            kind=DOCUMENT_KIND,
            number=f"{case.region_code}-{year}-{serial:06d}",
            title=TITLE,
            content=await insurance_record(Desk.of_case(desk), person),
            at=desk.now,
        )
        return {"document": document.number}


async def insurance_record(desk: Desk, person: Person) -> dict[str, Any]:
    """Everything the region's books say of the person's insurance. Amounts in yuan."""
    data = personal_data(desk.protector, person)
    reader = Reader(await asyncpg_of(desk.session), desk.protector, desk.regions)
    row, held = await reading.file_of(reader, person.id)
    _, periods = await reading.contributions_of(reader, row)
    balance = await money.balance_of(desk.session, person, InsuranceKind.EMPLOYEE)
    return {
        "region_code": person.region_code,
        "region_name": names.name_of(person.region_code),
        "stated_on": desk.today.isoformat(),
        "person": {
            "name": data.name,
            "credential_type_name": CREDENTIAL_NAMES[data.credential.type],
            "credential_no": data.credential.number,
            "sex": person.sex,
            "birth_date": person.birth_date.isoformat(),
        },
        "enrolments": [_enrolment(enrolment, employer) for enrolment, employer in held],
        "contribution_periods": [period.model_dump() for period in periods],
        "account": {"balance_yuan": yuan_of(balance.balance_fen), "held_yuan": yuan_of(balance.held_fen)},
    }


def _enrolment(enrolment: EnrolmentRow, employer: EmployerRow | None) -> dict[str, Any]:
    reason = enrolment.stop_reason
    return {
        "insurance_kind": enrolment.insurance_kind,
        "insurance_name": INSURANCE_NAMES[InsuranceKind(enrolment.insurance_kind)],
        "person_kind_name": PERSON_KIND_NAMES[PersonKind(enrolment.person_kind)],
        "employer_name": employer.name if employer else None,
        "started_on": enrolment.started_on.isoformat(),
        "stopped_on": enrolment.stopped_on and enrolment.stopped_on.isoformat(),
        "stop_reason_name": reason and STOP_REASON_NAMES[StopReason(reason)],
    }


def _wanted(application: Form) -> PersonBody:
    return application.payload.person or application.applicant


async def _person(desk: CaseDesk, application: Form) -> Person | None:
    key = desk.flow.protector.blind_index(_wanted(application).credential.canonical)
    return await people.find_person_by_key(desk.session, application.region_code, key)
