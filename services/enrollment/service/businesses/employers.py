"""单位参保登记: new, suspend, deregister, split, merge, separate (hubei-2022 item 一, form 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.casebook.cases import Case
from libs.caseflow.applications import Application
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk
from libs.catalogue.lookup import parameter
from libs.catalogue.schema import ServiceItem
from libs.refusals.faults import Fault, conflict, forbidden
from services.enrollment.domain.employers import (
    REGISTRATION_NAMES,
    EmployerState,
    RegistrationKind,
    employer_known,
)
from services.enrollment.domain.rules import rules
from services.enrollment.models import Employer
from services.enrollment.repository import employers as records
from services.enrollment.schemas.applications_employers import (
    Deregistration,
    EmployerRegistrationPayload,
    NewRegistration,
    Suspension,
)
from services.enrollment.schemas.employers import EmployerDetails
from services.enrollment.service import ending, joining, succeeding
from services.enrollment.service.desk import Desk
from services.enrollment.service.employer_fields import form_fields, record_fields
from services.enrollment.service.ending import Ending
from services.enrollment.service.reconciling import told_of_arrears

AT = "/payload/registration"
# Kinds that end employers: what they owe is looked at before (本系统约定).
_ENDS = (RegistrationKind.DEREGISTER, RegistrationKind.MERGE, RegistrationKind.SPLIT)
# What else stands in the record need not be written down again to end or to divide it.
_ON_RECORD = "见单位参保档案"

Form = Application[EmployerRegistrationPayload]


class EmployerRegistration(Business[EmployerRegistrationPayload]):
    """Six kinds of registration; each says what becomes of the employees."""

    kind = "employer_registration"
    operation = "enrollment.employer_registration"
    system_scope = "enrollment.joint_registration"

    def particulars(self, application: Form) -> Particulars:
        form = application.payload.registration
        told = {
            "registration-type": REGISTRATION_NAMES[form.registration_kind],
            "participation-region": application.region_code,
        }
        if isinstance(form, NewRegistration):
            day = form.insured_since and form.insured_since.isoformat()
            fields = {**form_fields(form), "credit-code": form.credit_code, "participation-date": day}
            return Particulars(kinds_of_natures(form.nature), fields=told | fields, pointers=_pointers(AT))
        codes = "、".join(_old_codes(application))
        return Particulars(fields={**told, "credit-code": codes}, pointers=_pointers(AT))

    async def on_record(self, desk: CaseDesk, application: Form) -> Particulars:
        form = application.payload.registration
        if isinstance(form, NewRegistration):
            known = (await _known(desk, application)).get(form.credit_code)
            return Particulars(_kinds_of(known), fields=record_fields(desk, known) if known else {})
        if isinstance(form, (Suspension, Deregistration)):
            known = (await _known(desk, application)).get(form.credit_code)
            return Particulars(_kinds_of(known), fields=dict.fromkeys(_pointers(AT), _ON_RECORD))
        return await self._of_successors(desk, application)

    async def _of_successors(self, desk: CaseDesk, application: Form) -> Particulars:
        """New successors are registered by this form: each must say what a new employer says."""
        form = application.payload.registration
        assert not isinstance(form, (NewRegistration, Suspension, Deregistration))
        parties = await succeeding.parties_of(Desk.of_case(desk), application.region_code, form)
        fresh = [one for one in succeeding.successors_of(form) if one.credit_code not in parties.successors]
        fields: dict[str, object] = dict.fromkeys(_pointers(AT), _ON_RECORD)
        fields["participation-date"] = form.effective_on.isoformat()
        for one in fresh:
            fields |= {key: None for key, value in form_fields(one).items() if not value}
        place = "successor" if form.registration_kind is RegistrationKind.MERGE else "successors"
        kinds = (
            kinds_of_natures(*(one.nature for one in fresh)) if fresh else _kinds_of(*parties.predecessors)
        )
        return Particulars(kinds, fields=fields, pointers=dict.fromkeys(_pointers(AT), f"{AT}/{place}"))

    async def require_rights(self, desk: CaseDesk, application: Form) -> None:
        form = application.payload.registration
        if desk.actor.kind == "system":
            await _require_joint(desk, application)
            return
        if desk.actor.kind != "citizen":
            return
        known = await _known(desk, application)
        for code in _old_codes(application):
            employer = known.get(code)
            if employer is None and isinstance(form, NewRegistration):
                continue
            require_agent(desk, employer)

    async def faults(self, desk: CaseDesk, application: Form) -> list[Fault]:
        form, region_code = application.payload.registration, application.region_code
        item = desk.flow.catalogues.item(region_code, application.item_key, desk.today).item
        found = _not_offered(item, form.registration_kind)
        if found:
            return found
        counter = Desk.of_case(desk)
        if isinstance(form, NewRegistration):
            found = await joining.faults(counter, region_code, form)
            known = (await _known(desk, application)).get(form.credit_code)
            return found + nature_missing(item, form, known, f"{AT}/nature")
        if isinstance(form, (Suspension, Deregistration)):
            return await ending.faults(counter, _ending(region_code, form))
        found = await succeeding.faults(counter, region_code, form)
        parties = await succeeding.parties_of(counter, region_code, form)
        for place, one in enumerate(succeeding.successors_of(form)):
            if one.credit_code not in parties.successors:
                found += nature_missing(item, one, None, f"{succeeding.at_successor(form, place)}/nature")
        return found

    async def reasons_for_review(self, desk: CaseDesk, application: Form) -> list[str]:
        form = application.payload.registration
        reasons = []
        if isinstance(form, NewRegistration):
            known = (await _known(desk, application)).get(form.credit_code)
            if known is None and desk.actor.kind == "citizen":
                reasons.append("网上新参保登记，经办人员的授权须由工作人员核对")
            if known is not None and known.state == EmployerState.CANCELLED:
                reasons.append(f"该单位已注销（自{known.state_since}起），重新参保须由工作人员核对")
            account = form.bank_account
            if account is not None and account.account_name != form.name:
                # hubei-2022 L194: 非本人账户提供相关材料.
                reasons.append("银行账户户名与单位名称不一致，须核对相关材料")
        elif desk.actor.kind == "citizen" and not isinstance(form, (Suspension, Deregistration)):
            reasons.append("拆分、合并、分立涉及其他单位，各单位的意愿须由工作人员核对")
        if form.registration_kind in _ENDS:
            ending_here = (await _known(desk, application)).values()
            reasons += await told_of_arrears(Desk.of_case(desk), list(ending_here))
        return reasons

    async def carry_out(self, desk: CaseDesk, case: Case, application: Form) -> Mapping[str, Any]:
        form, counter = application.payload.registration, Desk.of_case(desk)
        region_code = application.region_code
        if isinstance(form, NewRegistration):
            deadline = parameter(desk.flow.item_of(case).item, "registration.deadline_days")
            days = deadline if isinstance(deadline, int) else rules().deadline_days
            return await joining.carry_out(counter, region_code, form, days)
        if isinstance(form, (Suspension, Deregistration)):
            return await ending.carry_out(counter, _ending(region_code, form))
        return await succeeding.carry_out(counter, region_code, form, case.case_no)


def require_agent(desk: CaseDesk, employer: Employer | None) -> None:
    """A citizen acts for the employer whose 单位经办人员 they are. Raises Refusal (forbidden)."""
    if employer is None or employer.agent_key != desk.actor.subject:
        raise forbidden("not_agent", "您不是该单位登记的经办人员，不能为该单位申请。")


def nature_missing(
    item: ServiceItem, form: EmployerDetails, known: Employer | None, pointer: str
) -> list[Fault]:
    """Where the materials depend on what the employer is (烟台 items 1, 3), it must be told."""
    depends = any(material.when.person_kind for material in item.materials)
    if not depends or form.nature or (known and known.nature):
        return []
    message = "本地所需材料因单位性质而不同，请填写单位性质。"
    return [Fault("missing_field", message, pointer)]


def kinds_of_natures(*natures: str | None) -> frozenset[str]:
    """The catalogue's kinds of these 单位性质."""
    return frozenset(rules().natures[nature].person_kind for nature in natures if nature)


