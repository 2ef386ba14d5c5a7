"""单位参保信息变更登记 (hubei-2022 item 四, form 4; yantai item 3 also cancels)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libs.casebook.cases import Case
from libs.caseflow.applications import Application
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk
from libs.catalogue.lookup import parameter
from libs.refusals.faults import Fault, conflict
from services.enrollment.domain.employers import (
    EmployerState,
    days_late,
    employer_known,
    in_future,
    no_employer,
    not_in_state,
    require_unchanged,
)
from services.enrollment.domain.rules import rules
from services.enrollment.models import Employer
from services.enrollment.repository import employers as records
from services.enrollment.schemas.applications_employers import EmployerChangePayload
from services.enrollment.service import employers, ending
from services.enrollment.service.businesses.employers import kinds_of_natures, nature_missing, require_agent
from services.enrollment.service.desk import Desk
from services.enrollment.service.employer_fields import form_fields, record_fields
from services.enrollment.service.ending import Ending
from services.enrollment.service.reconciling import told_of_arrears

AT = "/payload/changes"
_POINTERS = {
    "credit-code-or-employer-code": "/payload/credit_code",
    "employer-name": f"{AT}/name",
    "employer-address": f"{AT}/address",
    "employer-type": f"{AT}/nature",
    "bank-account": f"{AT}/bank_account",
    "legal-representative-name": f"{AT}/legal_representative",
    "legal-representative-credential": f"{AT}/legal_representative",
    "legal-representative-telephone": f"{AT}/legal_representative/telephone",
    "employer-agent-name": f"{AT}/agent",
    "employer-agent-telephone": f"{AT}/agent",
}
_KEY_NAMES = {
    "credit-code": "统一社会信用代码",
    "legal-representative": "法定代表人",
    "name": "单位名称",
}

Form = Application[EmployerChangePayload]


class EmployerChange(Business[EmployerChangePayload]):
    """Key information needs evidence and a second person; the rest is immediate."""

    kind = "employer_change"
    operation = "enrollment.employer_change"

    def particulars(self, application: Form) -> Particulars:
        payload = application.payload
        fields = {**form_fields(payload.changes), "credit-code-or-employer-code": payload.credit_code}
        return Particulars(kinds_of_natures(payload.changes.nature), fields=fields, pointers=_POINTERS)

    async def on_record(self, desk: CaseDesk, application: Form) -> Particulars:
        employer = await _employer(desk, application)
        if employer is None:
            return Particulars()
        kinds = kinds_of_natures(None if application.payload.changes.nature else employer.nature)
        if application.payload.deregistration is not None:
            return Particulars(kinds, fields=dict.fromkeys(_POINTERS, "见单位参保档案"))
        case_kinds = {"key_information_change"} if _key_changes(desk, application, employer) else set()
        return Particulars(kinds, frozenset(case_kinds), record_fields(desk, employer))

    async def require_rights(self, desk: CaseDesk, application: Form) -> None:
        if desk.actor.kind == "citizen":
            require_agent(desk, await _employer(desk, application))

    async def faults(self, desk: CaseDesk, application: Form) -> list[Fault]:
        payload = application.payload
        item = desk.flow.catalogues.item(application.region_code, application.item_key, desk.today).item
        employer = await _employer(desk, application)
        if employer is None:
            return [no_employer(payload.credit_code, "/payload/credit_code")]
        if employer.state == EmployerState.CANCELLED:
            return [not_in_state(employer.name, employer.state, employer.state_since, "/payload/credit_code")]
        found = nature_missing(item, payload.changes, employer, f"{AT}/nature")
        if payload.changed_on is not None:
            found += in_future(payload.changed_on, desk.today, "/payload/changed_on")
        if payload.deregistration is None:
            return found + await _faults_of_changes(desk, application, employer)
        if parameter(item, "change.includes_deregistration") is not True:
            message = "本地目录的变更登记不含注销，请按“单位参保登记”的注销登记办理。"
            return [*found, Fault("no_deregistration_here", message, "/payload/deregistration")]
        if any(value is not None for value in payload.changes.model_dump().values()):
            found.append(Fault("change_and_end", "办理注销的，不同时变更信息，请删除变更内容。", AT))
        return found + await ending.faults(Desk.of_case(desk), _ending(application))

    async def reasons_for_review(self, desk: CaseDesk, application: Form) -> list[str]:
        employer = await _employer(desk, application)
        if employer is None:
            return []
        keys = _key_changes(desk, application, employer)
        names = "、".join(_KEY_NAMES.get(key, key) for key in keys)
        reasons = [f"变更关键信息（{names}），须核对辅助材料并由另一人审核"] if keys else []
        changes = application.payload.changes
        if desk.actor.kind == "citizen" and (changes.agent or changes.bank_account):
            reasons.append("网上变更经办人员、银行账户，须由工作人员核对")
        if application.payload.deregistration is not None:
            reasons += await told_of_arrears(Desk.of_case(desk), [employer])
        return reasons

    async def carry_out(self, desk: CaseDesk, case: Case, application: Form) -> Mapping[str, Any]:
        payload, counter = application.payload, Desk.of_case(desk)
        if payload.deregistration is not None:
            return await ending.carry_out(counter, _ending(application))
        await records.find_by_codes(desk.session, application.region_code, _codes(application), lock=True)
        require_unchanged(await self.faults(desk, application))
        employer = await _employer(desk, application)
        assert employer is not None, "asked for before"
        keys = _key_changes(desk, application, employer)
        changes = payload.changes
        fields = await employers.change(counter, employer, changes.data(), credit_code=changes.credit_code)
        if not await records.flushed(desk.session):
            message = "该统一社会信用代码刚刚由其他单位登记，本次未作任何更改。"
            raise conflict("employer_known", message, [Fault("employer_known", message, f"{AT}/credit_code")])
        limit = parameter(desk.flow.item_of(case).item, "change.deadline_days")
        days = limit if isinstance(limit, int) else rules().deadline_days
        late = days_late(payload.changed_on, desk.today, days)
        remark = {"remark": f"自变更之日起超过{days}日申报，逾期{late}日"} if late else {}
        return {"employer_id": str(employer.id), "fields": fields, "key_fields": list(keys), **remark}


async def _employer(desk: CaseDesk, application: Form) -> Employer | None:
    code = application.payload.credit_code
    return (await records.find_by_codes(desk.session, application.region_code, [code])).get(code)


def _codes(application: Form) -> list[str]:
    payload = application.payload
    return [code for code in (payload.credit_code, payload.changes.credit_code) if code]


def _key_changes(desk: CaseDesk, application: Form, employer: Employer) -> Sequence[str]:
    """Which key information changes: the region's catalogue says what is key (``change.key_fields``)."""
    stated = desk.flow.catalogues.parameter_in_force(
        application.region_code, (EmployerChange.operation,), "change.key_fields", desk.today
    )
    keys = stated.value if stated else rules().employer_key_fields
    changed = _changed(desk, application, employer)
    return [key for key in keys if key in changed]


