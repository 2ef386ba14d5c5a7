"""With the rules switched off (only a superuser can), one row is changed; verify names it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from libs.ledger.accounts import AccountKind
from libs.ledger.holds import capture, place
from libs.ledger.posting import reverse
from libs.ledger.verification import Fault, verify
from tests.libs.ledger.conftest import TODAY, YANTAI, ZAOZHUANG, LedgerDatabase, credit


@dataclass
class Books:
    """Sound books with some history; ``victim`` is a transaction in the middle of it."""

    session: AsyncSession
    person: UUID
    pooled: UUID
    victim: UUID
    reversal: UUID
    hold: UUID

    @property
    def entry(self) -> str:
        return f"{self.person}/4"

    async def faults_after(self, tampering: str, region_code: str | None = None) -> list[Fault]:
        await self.session.execute(text("SET LOCAL session_replication_role = replica"))
        changed = await self.session.execute(text(tampering.format(b=self)))
        assert changed.rowcount == 1  # type: ignore[attr-defined]
        return await verify(self.session, region_code)


@pytest.fixture
async def books(ledger: LedgerDatabase) -> AsyncIterator[Books]:
    person, pooled = await ledger.person(funded_fen=10_000), await ledger.pooled()
    await ledger.person("person-2", funded_fen=5_000)
    await ledger.account(AccountKind.POOLED, region_code=ZAOZHUANG, funded_fen=700)
    posted = [await ledger.post(credit(f"visit-{n}", person, pooled, 100 + n)) for n in range(6)]
    async with ledger.session() as session:
        hold = await place(session, account_id=person, amount_fen=50, source_id="hold-1")
        await capture(session, "hold-1", credit("payout-1", person, pooled, 50))
        undone = await reverse(
            session, "visit-4", new_source_id="undo-4", purpose="reversal", occurred_on=TODAY
        )
    async with AsyncSession(ledger.superuser) as session:
        yield Books(session, person, pooled, posted[2].id, undone.id, hold.id)


async def test_sound_books_have_no_faults(books: Books) -> None:
    assert await verify(books.session) == []


_ENTRY = "UPDATE ledger_entries SET {} WHERE account_id = '{{b.person}}' AND version = 4"


@pytest.mark.parametrize(
    "change",
    [
        "amount_fen = amount_fen - 1",
        "balance_after_fen = balance_after_fen + 1",
        "version = 99",
        "fund = '390'",
        f"region_code = '{ZAOZHUANG}'",
        "transaction_id = gen_random_uuid()",
    ],
)
async def test_a_changed_entry_is_named(books: Books, change: str) -> None:
    faults = await books.faults_after(_ENTRY.format(change))
    entries = [fault.row for fault in faults if fault.table == "ledger_entries"]
    transactions = {fault.row for fault in faults if fault.table == "ledger_transactions"}
    # A moved version leaves a gap: the entry after the gap is named with the moved one.
    moved = [f"{books.person}/5", f"{books.person}/99"]
    assert sorted(set(entries)) == (moved if change.startswith("version") else [books.entry])
    assert transactions == {str(books.victim)}
    assert {fault.table for fault in faults} == {"ledger_entries", "ledger_transactions"}


async def test_a_transaction_that_no_longer_sums_to_zero_is_named(books: Books) -> None:
    faults = await books.faults_after(_ENTRY.format("amount_fen = amount_fen - 1"))
    assert ("transaction_sums_to_zero", str(books.victim)) in {(fault.rule, fault.row) for fault in faults}


async def test_an_entry_moved_to_another_account_is_named(books: Books) -> None:
    faults = await books.faults_after(
        "UPDATE ledger_entries SET account_id = (SELECT id FROM ledger_accounts WHERE owner = 'person-2') "
        "WHERE account_id = '{b.person}' AND version = 4"
    )
    assert str(books.victim) in {fault.row for fault in faults}
    assert f"{books.person}/5" in {fault.row for fault in faults}


async def test_a_deleted_entry_is_missed(books: Books) -> None:
    faults = await books.faults_after(
        "DELETE FROM ledger_entries WHERE account_id = '{b.person}' AND version = 4"
    )
    assert {fault.row for fault in faults} == {f"{books.person}/5", str(books.victim)}


@pytest.mark.parametrize(
    "change",
    [
        "purpose = 'other'",
        "source_id = 'other'",
        "occurred_on = occurred_on + 1",
        "posted_at = posted_at + interval '1 microsecond'",
    ],
)
async def test_a_changed_transaction_is_named_and_no_other(books: Books, change: str) -> None:
    faults = await books.faults_after(f"UPDATE ledger_transactions SET {change} WHERE id = '{{b.victim}}'")
    assert [(fault.rule, fault.row) for fault in faults] == [
        ("seal_matches_its_transaction", str(books.victim))
    ]


async def test_a_reversal_pointed_elsewhere_is_named(books: Books) -> None:
    faults = await books.faults_after(
        "UPDATE ledger_transactions SET reverses = '{b.victim}' WHERE id = '{b.reversal}'"
    )
    assert {fault.row for fault in faults} == {str(books.reversal)}
    assert {fault.rule for fault in faults} == {"reversal_fits_its_original", "seal_matches_its_transaction"}


@pytest.mark.parametrize("column", ["hash", "previous_hash"])
async def test_a_changed_seal_is_named(books: Books, column: str) -> None:
    faults = await books.faults_after(
        f"UPDATE ledger_chain SET {column} = sha256('forged') WHERE transaction_id = '{{b.victim}}'"
    )
    assert ("seal_matches_its_transaction", str(books.victim)) in {(f.rule, f.row) for f in faults}
    # The link is named too where it no longer points at its predecessor; its successor is not.
    links = {fault.row for fault in faults if fault.table == "ledger_chain"}
    assert links == (set() if column == "hash" else {f"{YANTAI}/5"})


async def test_a_removed_link_leaves_its_transaction_unsealed_and_a_gap(books: Books) -> None:
    faults = await books.faults_after("DELETE FROM ledger_chain WHERE transaction_id = '{b.victim}'")
    assert [(fault.rule, fault.row) for fault in faults] == [
        ("transaction_is_sealed", str(books.victim)),
        ("link_follows_the_last_of_its_region", f"{YANTAI}/6"),
    ]


async def test_a_deleted_transaction_is_missed(books: Books) -> None:
    faults = await books.faults_after("DELETE FROM ledger_transactions WHERE id = '{b.victim}'")
    assert {fault.rule for fault in faults} == {
        "entry_belongs_to_a_transaction",
        "seal_matches_its_transaction",
    }
    assert str(books.victim) in {fault.row for fault in faults}


async def test_a_transaction_resealed_after_a_change_breaks_the_link_behind_it(books: Books) -> None:
    """Somebody changes the content and computes its hash anew: the next link still knows the old one."""
    await books.faults_after("UPDATE ledger_transactions SET purpose = 'other' WHERE id = '{b.victim}'")
    faults = await books.faults_after(
        "UPDATE ledger_chain c SET hash = ledger_hash(previous_hash, number, t) "
        "FROM ledger_transactions t WHERE t.id = transaction_id AND t.id = '{b.victim}'"
    )
    assert [(fault.rule, fault.row) for fault in faults] == [
        ("link_follows_the_last_of_its_region", f"{YANTAI}/6")
    ]


@pytest.mark.parametrize("change", ["owner = 'thief'", "kind = 'pooled'"])
async def test_a_changed_account_is_named_and_no_other(books: Books, change: str) -> None:
    faults = await books.faults_after(f"UPDATE ledger_accounts SET {change} WHERE id = '{{b.person}}'")
    assert [(fault.rule, fault.row) for fault in faults] == [("account_is_unchanged", str(books.person))]


async def test_an_account_given_a_new_digest_disagrees_with_every_seal(books: Books) -> None:
    await books.faults_after("UPDATE ledger_accounts SET owner = 'thief' WHERE id = '{b.person}'")
    faults = await books.faults_after(
        "UPDATE ledger_accounts a SET digest = ledger_account_digest(a) WHERE id = '{b.person}'"
    )
    assert {fault.rule for fault in faults} == {"seal_matches_its_transaction"}


async def test_an_account_closed_with_money_on_it_is_named(books: Books) -> None:
    faults = await books.faults_after("UPDATE ledger_accounts SET state = 'closed' WHERE id = '{b.person}'")
    assert [(fault.rule, fault.row) for fault in faults] == [("closed_account_is_empty", str(books.person))]


async def test_a_changed_hold_is_named(books: Books) -> None:
    faults = await books.faults_after("UPDATE ledger_holds SET amount_fen = 51 WHERE id = '{b.hold}'")
    assert {fault.row for fault in faults} == {str(books.hold)}
    assert {fault.rule for fault in faults} == {"hold_is_unchanged", "captured_hold_was_paid_out"}


async def test_an_overdrawn_personal_account_is_named(books: Books) -> None:
    faults = await books.faults_after(
        "UPDATE ledger_holds SET state = 'active', captured_by = NULL, ended_at = NULL, amount_fen = 99999 "
        "WHERE id = '{b.hold}'"
    )
    assert ("personal_account_is_not_overdrawn", str(books.person)) in {(f.rule, f.row) for f in faults}


async def test_only_the_region_asked_for_is_told(books: Books) -> None:
    tampering = "UPDATE ledger_transactions SET purpose = 'other' WHERE id = '{b.victim}'"
    assert await books.faults_after(tampering, ZAOZHUANG) == []
    assert {fault.region_code for fault in await verify(books.session, YANTAI)} == {YANTAI}
