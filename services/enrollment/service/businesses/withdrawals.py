"""个人账户一次性支取, from the application to the payment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from libs.casebook.cases import Case
from libs.casebook.schemas import PersonBody
from libs.caseflow.applications import Application
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk
from libs.caseflow.stages import WITH_PAYMENT, Stage
from libs.catalogue.schema import ServiceItem
from libs.refusals.faults import Fault, conflict, invalid
from services.enrollment.domain import transfers as transfer_rules
from services.enrollment.domain import withdrawals as rules
from services.enrollment.domain.deaths import Source
from services.enrollment.domain.stops import StopReason
from services.enrollment.domain.transfers import OpenTransfer, Side
from services.enrollment.domain.withdrawals import OF_DEATH, Heir, Payee, Standing, Wish
from services.enrollment.models import Person
from services.enrollment.repository import enrolments, months, people, transfers, withdrawals
from services.enrollment.schemas.applications_withdrawals import AccountWithdrawalPayload, HeirBody
from services.enrollment.service import deaths, enrolling, money, withdrawing
from services.enrollment.service.deaths import Told
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import personal_data
from services.enrollment.service.withdrawing import FUND

Form = Application[AccountWithdrawalPayload]

# What an edition may ask for as evidence of a death that data sharing does not know.
DEATH_EVIDENCE = frozenset({"death-certificate", "death-commitment"})


class AccountWithdrawal(Business[AccountWithdrawalPayload]):
    """The whole balance is paid out once: reviewed, checked by finance, approved by the chief, then paid."""

    kind = "account_withdrawal"
    operation = "enrollment.account_withdrawal"

    def particulars(self, application: Form) -> Particulars:
        payload, person = application.payload, _person_of(application)
        of_death = payload.reason in OF_DEATH
        payee, heir = payload.payee, _representative(application)
        receiver: PersonBody | None = heir if of_death else application.applicant
        case_kinds = {"death" if of_death else payload.reason.value}
        if payee is not None and payee.holder_name != person.name:
            case_kinds.add("other_persons_account")
        return Particulars(
            person_kinds=frozenset({"heir"} if of_death else ()),
            case_kinds=frozenset(case_kinds),
            fields={
                "name": person.name,
                "credential": person.credential_no,
                "withdrawal-reason": payload.reason.value,
                "employer-name": payload.employer_name,
                "bank-account": payee and payee.account_no,
                "payee-name": receiver and receiver.name,
                "payee-credential": receiver and receiver.credential_no,
                "payee-relationship": (heir and heir.relation) if of_death else "本人",
                "payee-telephone": receiver and receiver.telephone,
            },
            pointers=_pointers(application, heir),
        )

    async def faults(self, desk: CaseDesk, application: Form) -> list[Fault]:
        wish, item = wish_of(application), _item(desk, application)
        faults = rules.faults_of_form(wish, item, desk.today)
        if not _may_learn(desk, application):
            return faults
        person, found = await _find_person(desk, application)
        if person is None:
            return faults + found
        standing = await _standing(desk, person)
        faults += rules.faults_of_standing(wish, standing, desk.today)
        if wish.reason in OF_DEATH and standing.deceased_on is None:
            faults += _faults_of_evidence(application, item)
        return faults

    async def obtained(self, desk: CaseDesk, application: Form) -> frozenset[str]:
        """A death learned already needs no paper (hubei L2400, zaozhuang L920)."""
        if not _may_learn(desk, application):
            return DEATH_EVIDENCE  # whether it is needed the officer sees
        person, _ = await _find_person(desk, application)
        known = person is not None and person.deceased_on is not None
        return DEATH_EVIDENCE if known else frozenset()

    async def reasons_for_review(self, desk: CaseDesk, application: Form) -> list[str]:
        # 即时办结 (Shandong) is the day it is due, not a payment without finance and chief (domain.md §2).
        return ["资金支付须经审核、财务复核和负责人审批"]

    def steps(self, application: Form) -> tuple[Stage, ...]:
        return WITH_PAYMENT

    async def reached(self, desk: CaseDesk, case: Case, application: Form, stage: Stage) -> None:
        if stage is Stage.FINANCE_CHECK:
            person = await _require_person(desk, application, case)
            payee = application.payload.payee
            assert payee is not None, "faults were asked before"
            await withdrawing.set_aside(desk, case, person, application.payload.reason, payee.payee())
        elif stage is Stage.CHIEF_APPROVAL:
            await withdrawing.checked(desk, case)
        elif stage is Stage.PAYMENT:
            await withdrawing.approved(desk, case)
            await _end_insurance(desk, case, application)

    async def ended_without(self, desk: CaseDesk, case: Case, application: Form) -> None:
        await withdrawing.release(desk, case)

    async def carry_out(self, desk: CaseDesk, case: Case, application: Form) -> Mapping[str, Any]:
        return await withdrawing.close(desk, case)


def _may_learn(desk: CaseDesk, application: Form) -> bool:
    """Whether the one at the desk may be told how the person stands.

    Whoever signs in and names another is no heir yet: an officer judges that first, then asks the records.
    """
    own = application.applicant.credential == _person_of(application).credential
    return desk.actor.kind != "citizen" or own


def wish_of(application: Form) -> Wish:
    """The form as the rules see it."""
    payload, person = application.payload, _person_of(application)
    return Wish(
        reason=payload.reason,
        person_name=person.name,
        person_credential=person.credential.canonical,
        applicant=application.applicant.credential.canonical,
        payee=payload.payee.payee() if payload.payee else None,
        explanation=payload.explanation,
        died_on=payload.died_on,
        heirs=[
            Heir(heir.name, heir.credential.canonical, heir.agrees, heir.is_representative)
            for heir in payload.heirs
        ],
        has_waiver=payload.waiver is not None,
    )


def require_payee(desk: CaseDesk, case: Case, payee: Payee) -> None:
    """Another account obeys the same rules as the first. Raises Refusal (invalid) with every fault."""
    application: Form = desk.flow.application_of(case)
    faults = rules.faults_of_payee(wish_of(application), payee, desk.flow.item_of(case).item)
    if faults:
        moved = [replace(fault, pointer=fault.pointer.removeprefix("/payload/payee")) for fault in faults]
        raise invalid("payee", f"收款账户有{len(moved)}处不符合规定，本次未作任何更改。", moved)


async def _end_insurance(desk: CaseDesk, case: Case, application: Form) -> None:
    """What the decision means for the insurance, once the chief has approved: only the bank is left to come.

    Not at the payment: contributions between the two would come onto an account that is being closed.
    """
    counter, person = Desk.of_case(desk), await _require_person(desk, application, case)
    payload = application.payload
    if payload.reason in OF_DEATH and person.deceased_on is None:
        assert payload.died_on is not None, "faults were asked before"
        credential = _person_of(application).credential
        told = Told(credential, payload.died_on, Source.WITHDRAWAL, "一次性支取", case.case_no)
        await deaths.learn(counter, person, told)
    for spell in rules.stops_with(
        wish_of(application), await enrolments.spells_here(desk.session, person.id)
    ):
        await enrolling.stop(counter, deaths.key_of(spell.enrolment_id), desk.today, StopReason.GAVE_UP)


async def _standing(desk: CaseDesk, person: Person) -> Standing:
    session = desk.session
    own_fen, other_case_no = await _open_withdrawal(desk, person)
    balance = await money.balance_of(session, person, FUND)
    leaving = await transfers.transfers_in(
        session, person.region_code, person.person_key, [FUND.value], transfer_rules.OPEN
    )
    return Standing(
        birth_date=person.birth_date,
        deceased_on=person.deceased_on,
        spells=await enrolments.spells_here(session, person.id),
        free_fen=balance.available_fen + own_fen,
        held_fen=balance.held_fen - own_fen,
        open_transfers=[
            OpenTransfer(row.case_no, Side(row.side), row.counterpart_region_code) for row in leaving
        ],
        other_case_no=other_case_no,
        paid_months=await months.own_months(session, person.id, FUND),
    )


async def _open_withdrawal(desk: CaseDesk, person: Person) -> tuple[int, str | None]:
    """What this case holds itself (fen), and the number of another case that is open."""
    standing = await withdrawals.open_withdrawal_of(desk.session, person.id)
    if standing is None:
        return 0, None
    if desk.case is not None and standing.case_no == desk.case.case_no:
        return standing.amount_fen, None
    return 0, standing.case_no


async def _find_person(
    desk: CaseDesk, application: Form, case: Case | None = None
) -> tuple[Person | None, list[Fault]]:
    """The insured person here. Whoever cannot name them rightly learns nothing about them."""
    case = case or desk.case
    approved = case and await withdrawals.find_withdrawal(desk.session, case.case_no)
    if approved:
        # Identified when it was approved. Credential and name may change since; a merge waits for the end.
        return await people.find_record(desk.session, approved.person_id), []
    told = _person_of(application)
    at = "/payload/person" if application.payload.person else "/applicant"
    key = desk.flow.protector.blind_index(told.credential.canonical)
    person = await people.find_person_by_key(desk.session, application.region_code, key)
    if person is None or personal_data(desk.flow.protector, person).name != told.name:
        message = "本地没有与该姓名和证件号码相符的参保档案，请核对。"
        return None, [Fault("no_person", message, f"{at}/credential_no")]
    return person, []


async def _require_person(desk: CaseDesk, application: Form, case: Case) -> Person:
    """The person, locked. Raises Refusal (conflict) where the record changed under another name meanwhile."""
    person, faults = await _find_person(desk, application, case)
    locked = await people.lock_person(desk.session, person.id) if person else None
    while locked is not None and locked.merged_into is not None:  # while we waited for it
        locked = await people.lock_person(desk.session, locked.merged_into)
    if locked is None:
        raise conflict("no_person", faults[0].message, faults)
    return locked


def _faults_of_evidence(application: Form, item: ServiceItem) -> list[Fault]:
    """What proves a death that nobody has told yet; that the paper is there the item's materials see to."""
    asked = {material.key for material in item.materials} & DEATH_EVIDENCE
    if not asked:
        message = "数据共享未查到死亡信息，本地目录也没有以材料证明的规定；请先登记死亡信息再申请。"
        return [Fault("death_unknown", message, "/payload/died_on")]
    by_commitment = any(
        material.key in DEATH_EVIDENCE and material.source == "commitment"
        for material in application.materials
    )
    if "death-commitment" not in asked and not by_commitment:
        return []
    if application.payload.death_commitment is not None:
        return []
    message = "数据共享未查到死亡信息，以个人承诺书代替死亡证明的，请填写个人承诺书。"
    return [Fault("death_commitment", message, "/payload/death_commitment")]


def _person_of(application: Form) -> PersonBody:
    return application.payload.person or application.applicant


def _representative(application: Form) -> HeirBody | None:
    return next((heir for heir in application.payload.heirs if heir.is_representative), None)


def _pointers(application: Form, heir: HeirBody | None) -> dict[str, str]:
    person = "/payload/person" if application.payload.person else "/applicant"
    receiver = "/applicant"
    if application.payload.reason in OF_DEATH:
        place = application.payload.heirs.index(heir) if heir else None
        receiver = "/payload/heirs" if place is None else f"/payload/heirs/{place}"
    return {
        "name": f"{person}/name",
        "credential": f"{person}/credential_no",
        "withdrawal-reason": "/payload/reason",
        "employer-name": "/payload/employer_name",
        "bank-account": "/payload/payee",
        "payee-name": f"{receiver}/name",
        "payee-credential": f"{receiver}/credential_no",
        "payee-relationship": f"{receiver}/relation",
        "payee-telephone": f"{receiver}/telephone",
    }


def _item(desk: CaseDesk, application: Form) -> ServiceItem:
    """The item in force when it was applied for."""
    on = desk.case.submitted_on if desk.case else desk.today
    return desk.flow.catalogues.item(application.region_code, application.item_key, on).item
