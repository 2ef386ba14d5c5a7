"""出具参保凭证."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.casebook.cases import Case
from libs.casebook.schemas import PersonBody
from libs.caseflow.applications import Application
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk
from libs.refusals.faults import Fault, forbidden
from libs.regions import names
from services.enrollment.domain.kinds import INSURANCE_NAMES, InsuranceKind
from services.enrollment.models import Person
from services.enrollment.repository import people
from services.enrollment.schemas.applications_certificate import CertificatePayload
from services.enrollment.service import papers
from services.enrollment.service.desk import Desk
from services.enrollment.service.papers import Household
from services.enrollment.service.people import personal_data
from services.enrollment.service.press import Press

Form = Application[CertificatePayload]


class CertificateOfParticipation(Business[CertificatePayload]):
    """A certificate of what stands in the record here, with number and seal."""

    kind = "certificate"
    operation = "enrollment.certificate"

    def __init__(self, press: Press) -> None:
        self._press = press

    def particulars(self, application: Form) -> Particulars:
        person = _person_of(application)
        return Particulars(fields={"name": person.name, "credential": person.credential_no})

    async def require_rights(self, desk: CaseDesk, application: Form) -> None:
        """A citizen for themselves only."""
        of_oneself = _person_of(application).credential == application.applicant.credential
        if desk.actor.kind == "citizen" and not of_oneself:
            raise forbidden("not_own", "只能为本人申请参保凭证；为他人代办请到窗口办理。")

    async def faults(self, desk: CaseDesk, application: Form) -> list[Fault]:
        counter, payload = Desk.of_case(desk), application.payload
        found = await _find(counter, application)
        at = "/payload/person" if payload.person else "/applicant"
        if found is None:
            place = names.name_of(application.region_code)
            message = f"此人在{place}没有参保档案，不能由{place}出具参保凭证；请向参保地申请。"
            return [Fault("no_record", message, f"{at}/credential_no")]
        faults = _faults_of_name(counter, found, application, at)
        kind = InsuranceKind(payload.insurance_kind)
        if await papers.time_of(counter, found, kind) is None:
            message = f"此人在{names.name_of(application.region_code)}没有{INSURANCE_NAMES[kind]}的参保记录"
            message += "（已转出的，由转入地出具）。"
            faults.append(Fault("never_insured", message, "/payload/insurance_kind"))
        printed = {
            f"{at}/name": personal_data(counter.protector, found).name,
            "/payload/household_place": payload.household_place or papers.address_of(counter, found),
            "/payload/household_type": payload.household_type,
        }
        return faults + await self._press.unprintable(printed)

    async def carry_out(self, desk: CaseDesk, case: Case, application: Form) -> Mapping[str, Any]:
        counter, payload = Desk.of_case(desk), application.payload
        key = counter.protector.blind_index(_person_of(application).credential.canonical)
        # Locked: what is certified is the record of one moment, months and balance together.
        person = await people.lock_person_by_key(desk.session, application.region_code, key)
        assert person is not None, "faults() has found the record, and none is ever deleted"
        kind = InsuranceKind(payload.insurance_kind)
        household = Household(payload.household_place, payload.household_type)
        document = await papers.issue_certificate(counter, self._press, case, person, kind, household)
        return {"document_id": str(document.id), "document_number": document.number}


def _person_of(application: Form) -> PersonBody:
    return application.payload.person or application.applicant


async def _find(desk: Desk, application: Form) -> Person | None:
    key = desk.protector.blind_index(_person_of(application).credential.canonical)
    return await people.find_person_by_key(desk.session, application.region_code, key)


def _faults_of_name(desk: Desk, person: Person, application: Form, at: str) -> list[Fault]:
    if personal_data(desk.protector, person).name == _person_of(application).name:
        return []
    message = "姓名与参保档案不一致，请核对；档案有误的，先办理参保信息变更。"
    return [Fault("name_differs", message, f"{at}/name")]
