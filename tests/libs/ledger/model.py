"""The ledger in plain Python, as simple as it can be: the oracle the real one is held to.

Written from the rules, not from the code: no SQL, no locks, lists and dicts only. Refusals are
the codes of libs/ledger/errors.py.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field


class Refused(Exception):
    """The oracle says no; ``str`` is the stable code."""


@dataclass
class ModelAccount:
    fund: str
    personal: bool
    is_open: bool = True
    amounts: list[int] = field(default_factory=list)

    @property
    def balance_fen(self) -> int:
        return sum(self.amounts)


@dataclass
class ModelTransaction:
    """``lines``: account -> signed amount; accounts in the order they are locked in."""

    lines: dict[int, int]
    purpose: str
    reverses: str | None = None


@dataclass
class ModelHold:
    account: int
    amount_fen: int
    state: str = "active"
    captured_by: str | None = None


class ModelLedger:
    """Accounts are numbered in the order of their ids; events and holds go by their sources."""

    def __init__(self) -> None:
        self.accounts: list[ModelAccount] = []
        self.transactions: dict[str, ModelTransaction] = {}
        self.holds: dict[str, ModelHold] = {}

    def held_fen(self, account: int) -> int:
        return sum(h.amount_fen for h in self.holds.values() if h.account == account and h.state == "active")

    def post(self, source: str, wanted: ModelTransaction) -> bool:
        """True when posted now, False when it was there before."""
        if source in self.transactions:
            if self.transactions[source] != wanted:
                raise Refused("ledger_source_conflict")
            return False
        if wanted.reverses in {t.reverses for t in self.transactions.values()} - {None}:
            raise Refused("ledger_already_reversed")
        self._check_lines(wanted)
        self.transactions[source] = wanted
        for number, amount_fen in wanted.lines.items():
            self.accounts[number].amounts.append(amount_fen)
        return True

    def reverse(self, source: str, new_source: str, part: dict[int, int] | None) -> bool:
        original = self.transactions.get(source)
        if original is None:
            raise Refused("ledger_transaction_not_found")
        undone = {number: -amount for number, amount in original.lines.items()}
        lines = undone if part is None else part
        fits = all(abs(a) <= abs(undone.get(n, 0)) and a * undone.get(n, 0) >= 0 for n, a in lines.items())
        if original.reverses is not None or not fits:
            raise Refused("ledger_reversal_refused")
        return self.post(new_source, ModelTransaction(lines, "reversal", reverses=source))

    def place(self, source: str, account: int, amount_fen: int) -> None:
        if source in self.holds:
            known = self.holds[source]
            if not self.accounts[account].is_open:
                raise Refused("ledger_account_closed")
            if (known.account, known.amount_fen) != (account, amount_fen):
                raise Refused("ledger_source_conflict")
            return
        if not self.accounts[account].is_open:
            raise Refused("ledger_account_closed")
        if amount_fen > self.accounts[account].balance_fen - self.held_fen(account):
            raise Refused("ledger_insufficient_funds")
        self.holds[source] = ModelHold(account, amount_fen)

    def release(self, source: str) -> None:
        hold = self._hold(source)
        if hold.state == "captured":
            raise Refused("ledger_hold_ended")
        hold.state = "released"

    def capture(self, source: str, payout_source: str, payout: ModelTransaction) -> bool:
        hold = self._hold(source)
        if hold.state == "released" or hold.captured_by not in (None, payout_source):
            raise Refused("ledger_hold_ended")
        if hold.state == "captured":
            return self.post(payout_source, payout)
        if payout.lines.get(hold.account) != -hold.amount_fen:
            raise Refused("ledger_hold_mismatch")
        if payout_source in self.transactions:
            raise Refused("ledger_source_conflict")
        hold.state, hold.captured_by = "captured", payout_source
        try:
            return self.post(payout_source, payout)
        except Refused:
            hold.state, hold.captured_by = "active", None
            raise

    def close(self, account: int) -> None:
        if self.accounts[account].is_open:
            if self.accounts[account].balance_fen or self.held_fen(account):
                raise Refused("ledger_account_not_empty")
            self.accounts[account].is_open = False

    def _hold(self, source: str) -> ModelHold:
        if source not in self.holds:
            raise Refused("ledger_hold_not_found")
        return self.holds[source]

    def _check_lines(self, wanted: ModelTransaction) -> None:
        per_fund: dict[str, int] = defaultdict(int)
        for number in sorted(wanted.lines):
            account, amount_fen = self.accounts[number], wanted.lines[number]
            per_fund[account.fund] += amount_fen
            left_fen, held_fen = account.balance_fen + amount_fen, self.held_fen(number)
            if not account.is_open:
                raise Refused("ledger_account_closed")
            if amount_fen < 0 and left_fen < held_fen and (account.personal or held_fen):
                raise Refused("ledger_insufficient_funds")
        if any(per_fund.values()):
            raise Refused("ledger_unbalanced")
