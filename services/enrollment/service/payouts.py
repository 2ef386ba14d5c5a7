"""Payout batches: what is to be paid goes to the bank together, and what the bank answers is taken once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.casebook import contents
from libs.casebook.cases import Case, fact_key
from libs.caseflow import deciding
from libs.caseflow.desk import CaseDesk
from libs.ledger import holds
from libs.ledger.accounts import AccountKind
from libs.ledger.posting import Posting
from libs.refusals.faults import conflict, not_found
from services.enrollment.domain.payout_file import (
    FileLine,
    PayoutFile,
    batch_number,
    end_to_end_id,
    payout_file,
)
from services.enrollment.domain.payouts import RULE_CASHIER, LineState, Outcome, State, judge
from services.enrollment.domain.purposes import Purpose, withdrawal_hold_source, withdrawal_source
from services.enrollment.domain.rules import rules
from services.enrollment.models import PayoutBatch, PayoutLine, Withdrawal
from services.enrollment.repository import people, withdrawals
from services.enrollment.service import money, withdrawing
from services.enrollment.service.withdrawing import FUND

_COUNTER = "payout_batch"


@dataclass(frozen=True)
class Batch:
    """A batch and its lines in the file's order."""

    batch: PayoutBatch
    lines: Sequence[PayoutLine]


@dataclass(frozen=True)
class Settled:
    """What came of the bank's answers: how many lines were paid, failed, known before."""

    batch: Batch
    paid: int
    failed: int
    repeated: int


async def create_batch(desk: CaseDesk, region_code: str) -> Batch:
    """Collect what is to be paid in a region, up to rules.yaml's most lines.

    The cashier takes along nothing they checked or approved themselves. Raises Refusal (conflict) where
    there is nothing (more) to collect.
    """
    at_most, cashier = rules().withdrawals.batch_lines, desk.actor.subject
    chosen = await withdrawals.take_payable(desk.session, region_code, cashier=cashier, at_most=at_most)
    if not chosen:
        raise await _nothing_to_pay(desk, region_code)
    serial = await contents.next_number(desk.session, region_code, _COUNTER, desk.today.year)
    number = batch_number(region_code, desk.today.year, serial)
    batch = PayoutBatch(
        id=uuid7(),
        region_code=region_code,
        number=number,
        sent_on=desk.today,
        lines=len(chosen),
        sum_fen=sum(withdrawal.amount_fen for withdrawal in chosen),
        created_by=cashier,
        created_at=desk.now,
    )
    lines = [_line(batch, ordinal, withdrawal) for ordinal, withdrawal in enumerate(chosen, start=1)]
    batch.file_digest = _file(desk, batch, lines).digest
    desk.session.add(batch)
    await desk.session.flush()  # the lines refer to it
    desk.session.add_all(lines)
    for withdrawal in chosen:
        withdrawing.move(desk, withdrawal, State.SENT)
    await desk.session.flush()
    return Batch(batch, lines)


async def read_batch(desk: CaseDesk, batch_id: UUID, *, lock: bool = False) -> Batch:
    """A batch. Raises Refusal (not found), for foreign regions' too."""
    batch = await withdrawals.find_batch(desk.session, batch_id)
    if batch is None:
        raise not_found("no_batch", "没有此拨付批次，或不在您可办理的统筹区内。")
    return Batch(batch, await withdrawals.lines_of_batch(desk.session, batch_id, lock=lock))


async def file_of(desk: CaseDesk, batch_id: UUID) -> tuple[PayoutBatch, PayoutFile]:
    """The file as it went to the bank, made again from the lines: the same bytes. Raises Refusal."""
    found = await read_batch(desk, batch_id)
    file = _file(desk, found.batch, found.lines)
    if file.digest != found.batch.file_digest:
        raise conflict("file_changed", "批次明细与送盘时的摘要不一致，不能出盘；请立即核查。")
    return found.batch, file


async def settle(desk: CaseDesk, batch_id: UUID, told: Sequence[Outcome]) -> Settled:
    """Take the bank's answers, each once: paid is booked and completes the case, failed goes back to it.

    Raises Refusal with every fault at once (domain/payouts.py): then nothing is taken.
    """
    found = await read_batch(desk, batch_id, lock=True)
    lines = {line.end_to_end_id: line for line in found.lines}
    known = {key: _outcome(line) for key, line in lines.items()}
    verdict = judge(told, known, sent_on=found.batch.sent_on, today=desk.today)
    cases = await _open_cases(desk, [lines[outcome.end_to_end_id] for outcome in verdict.fresh])
    paid = [outcome for outcome in verdict.fresh if outcome.state is LineState.PAID]
    failed = [outcome for outcome in verdict.fresh if outcome.state is LineState.FAILED]
    for outcome in verdict.fresh:
        await _take(desk, lines[outcome.end_to_end_id], outcome)
    await _book(desk, [lines[outcome.end_to_end_id] for outcome in paid])
    await desk.session.flush()
    for case_no, case in cases.items():
        await _tell(desk, case, next(line for line in found.lines if line.case_no == case_no))
    return Settled(found, len(paid), len(failed), verdict.repeated)


