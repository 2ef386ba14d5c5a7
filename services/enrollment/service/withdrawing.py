"""一次性支取 from its approval to its end: the hold, the account it goes to, the closing of the account."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from libs.casebook.cases import Case
from libs.caseflow import telling
from libs.caseflow.desk import CaseDesk
from libs.caseflow.stages import Stage
from libs.casework.lifecycle import Action
from libs.ledger import holds
from libs.ledger.accounts import balance, close_account
from libs.protection.fields import FieldProtector
from libs.refusals.faults import conflict, forbidden, not_found
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.payouts import LineState, State, moved
from services.enrollment.domain.purposes import withdrawal_hold_source
from services.enrollment.domain.withdrawals import Payee, Reason
from services.enrollment.models import PayoutLine, Person, Withdrawal
from services.enrollment.repository import enrolments, people, withdrawals
from services.enrollment.service import money

FUND = InsuranceKind.EMPLOYEE  # the only insurance with personal accounts (domain/kinds.py)


async def set_aside(desk: CaseDesk, case: Case, person: Person, reason: Reason, payee: Payee) -> None:
    """Approved: the whole balance as it is now is on hold, and nobody else takes it out.

    Raises Refusal (conflict) where another withdrawal was approved meanwhile, or the money is gone.
    """
    account = await money.personal_account(desk.session, person, FUND)
    amount_fen = (await balance(desk.session, account)).available_fen
    if amount_fen <= 0:
        raise conflict("nothing_to_withdraw", "个人账户没有可支取的余额。")
    withdrawal = Withdrawal(
        case_no=case.case_no,
        region_code=case.region_code,
        person_id=person.id,
        reason=reason.value,
        amount_fen=amount_fen,
        state=State.HELD.value,
        payee=seal(desk.flow.protector, case.region_code, case.case_no, payee),
        payee_version=1,
        payee_entered_by=case.entered_by,
        created_at=desk.now,
        changed_at=desk.now,
    )
    if not await withdrawals.add_withdrawal(desk.session, withdrawal):
        raise conflict("withdrawal_under_way", "该参保人的另一笔个人账户支取正在办理，不能重复支取。")
    await holds.place(
        desk.session,
        account_id=account,
        amount_fen=amount_fen,
        source_id=withdrawal_hold_source(case.case_no),
    )


async def checked(desk: CaseDesk, case: Case) -> None:
    """财务复核 passed; whoever did it does not send it to the bank."""
    withdrawal = await require_withdrawal(desk, case.case_no, lock=True)
    withdrawal.checked_by = desk.actor.subject


async def approved(desk: CaseDesk, case: Case) -> Withdrawal:
    """负责人审批 passed: the next batch takes it along."""
    withdrawal = await require_withdrawal(desk, case.case_no, lock=True)
    move(desk, withdrawal, State.PAYABLE)
    withdrawal.approved_by = desk.actor.subject
    return withdrawal


async def release(desk: CaseDesk, case: Case) -> None:
    """The case ended without payment: the money is the person's to use again."""
    withdrawal = await withdrawals.find_withdrawal(desk.session, case.case_no, lock=True)
    if withdrawal is None:
        return  # it ended before it was approved
    move(desk, withdrawal, State.RELEASED)
    await holds.release(desk.session, withdrawal_hold_source(case.case_no))


async def close(desk: CaseDesk, case: Case) -> Mapping[str, Any]:
    """Paid: the account is closed when nothing is on it and nobody is enrolled; told in the record.

    Money that came after the hold (a late contribution) stays on the account, which stays open for it.
    """
    withdrawal = await require_withdrawal(desk, case.case_no)
    if withdrawal.state != State.PAID:
        raise conflict("not_paid", "银行尚未支付，不能办结。")
    person = await people.find_person(desk.session, withdrawal.person_id)
    assert person is not None, "persons are never deleted"
    account = await money.personal_account(desk.session, person, FUND)
    left = await balance(desk.session, account)
    spells = await enrolments.spells_here(desk.session, person.id)
    is_insured = any(spell.is_active and spell.insurance_kind is FUND for spell in spells)
    closes = not left.balance_fen and not left.held_fen and not is_insured
    if closes:
        await close_account(desk.session, account)
    lines = await withdrawals.lines_of_case(desk.session, case.case_no)
    (paid,) = [line for line in lines if line.state == LineState.PAID]
    return {
        "amount_fen": withdrawal.amount_fen,
        "account_closed": closes,
        "left_fen": left.balance_fen,
        "end_to_end_id": paid.end_to_end_id,
        "bank_reference": paid.bank_reference,
    }


