"""参保单位参保信息查询 (hubei-2022 item 七): a printed document about an employer and its people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.caseflow.applications import Application
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk
from libs.identifiers.credentials import CREDENTIAL_NAMES, masked
from libs.refusals.faults import Fault, not_found
from libs.regions import names
from services.enrollment.domain.employers import STATE_NAMES, EmployerState, no_employer
from services.enrollment.domain.kinds import INSURANCE_NAMES, PERSON_KIND_NAMES, InsuranceKind, PersonKind
from services.enrollment.domain.rules import rules
from services.enrollment.models import Employer
from services.enrollment.repository import employers as records
from services.enrollment.repository import enrolments
from services.enrollment.schemas.applications_employers import EmployerQueryPayload
from services.enrollment.service import employer_files, employers
from services.enrollment.service.businesses.employers import require_agent
from services.enrollment.service.desk import Desk
from services.enrollment.service.employer_files import Employed

DOCUMENT = "employer_insurance_record"
# About a hundred printed pages; larger employers read their people by the page.
MOST_LISTED = 5_000

Form = Application[EmployerQueryPayload]


class EmployerQuery(Business[EmployerQueryPayload]):
    """The document says what is on record on the day; nothing changes."""

    kind = "employer_query"
    operation = "enrollment.employer_query"

    def particulars(self, application: Form) -> Particulars:
        return Particulars()

    async def require_rights(self, desk: CaseDesk, application: Form) -> None:
        if desk.actor.kind == "citizen":
            require_agent(desk, await _employer(desk, application))

    async def faults(self, desk: CaseDesk, application: Form) -> list[Fault]:
        payload = application.payload
        employer = await _employer(desk, application)
        if employer is None:
            return [no_employer(payload.credit_code, "/payload/credit_code")]
        if not payload.with_people:
            return []
        count = await enrolments.count_active(desk.session, employer.id)
        if count <= MOST_LISTED:
            return []
        message = f"该单位在保{count}人次，超过可打印的{MOST_LISTED}人次，请分页查询，或不附人员名单。"
        return [Fault("too_many_to_print", message, "/payload/with_people")]

    async def carry_out(self, desk: CaseDesk, case: Case, application: Form) -> Mapping[str, Any]:
        counter = Desk.of_case(desk)
        employer = await _employer(desk, application)
        if employer is None:
            raise not_found("no_employer", "没有此单位。")
        content = await _content(counter, employer, with_people=application.payload.with_people)
        serial = await contents.next_number(desk.session, case.region_code, DOCUMENT, desk.today.year)
        number = f"{case.region_code}{desk.today.year}{serial:06d}"
        await contents.add_document(
            desk.session,
            case,
            desk.flow.protector,
            kind=DOCUMENT,
            number=number,
            title="参保单位参保信息",
            content=content,
            at=desk.now,
        )
        return {"document": number, "employer_id": str(employer.id)}


async def _employer(desk: CaseDesk, application: Form) -> Employer | None:
    code = application.payload.credit_code
    return (await records.find_by_codes(desk.session, application.region_code, [code])).get(code)


async def _content(desk: Desk, employer: Employer, *, with_people: bool) -> dict[str, Any]:
    """The document's content, labelled as it is printed."""
    particulars = employers.particulars_of(desk.protector, employer)
    counts = await records.counts_by_kind(desk.session, employer.id)
    content: dict[str, Any] = {
        "单位名称": employer.name,
        "统一社会信用代码": employer.credit_code,
        "单位性质": rules().natures[employer.nature].name if employer.nature else None,
        "参保地区": names.name_of(employer.region_code),
        "参保状态": STATE_NAMES[EmployerState(employer.state)],
        "参保日期": employer.insured_since and employer.insured_since.isoformat(),
        "通讯地址": particulars.get("address"),
        "法定代表人": particulars.get("legal_representative", {}).get("name"),
        "单位经办人员": particulars.get("agent", {}).get("name"),
        "查询日期": desk.today.isoformat(),
        "在保人次": [
            {
                "险种": INSURANCE_NAMES[InsuranceKind(kind)],
                "人员类别": PERSON_KIND_NAMES[PersonKind(person_kind)],
                "人数": count,
            }
            for kind, person_kind, count in counts
        ],
    }
    if with_people:
        found, _ = await employer_files.people_page(desk, employer, None, MOST_LISTED, active=True)
        content["在保人员"] = [_row(number, one) for number, one in enumerate(found, start=1)]
    return content


def _row(number: int, one: Employed) -> dict[str, Any]:
    """A row of the printed list; numbers are masked: paper goes from hand to hand."""
    return {
        "序号": number,
        "姓名": one.data.name,
        "证件类型": CREDENTIAL_NAMES[one.data.credential.type],
        "证件号码": masked(one.data.credential.number),
        "险种": INSURANCE_NAMES[InsuranceKind(one.enrolment.insurance_kind)],
        "人员类别": PERSON_KIND_NAMES[PersonKind(one.enrolment.person_kind)],
        "参保起始日期": one.enrolment.started_on.isoformat(),
    }