def _kinds_of(*employers: Employer | None) -> frozenset[str]:
    return kinds_of_natures(*(employer.nature for employer in employers if employer))


def _pointers(at: str) -> dict[str, str]:
    """Where the form has the item's required fields."""
    places = {
        "registration-type": "registration_kind",
        "credit-code": "credit_code",
        "employer-nature": "nature",
        "postal-address": "address",
        "legal-representative": "legal_representative",
        "bank-account": "bank_account",
        "insurance-kinds": "insurance_kinds",
        "participation-date": "insured_since",
        "employer-agent": "agent",
    }
    return {key: f"{at}/{place}" for key, place in places.items()}


def _old_codes(application: Form) -> list[str]:
    """Credit codes of the employers the form is about, successors aside."""
    form = application.payload.registration
    if isinstance(form, (NewRegistration, Suspension, Deregistration)):
        return [form.credit_code]
    return list(succeeding.predecessors_of(form))


async def _known(desk: CaseDesk, application: Form) -> dict[str, Employer]:
    return await records.find_by_codes(desk.session, application.region_code, _old_codes(application))


async def _require_joint(desk: CaseDesk, application: Form) -> None:
    """What other departments' systems may send: new employers, each once. Raises Refusal."""
    if application.channel != "joint_registration":
        raise forbidden("channel", "业务系统只能以联办登记（joint_registration）渠道申请。")
    if not isinstance(application.payload.registration, NewRegistration):
        raise forbidden("kind", "联办登记只受理新参保登记。")
    for employer in (await _known(desk, application)).values():
        if employer.state == EmployerState.ACTIVE:
            # No second case that nobody would ever supplement: the department is told at once.
            fault = employer_known(employer.name, employer.id)
            raise conflict(fault.code, fault.message, [fault])


def _not_offered(item: ServiceItem, kind: RegistrationKind) -> list[Fault]:
    offered = parameter(item, "registration.kinds")
    if not isinstance(offered, list) or kind.value in offered:
        return []
    names = "、".join(REGISTRATION_NAMES[RegistrationKind(one)] for one in offered)
    message = f"本地目录的登记类型为：{names}；没有“{REGISTRATION_NAMES[kind]}”。"
    return [Fault("kind_not_offered", message, f"{AT}/registration_kind")]


def _ending(region_code: str, form: Suspension | Deregistration) -> Ending:
    cancels = isinstance(form, Deregistration)
    return Ending(
        region_code=region_code,
        credit_code=form.credit_code,
        state=EmployerState.CANCELLED if cancels else EmployerState.SUSPENDED,
        last_day=form.last_day,
        stop_people=form.stop_people if isinstance(form, Deregistration) else True,
        at=AT,
        code_at=f"{AT}/credit_code",
    )