def _changed(desk: CaseDesk, application: Form, employer: Employer) -> frozenset[str]:
    changes = application.payload.changes
    found = set()
    if changes.credit_code not in (None, employer.credit_code):
        found.add("credit-code")
    if changes.name not in (None, employer.name):
        found.add("name")
    told = changes.legal_representative
    if told is not None:
        # Another telephone of the same person is no other legal representative.
        known = employers.particulars_of(desk.flow.protector, employer).get("legal_representative", {})
        who = ("name", "credential_type", "credential_no")
        if [told.model_dump(mode="json")[key] for key in who] != [known.get(key) for key in who]:
            found.add("legal-representative")
    return frozenset(found)


async def _faults_of_changes(desk: CaseDesk, application: Form, employer: Employer) -> list[Fault]:
    changes, found = application.payload.changes, []
    if not employers.differences(desk.flow.protector, employer, changes.data(), changes.credit_code):
        found.append(Fault("nothing_changed", "填写的内容与现登记信息一致，没有需要变更的事项。", AT))
    if changes.credit_code not in (None, employer.credit_code):
        code = changes.credit_code
        other = (await records.find_by_codes(desk.session, employer.region_code, [code])).get(code)
        if other is not None:
            found.append(employer_known(other.name, other.id, f"{AT}/credit_code"))
    return found


def _ending(application: Form) -> Ending:
    form = application.payload.deregistration
    assert form is not None, "asked before"
    return Ending(
        region_code=application.region_code,
        credit_code=application.payload.credit_code,
        state=EmployerState.CANCELLED,
        last_day=form.last_day,
        stop_people=form.stop_people,
        at="/payload/deregistration",
        code_at="/payload/credit_code",
    )