async def _open_cases(desk: CaseDesk, lines: Sequence[PayoutLine]) -> Mapping[str, Case]:
    """Their cases, locked, in the order of the applicants' facts: no two messages wait in a circle."""
    seen = [await desk.flow.casebook.load(desk.session, line.case_no) for line in lines]
    seen.sort(key=lambda case: (fact_key(case.region_code, case.subject_key), case.case_no))
    return {case.case_no: await desk.open(case.case_no) for case in seen}


async def _take(desk: CaseDesk, line: PayoutLine, outcome: Outcome) -> None:
    line.state, line.answered_at = outcome.state.value, desk.now
    line.bank_reference, line.settled_on = outcome.bank_reference, outcome.settled_on
    line.failure_reason = outcome.failure_reason
    withdrawal = await withdrawing.require_withdrawal(desk, line.case_no, lock=True)
    reached = State.PAID if outcome.state is LineState.PAID else State.FAILED
    withdrawing.move(desk, withdrawal, reached)


async def _book(desk: CaseDesk, lines: Sequence[PayoutLine]) -> None:
    """All payouts of a message in one posting: accounts are locked in the ledger's order."""
    if not lines:
        return
    bank = await money.fund_account(desk.session, lines[0].region_code, FUND.value, AccountKind.BANK_MIRROR)
    captures = {withdrawal_hold_source(line.case_no): await _payout(desk, line, bank) for line in lines}
    await holds.capture_many(desk.session, captures)


async def _payout(desk: CaseDesk, line: PayoutLine, bank: UUID) -> Posting:
    withdrawal = await withdrawing.require_withdrawal(desk, line.case_no)
    person = await people.find_person(desk.session, withdrawal.person_id)
    assert person is not None, "persons are never deleted"
    assert line.settled_on is not None, "a paid line has its date"
    step = money.Step(
        source_id=withdrawal_source(line.case_no),
        region_code=line.region_code,
        purpose=Purpose.WITHDRAWAL_PAID,
        occurred_on=line.settled_on,
        amount_fen=line.amount_fen,
    )
    account = await money.personal_account(desk.session, person, FUND)
    return step.posting(from_account=account, to_account=bank)


async def _tell(desk: CaseDesk, case: Case, line: PayoutLine) -> None:
    if line.state == LineState.PAID:
        await deciding.complete(desk, case)
    else:
        assert line.failure_reason is not None, "a failed line has its reason"
        await withdrawing.sent_back(desk, case, line.end_to_end_id, line.failure_reason)


async def _nothing_to_pay(desk: CaseDesk, region_code: str) -> Exception:
    if await withdrawals.has_payable(desk.session, region_code):
        message = "待拨付的支取都由您复核或审批，或正由他人归集；须由另一位财务人员归集送盘。"
        return conflict("own_checks", f"{message}（{RULE_CASHIER}）")
    return conflict("nothing_to_pay", "没有待拨付的个人账户支取。")


def _line(batch: PayoutBatch, ordinal: int, withdrawal: Withdrawal) -> PayoutLine:
    return PayoutLine(
        end_to_end_id=end_to_end_id(batch.number, ordinal),
        region_code=batch.region_code,
        batch_id=batch.id,
        case_no=withdrawal.case_no,
        ordinal=ordinal,
        amount_fen=withdrawal.amount_fen,
        payee=withdrawal.payee,
        state=LineState.SENT.value,
    )


def _file(desk: CaseDesk, batch: PayoutBatch, lines: Sequence[PayoutLine]) -> PayoutFile:
    told = [
        FileLine(line.end_to_end_id, withdrawing.unseal(desk.flow.protector, line), line.amount_fen)
        for line in lines
    ]
    return payout_file(batch.number, batch.region_code, batch.sent_on, told)


def _outcome(line: PayoutLine) -> Outcome:
    return Outcome(
        line.end_to_end_id,
        LineState(line.state),
        line.bank_reference,
        line.settled_on,
        line.failure_reason,
    )
