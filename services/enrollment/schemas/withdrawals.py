"""Withdrawals and payout batches on the wire. Amounts in yuan with two decimals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from libs.casebook.cases import mask_name
from libs.casebook.schemas import Body, LongText
from libs.money.amounts import yuan_of
from services.enrollment.domain.payouts import (
    LINE_STATE_NAMES,
    STATE_NAMES,
    LineState,
    Outcome,
    State,
)
from services.enrollment.domain.withdrawals import REASON_NAMES, Payee, Reason
from services.enrollment.models import PayoutBatch, PayoutLine, Withdrawal
from services.enrollment.schemas.values import Day, Line, RegionCode, SignedYuan


class ConfirmPayeeBody(Body):
    """复核更正后的收款账户。"""

    payee_version: int = Field(ge=1, description="所复核的收款账户版本，见查询结果")


class ReturnBody(Body):
    """停止拨付，款项解冻退回个人账户。"""

    reason: LongText


class PayeeAnswer(BaseModel):
    """收款账户；未经授权时账号只显示末四位，户名只显示姓。"""

    account_kind: str
    account_no: str
    bank_name: str
    holder_name: str

    @classmethod
    def of(cls, payee: Payee, *, in_full: bool) -> PayeeAnswer:
        masked = "*" * (len(payee.account_no) - 4) + payee.account_no[-4:]
        return cls(
            account_kind=payee.kind,
            account_no=payee.account_no if in_full else masked,
            bank_name=payee.bank_name,
            holder_name=payee.holder_name if in_full else mask_name(payee.holder_name),
        )


class LineAnswer(BaseModel):
    """批次明细；不含收款账户。"""

    end_to_end_id: str
    batch_id: UUID
    case_no: str
    amount_yuan: SignedYuan
    state: LineState
    state_name: str
    bank_reference: str | None
    settled_on: dt.date | None
    failure_reason: str | None

    @classmethod
    def of(cls, line: PayoutLine) -> LineAnswer:
        state = LineState(line.state)
        return cls(
            end_to_end_id=line.end_to_end_id,
            batch_id=line.batch_id,
            case_no=line.case_no,
            amount_yuan=yuan_of(line.amount_fen),
            state=state,
            state_name=LINE_STATE_NAMES[state],
            bank_reference=line.bank_reference,
            settled_on=line.settled_on,
            failure_reason=line.failure_reason,
        )


class WithdrawalAnswer(BaseModel):
    """一次性支取的金额、收款账户、拨付状态和历次送盘。"""

    case_no: str
    region_code: str
    person_id: UUID
    reason: Reason
    reason_name: str
    amount_yuan: SignedYuan
    state: State
    state_name: str
    payee: PayeeAnswer
    payee_version: int
    lines: list[LineAnswer]

    @classmethod
    def of(
        cls, withdrawal: Withdrawal, payee: Payee, lines: Sequence[PayoutLine], *, in_full: bool
    ) -> WithdrawalAnswer:
        state, reason = State(withdrawal.state), Reason(withdrawal.reason)
        return cls(
            case_no=withdrawal.case_no,
            region_code=withdrawal.region_code,
            person_id=withdrawal.person_id,
            reason=reason,
            reason_name=REASON_NAMES[reason],
            amount_yuan=yuan_of(withdrawal.amount_fen),
            state=state,
            state_name=STATE_NAMES[state],
            payee=PayeeAnswer.of(payee, in_full=in_full),
            payee_version=withdrawal.payee_version,
            lines=[LineAnswer.of(line) for line in lines],
        )


class NewBatchBody(Body):
    """归集本统筹区全部待拨付的支取。"""

    region_code: RegionCode


class BatchAnswer(BaseModel):
    """拨付批次。"""

    id: UUID
    number: str
    region_code: str
    sent_on: dt.date
    sum_yuan: SignedYuan
    file_digest: str = Field(description="银行文件的SHA-256")
    lines: list[LineAnswer]

    @classmethod
    def of(cls, batch: PayoutBatch, lines: Sequence[PayoutLine]) -> BatchAnswer:
        return cls(
            id=batch.id,
            number=batch.number,
            region_code=batch.region_code,
            sent_on=batch.sent_on,
            sum_yuan=yuan_of(batch.sum_fen),
            file_digest=batch.file_digest,
            lines=[LineAnswer.of(line) for line in lines],
        )


class PaidBody(Body):
    """银行已支付。"""

    outcome: Literal["paid"]
    end_to_end_id: Line
    bank_reference: Line = Field(description="银行流水号")
    settled_on: Day

    def told(self) -> Outcome:
        return Outcome(self.end_to_end_id, LineState.PAID, self.bank_reference, self.settled_on)


class FailedBody(Body):
    """银行退回。"""

    outcome: Literal["failed"]
    end_to_end_id: Line
    reason: Line = Field(description="退回原因")
    settled_on: Day | None = None

    def told(self) -> Outcome:
        return Outcome(
            self.end_to_end_id, LineState.FAILED, settled_on=self.settled_on, failure_reason=self.reason
        )


class ResultsBody(Body):
    """银行回盘：可分多次，同一结果重报不重复记账。"""

    results: list[Annotated[PaidBody | FailedBody, Field(discriminator="outcome")]] = Field(
        min_length=1, max_length=1000
    )


class ResultsAnswer(BaseModel):
    """回盘登记的结果。"""

    paid: int
    failed: int
    repeated: int = Field(description="此前已登记的笔数")
    batch: BatchAnswer
