"""Random histories, done to the real ledger and to a plain Python model: they must never differ."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from libs.ledger import holds
from libs.ledger.accounts import Balance, balance, close_account, open_account, statement
from libs.ledger.errors import LedgerRefusal
from libs.ledger.posting import Entry, PostedTransaction, Posting, post, post_many, reverse
from libs.ledger.verification import verify
from tests.libs.ledger.conftest import EMPLOYEE, RESIDENT, TODAY, LedgerDatabase
from tests.libs.ledger.model import ModelAccount, ModelLedger, ModelTransaction, Refused

ACCOUNTS = [
    *(("personal_account", EMPLOYEE, f"person-{n}") for n in range(3)),
    *((kind, EMPLOYEE, None) for kind in ("pooled", "bank_mirror", "in_transit_out")),
    *((kind, RESIDENT, None) for kind in ("pooled", "bank_mirror")),
]
PERSONAL, EMPLOYEE_ACCOUNTS = range(3), range(6)

# Few sources and small amounts: repetitions, conflicts and empty accounts must be common.
sources = st.integers(0, 12).map("event-{}".format)
hold_sources = st.integers(0, 4).map("hold-{}".format)
amounts_fen = st.integers(1, 60)
accounts = st.integers(0, len(ACCOUNTS) - 1)
personal = st.sampled_from(PERSONAL)
purposes = st.sampled_from(["contribution", "contribution", "contribution", "payout"])


_BALANCES = text("""
    SELECT last.balance_fen, held.fen, last.balance_fen - held.fen, last.version
    FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS wanted (id, place),
         ledger_last(wanted.id) AS last, ledger_held_fen(wanted.id) AS held (fen)
    ORDER BY wanted.place
