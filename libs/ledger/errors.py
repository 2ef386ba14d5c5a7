"""What the ledger refuses, with stable codes; the database's own refusals translated to them.

::

    LedgerRefusal
    ├── AccountNotFound, AccountClosed, AccountNotEmpty
    ├── InvalidPosting, Unbalanced, InsufficientFunds
    ├── SourceConflict, TransactionNotFound, ReversalRefused, AlreadyReversed
    ├── HoldNotFound, HoldEnded, HoldMismatch
    ├── RecordImmutable, OutsideRegion
    └── LedgerBusy

After a refusal by the database the transaction is void and can only be rolled back (or taken
back to a savepoint the caller set before).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from sqlalchemy.exc import DBAPIError

from libs.refusals.faults import Refusal, RefusalKind


class LedgerRefusal(Refusal):
    """Base of all. ``message`` is Chinese, for people; ``detail`` is English, for the log."""

    refusal_kind: ClassVar[RefusalKind] = RefusalKind.CONFLICT
    refusal_code: ClassVar[str]
    sentence: ClassVar[str]

    def __init__(self, detail: str = "") -> None:
        super().__init__(self.refusal_kind, self.refusal_code, self.sentence)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.refusal_code}: {self.detail or self.sentence}"


class AccountNotFound(LedgerRefusal):
    refusal_kind = RefusalKind.NOT_FOUND
    refusal_code = "ledger_account_not_found"
    sentence = "账户不存在，或不在可办理的统筹区内。"


class AccountClosed(LedgerRefusal):
    refusal_code = "ledger_account_closed"
    sentence = "账户已销户，不能再记账；请先恢复账户。"


class AccountNotEmpty(LedgerRefusal):
    refusal_code = "ledger_account_not_empty"
    sentence = "账户尚有余额或冻结金额，不能销户；请先结清。"


class InvalidPosting(LedgerRefusal):
    refusal_kind = RefusalKind.INVALID
    refusal_code = "ledger_invalid_posting"
    sentence = "记账内容有误：每笔至少两条分录，账户不重复且同属一个统筹区，金额不为零。"


class Unbalanced(LedgerRefusal):
    refusal_kind = RefusalKind.INVALID
    refusal_code = "ledger_unbalanced"
    sentence = "借贷不平：同一笔账在每个险种内的分录合计必须为零。"


class InsufficientFunds(LedgerRefusal):
    refusal_code = "ledger_insufficient_funds"
    sentence = "账户可用余额不足。"


class SourceConflict(LedgerRefusal):
    refusal_code = "ledger_source_conflict"
    sentence = "同一业务已按不同内容记过账，不能重复记账。"


class TransactionNotFound(LedgerRefusal):
    refusal_kind = RefusalKind.NOT_FOUND
    refusal_code = "ledger_transaction_not_found"
    sentence = "没有这笔账，或不在可办理的统筹区内。"


class ReversalRefused(LedgerRefusal):
    refusal_code = "ledger_reversal_refused"
    sentence = "冲正与原账不符：只能冲正原账，账户相同、方向相反，金额不超过原账。"


class AlreadyReversed(LedgerRefusal):
    refusal_code = "ledger_already_reversed"
    sentence = "这笔账已经冲正过，不能再次冲正。"


class HoldNotFound(LedgerRefusal):
    refusal_kind = RefusalKind.NOT_FOUND
    refusal_code = "ledger_hold_not_found"
    sentence = "没有这笔冻结，或不在可办理的统筹区内。"


class HoldEnded(LedgerRefusal):
    refusal_code = "ledger_hold_ended"
    sentence = "这笔冻结已经解除或支付，不能再办。"


class HoldMismatch(LedgerRefusal):
    refusal_code = "ledger_hold_mismatch"
    sentence = "支付与冻结不符：必须从被冻结的账户按冻结金额支出。"


class RecordImmutable(LedgerRefusal):
    refusal_code = "ledger_record_immutable"
    sentence = "账目只增不改；更正请用冲正。"


class OutsideRegion(LedgerRefusal):
    refusal_kind = RefusalKind.FORBIDDEN
    refusal_code = "ledger_outside_region"
    sentence = "无权在该统筹区记账。"


class LedgerBusy(LedgerRefusal):
    """Nothing is wrong with the request; the same request may succeed when sent again."""

    refusal_kind = RefusalKind.UNAVAILABLE
    refusal_code = "ledger_busy"
    sentence = "账户正忙，本次未作任何更改，请稍后重试。"


_BY_SQLSTATE: dict[str, type[LedgerRefusal]] = {
    "YL001": InsufficientFunds,
    "YL002": AccountNotFound,
    "YL003": AccountClosed,
    "YL004": AccountNotEmpty,
    "YL005": Unbalanced,
    "YL006": RecordImmutable,
    "YL007": ReversalRefused,
    "YL008": HoldEnded,
    "YL009": HoldMismatch,
    "42501": OutsideRegion,  # insufficient_privilege: row-level security
    "40P01": LedgerBusy,  # deadlock_detected
    "55P03": LedgerBusy,  # lock_not_available (lock_timeout)
}
_BY_CONSTRAINT: dict[str, type[LedgerRefusal]] = {
    "uq_ledger_transactions_reverses": AlreadyReversed,
}


def refusal_of(error: DBAPIError) -> LedgerRefusal | None:
    """The ledger's refusal behind a database error; None when it is another fault."""
    cause = error.orig.__cause__ if error.orig is not None else None
    refusal = _BY_SQLSTATE.get(getattr(cause, "sqlstate", None) or "") or _BY_CONSTRAINT.get(
        getattr(cause, "constraint_name", None) or ""
    )
    return refusal(str(cause)) if refusal else None


@contextmanager
def translated() -> Iterator[None]:
    """Raise the database's refusals as what they mean; other errors pass as they are.

    For a caller that commits: sealing happens at COMMIT, and so do its refusals.
    """
    try:
        yield
    except DBAPIError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error