async def correct_payee(desk: CaseDesk, case: Case, payee: Payee) -> Withdrawal:
    """Another account after the bank sent the money back; a second officer confirms it before it is used."""
    withdrawal = await require_withdrawal(desk, case.case_no, lock=True)
    move(desk, withdrawal, State.CORRECTED)
    withdrawal.payee = seal(desk.flow.protector, withdrawal.region_code, case.case_no, payee)
    withdrawal.payee_version += 1
    withdrawal.payee_entered_by = desk.actor.subject
    await _note(desk, case, "更正收款账户", payee_version=withdrawal.payee_version)
    return withdrawal


async def confirm_payee(desk: CaseDesk, case: Case, payee_version: int) -> Withdrawal:
    """The corrected account is right: the next batch takes it along.

    Raises Refusal: forbidden to whoever entered it, conflict where another version stands by now.
    """
    withdrawal = await require_withdrawal(desk, case.case_no, lock=True)
    if State(withdrawal.state) is not State.CORRECTED:
        raise conflict("nothing_to_confirm", "没有待复核的收款账户。")
    if withdrawal.payee_entered_by == desk.actor.subject:
        raise forbidden("maker_checker", "收款账户由您录入，须由另一位工作人员复核。")
    if withdrawal.payee_version != payee_version:
        message = (
            f"收款账户已更正到第{withdrawal.payee_version}版，您复核的是第{payee_version}版，请重新核对。"
        )
        raise conflict("payee_changed", message)
    move(desk, withdrawal, State.PAYABLE)
    await _note(desk, case, "复核收款账户", payee_version=payee_version)
    return withdrawal


async def give_up(desk: CaseDesk, case: Case, reason: str) -> Withdrawal:
    """拨付退回: it is not paid after all, and the case ends. Raises Refusal while it is at the bank."""
    if case.stage != Stage.PAYMENT:
        raise conflict("stage", "尚未进入拨付；审核、审批环节请用“审核不通过”。")
    await release(desk, case)
    await desk.step(case, Action.REJECT, Stage.ENDED, name="拨付退回，款项退回个人账户", reason=reason)
    await telling.notify_applicant(desk, case, "not_completed", reason=reason)
    return await require_withdrawal(desk, case.case_no)


async def sent_back(desk: CaseDesk, case: Case, end_to_end_id: str, reason: str) -> None:
    """The bank did not pay: said in the record and to the applicant, who gives another account."""
    await _note(desk, case, "银行退回", reason=reason, end_to_end_id=end_to_end_id)
    told = f"银行退回（{reason}），请另行提供收款账户"
    await telling.notify_applicant(desk, case, "not_completed", reason=told)


async def require_withdrawal(desk: CaseDesk, case_no: str, *, lock: bool = False) -> Withdrawal:
    """The case's withdrawal. Raises Refusal (not found) before it is approved."""
    found = await withdrawals.find_withdrawal(desk.session, case_no, lock=lock)
    if found is None:
        raise not_found("no_withdrawal", f"办件{case_no}没有已审核通过的个人账户支取。")
    return found


async def lines_of(desk: CaseDesk, withdrawal: Withdrawal) -> Sequence[PayoutLine]:
    """All lines the withdrawal ever had, oldest first."""
    return await withdrawals.lines_of_case(desk.session, withdrawal.case_no)


def move(desk: CaseDesk, withdrawal: Withdrawal, reached: State) -> None:
    """The withdrawal comes to ``reached``. Raises Refusal (conflict) where it may not."""
    withdrawal.state = moved(State(withdrawal.state), reached).value
    withdrawal.changed_at = desk.now


def seal(protector: FieldProtector, region_code: str, case_no: str, payee: Payee) -> str:
    """The account as it stands in the tables."""
    text = json.dumps(asdict(payee), ensure_ascii=False)
    return protector.encrypt(text, _context(region_code, case_no))


def unseal(protector: FieldProtector, stored: Withdrawal | PayoutLine) -> Payee:
    """The account in clear text: handle with care, never log."""
    context = _context(stored.region_code, stored.case_no)
    return Payee(**json.loads(protector.decrypt(stored.payee, context)))


def _context(region_code: str, case_no: str) -> str:
    # Bound to the case: an account moved to another withdrawal does not open. A line takes its
    # withdrawal's ciphertext along, so the context is the same for both.
    return f"{region_code}/withdrawal.payee/{case_no}"


async def _note(desk: CaseDesk, case: Case, name: str, *, reason: str | None = None, **details: Any) -> None:
    await desk.step(case, Action.NOTE, Stage.PAYMENT, name=name, reason=reason, details=details)