""")


@st.composite
def balanced_lines(draw: st.DrawFn) -> dict[int, int]:
    """Two to four accounts of one fund whose amounts sum to 0, none of them 0."""
    chosen = draw(st.lists(st.sampled_from(EMPLOYEE_ACCOUNTS), min_size=2, max_size=4, unique=True))
    amounts = [draw(amounts_fen) * draw(st.sampled_from([-1, 1])) for _ in chosen[1:]]
    if sum(amounts) == 0:
        amounts[0] *= 2
    return dict(sorted(zip(chosen, [-sum(amounts), *amounts], strict=True)))


@st.composite
def mixed_lines(draw: st.DrawFn) -> dict[int, int]:
    """An amount from any account to any other: sometimes of another fund."""
    first, second = draw(st.lists(accounts, min_size=2, max_size=2, unique=True))
    amount = draw(amounts_fen)
    return dict(sorted([(first, -amount), (second, amount)]))


lines = st.one_of(balanced_lines(), balanced_lines(), mixed_lines())


class LedgerHistory(RuleBasedStateMachine):
    """One region of its own per history, so a database serves them all."""

    def __init__(
        self, run: Callable[[Coroutine[Any, Any, Any]], Any], ledger: LedgerDatabase, region_code: str
    ) -> None:
        super().__init__()
        self._run, self._ledger, self._region = run, ledger, region_code
        self.model = ModelLedger()
        self.ids: list[UUID] = self._run(self._open_all())
        order = sorted(range(len(ACCOUNTS)), key=lambda n: self.ids[n])
        assert order == list(range(len(ACCOUNTS))), "the model locks accounts in the order of their ids"
        self.model.accounts = [ModelAccount(fund, kind == "personal_account") for kind, fund, _ in ACCOUNTS]

    async def _open_all(self) -> list[UUID]:
        async with self._ledger.session(self._region) as session:
            return [
                await open_account(session, region_code=self._region, fund=fund, kind=kind, owner=owner)
                for kind, fund, owner in ACCOUNTS
            ]

    def _posting(self, source: str, wanted: ModelTransaction, backwards: bool = False) -> Posting:
        entries = [Entry(self.ids[number], amount) for number, amount in wanted.lines.items()]
        return Posting(
            self._name(source), self._region, wanted.purpose, TODAY, entries[::-1] if backwards else entries
        )

    def _name(self, source: str) -> str:
        return f"{self._region}:{source}"

    def _same(self, expected: Callable[[], object], act: Callable[[AsyncSession], Awaitable[object]]) -> None:
        """Both do it; both must say the same."""

        async def done() -> object:
            try:
                async with self._ledger.session(self._region) as session:
                    result = await act(session)
            except LedgerRefusal as refused:
                return refused.code
            return not result.replayed if isinstance(result, PostedTransaction) else None

        try:
            told = expected()
        except Refused as refused:
            told = str(refused)
        assert self._run(done()) == told

    @rule(source=sources, lines=lines, purpose=purposes, backwards=st.booleans())
    def post(self, source: str, lines: dict[int, int], purpose: str, backwards: bool) -> None:
        wanted = ModelTransaction(lines, purpose)
        posting = self._posting(source, wanted, backwards)
        self._same(lambda: self.model.post(source, wanted), lambda session: post(session, posting))

    @rule(source=sources)
    def post_again(self, source: str) -> None:
        known = self.model.transactions.get(source)
        if known is not None and known.reverses is None:
            posting = self._posting(source, known)
            self._same(lambda: False, lambda session: post(session, posting))

    @rule(person=personal, amount_fen=amounts_fen)
    def fund(self, person: int, amount_fen: int) -> None:
        source = f"funding-{len(self.model.transactions)}"
        wanted = ModelTransaction({person: amount_fen, 4: -amount_fen}, "contribution")
        self._same(
            lambda: self.model.post(source, wanted),
            lambda session: post(session, self._posting(source, wanted)),
        )

    @rule(person=personal, amounts=st.lists(amounts_fen, min_size=2, max_size=4))
    def post_batch(self, person: int, amounts: list[int]) -> None:
        if not self.model.accounts[person].is_open:
            return
        start = len(self.model.transactions)
        batch = [ModelTransaction({person: fen, 4: -fen}, "contribution") for fen in amounts]
        named = [(f"batch-{start}-{n}", wanted) for n, wanted in enumerate(batch)]
        for source, wanted in named:
            assert self.model.post(source, wanted)
        self._same(
            lambda: None,
            lambda session: post_many(session, [self._posting(*one) for one in named]),
        )

    @rule(source=sources, new_source=sources, part=st.none() | balanced_lines())
    def reverse(self, source: str, new_source: str, part: dict[int, int] | None) -> None:
        entries = None if part is None else [Entry(self.ids[n], fen) for n, fen in part.items()]
        self._same(
            lambda: self.model.reverse(source, new_source, part),
            lambda session: reverse(
                session,
                self._name(source),
                new_source_id=self._name(new_source),
                purpose="reversal",
                occurred_on=TODAY,
                entries=entries,
            ),
        )

    @rule(source=hold_sources, account=personal, amount_fen=amounts_fen)
    def place(self, source: str, account: int, amount_fen: int) -> None:
        self._same(
            lambda: self.model.place(source, account, amount_fen),
            lambda session: holds.place(
                session, account_id=self.ids[account], amount_fen=amount_fen, source_id=self._name(source)
            ),
        )

    @rule(source=hold_sources)
    def release(self, source: str) -> None:
        self._same(
            lambda: self.model.release(source), lambda session: holds.release(session, self._name(source))
        )

    @rule(
        source=hold_sources,
        payout_source=sources,
        to_account=st.integers(3, 5),
        off_by=st.sampled_from([0, 0, 0, 1]),
    )
    def capture(self, source: str, payout_source: str, to_account: int, off_by: int) -> None:
        hold = self.model.holds.get(source)
        account, amount_fen = (hold.account, hold.amount_fen + off_by) if hold else (0, 1)
        payout = ModelTransaction({account: -amount_fen, to_account: amount_fen}, "payout")
        self._same(
            lambda: self.model.capture(source, payout_source, payout),
            lambda session: holds.capture(session, self._name(source), self._posting(payout_source, payout)),
        )

    @rule(account=personal)
    def close(self, account: int) -> None:
        self._same(
            lambda: self.model.close(account), lambda session: close_account(session, self.ids[account])
        )

    @rule(account=personal)
    def open_again(self, account: int) -> None:
        kind, fund, owner = ACCOUNTS[account]
        self.model.accounts[account].is_open = True

        async def reopen(session: AsyncSession) -> None:
            opened = await open_account(session, region_code=self._region, fund=fund, kind=kind, owner=owner)
            assert opened == self.ids[account]

        self._same(lambda: None, reopen)

    @invariant()
    def every_account_stands_where_the_model_says(self) -> None:
        assert self._run(self._balances()) == [
            Balance(
                account.balance_fen,
                self.model.held_fen(number),
                account.balance_fen - self.model.held_fen(number),
                len(account.amounts),
            )
            for number, account in enumerate(self.model.accounts)
        ]
        for fund in (EMPLOYEE, RESIDENT):
            assert sum(a.balance_fen for a in self.model.accounts if a.fund == fund) == 0

    async def _balances(self) -> list[Balance]:
        """In one statement; that ``balance`` says the same is checked at the end of the history."""
        async with self._ledger.session(self._region) as session:
            return [Balance(*row) for row in await session.execute(_BALANCES, {"ids": self.ids})]

    def teardown(self) -> None:
        self._run(self._history_is_sound())

    async def _history_is_sound(self) -> None:
        async with self._ledger.session(self._region) as session:
            assert await verify(session, self._region) == []
            assert [await balance(session, id) for id in self.ids] == await self._balances()
            for id, account in zip(self.ids, self.model.accounts, strict=True):
                entries = await statement(session, id, limit=10_000)
                assert [line.amount_fen for line in entries] == account.amounts
                assert [line.balance_after_fen for line in entries] == list(
                    itertools.accumulate(account.amounts)
                )


def test_the_ledger_and_a_plain_model_never_differ(database: str) -> None:
    regions = (f"{number:06d}" for number in itertools.count(100_000))
    with asyncio.Runner() as runner:
        ledger = LedgerDatabase(database)
        runner.run(ledger.install())
        try:
            run_state_machine_as_test(
                lambda: LedgerHistory(runner.run, ledger, next(regions)),  # type: ignore[arg-type]
                settings=settings(
                    max_examples=60,
                    stateful_step_count=30,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
                ),
            )
        finally:
            runner.run(ledger.close())
