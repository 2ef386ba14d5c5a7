"""Round the library, in plain SQL: what PostgreSQL itself refuses, to the services and to the owner.

SQLSTATE 42501 is a privilege missing, class YL one of the ledger's own rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from libs.ledger.accounts import AccountKind
from libs.ledger.holds import place
from tests.libs.ledger.conftest import RESIDENT, YANTAI, ZAOZHUANG, LedgerDatabase, credit, refusal

NO_PRIVILEGE = "42501"
TABLES = ("ledger_accounts", "ledger_transactions", "ledger_entries", "ledger_chain", "ledger_holds")
ROLES = pytest.mark.parametrize("role", ["app", "owner"])


@dataclass
class Scene:
    """A person with 1,000 fen, 400 of them on hold, and 100 spent: what every test attacks."""

    ledger: LedgerDatabase
    person: UUID
    pooled: UUID
    mirror: UUID
    spent: UUID

    def engine(self, role: str) -> AsyncEngine:
        return self.ledger.app if role == "app" else self.ledger.owner


@pytest.fixture
async def scene(ledger: LedgerDatabase) -> Scene:
    person, pooled = await ledger.person(funded_fen=1_100), await ledger.pooled()
    mirror = await ledger.account(AccountKind.BANK_MIRROR)
    spent = await ledger.post(credit("visit-1", person, pooled, 100))
    async with ledger.session() as session:
        await place(session, account_id=person, amount_fen=400, source_id="hold-1")
    return Scene(ledger, person, pooled, mirror, spent.id)


def transaction(
    id: UUID, region_code: str = YANTAI, source: str | None = None, reverses: UUID | None = None
) -> str:
    undone = f"'{reverses}'" if reverses else "NULL"
    return (
        "INSERT INTO ledger_transactions (id, region_code, source_id, purpose, occurred_on, reverses) "
        f"VALUES ('{id}', '{region_code}', '{source or id}', 'raw', '2025-03-14', {undone})"
    )


def entries(transaction_id: UUID, *lines: tuple[UUID, int]) -> str:
    rows = ", ".join(f"('{transaction_id}', '{account}', {amount})" for account, amount in lines)
    return f"INSERT INTO ledger_entries (transaction_id, account_id, amount_fen) VALUES {rows}"


@ROLES
async def test_what_the_library_does_can_be_done_by_hand(scene: Scene, role: str) -> None:
    raw = uuid4()
    lines = entries(raw, (scene.person, -600), (scene.pooled, 600))
    assert await refusal(scene.engine(role), transaction(raw), lines) is None
    assert await scene.ledger.faults() == []


@ROLES
async def test_entries_that_do_not_sum_to_zero_are_refused_at_commit(scene: Scene, role: str) -> None:
    raw = uuid4()
    lines = entries(raw, (scene.person, -100), (scene.pooled, 99))
    assert await refusal(scene.engine(role), transaction(raw), lines) == "YL005"


@ROLES
async def test_funds_do_not_balance_one_another(scene: Scene, role: str) -> None:
    residents = await scene.ledger.account(AccountKind.POOLED, fund=RESIDENT)
    raw = uuid4()
    lines = entries(raw, (scene.pooled, -100), (residents, 100))
    assert await refusal(scene.engine(role), transaction(raw), lines) == "YL005"


@ROLES
async def test_a_transaction_of_one_region_takes_no_account_of_another(scene: Scene, role: str) -> None:
    there = await scene.ledger.account(AccountKind.POOLED, region_code=ZAOZHUANG)
    also = await scene.ledger.account(AccountKind.BANK_MIRROR, region_code=ZAOZHUANG)
    raw = uuid4()
    lines = entries(raw, (there, -100), (also, 100))
    assert await refusal(scene.engine(role), transaction(raw), lines) == "YL005"


@ROLES
async def test_a_transaction_without_entries_is_refused_at_commit(scene: Scene, role: str) -> None:
    assert await refusal(scene.engine(role), transaction(uuid4())) == "YL005"


@ROLES
async def test_entries_without_a_transaction_are_refused(scene: Scene, role: str) -> None:
    lines = entries(uuid4(), (scene.person, -100), (scene.pooled, 100))
    assert await refusal(scene.engine(role), lines) == "23503"


@ROLES
async def test_a_posted_transaction_takes_no_more_entries(scene: Scene, role: str) -> None:
    another = await scene.ledger.person("person-2", funded_fen=100)
    lines = entries(scene.spent, (another, -100), (scene.mirror, 100))
    assert await refusal(scene.engine(role), lines) == "YL006"


@ROLES
async def test_nor_does_one_sealed_early_in_the_same_database_transaction(scene: Scene, role: str) -> None:
    another = await scene.ledger.person("person-2", funded_fen=100)
    raw = uuid4()
    sealed = (
        transaction(raw),
        entries(raw, (scene.person, -100), (scene.pooled, 100)),
        "SET CONSTRAINTS ALL IMMEDIATE",
    )
    late = entries(raw, (another, -100), (scene.mirror, 100))
    assert await refusal(scene.engine(role), *sealed, late) == "YL006"
    assert await refusal(scene.engine(role), *sealed) is None


async def test_versions_and_balances_are_not_the_services_to_write(scene: Scene) -> None:
    raw = uuid4()
    forged = (
        "INSERT INTO ledger_entries (transaction_id, account_id, amount_fen, version, balance_after_fen) "
        f"VALUES ('{raw}', '{scene.person}', 1, 99, 1000000)"
    )
    assert await refusal(scene.ledger.app, transaction(raw), forged) == NO_PRIVILEGE


async def test_versions_and_balances_the_owner_writes_are_replaced_by_the_true_ones(scene: Scene) -> None:
    raw = uuid4()
    forged = (
        "INSERT INTO ledger_entries (transaction_id, account_id, amount_fen, version, balance_after_fen, "
        f"region_code, fund) VALUES ('{raw}', '{scene.person}', 1, 99, 1000000, '110000', '999'), "
        f"('{raw}', '{scene.pooled}', -1, 1, -1, '110000', '999')"
    )
    assert await refusal(scene.ledger.owner, transaction(raw), forged) is None
    assert await scene.ledger.balance_fen(scene.person) == 1_001
    assert await scene.ledger.faults() == []


@ROLES
@pytest.mark.parametrize("amount_fen", [-1_001, -601])
async def test_overdrawing_or_spending_what_is_held_is_refused(
    scene: Scene, role: str, amount_fen: int
) -> None:
    raw = uuid4()
    lines = entries(raw, (scene.person, amount_fen), (scene.pooled, -amount_fen))
    assert await refusal(scene.engine(role), transaction(raw), lines) == "YL001"


@ROLES
async def test_holding_more_than_the_balance_is_refused(scene: Scene, role: str) -> None:
    hold = (
        "INSERT INTO ledger_holds (id, account_id, amount_fen, source_id) "
        f"VALUES ('{uuid4()}', '{scene.person}', 601, 'raw')"
    )
    assert await refusal(scene.engine(role), hold) == "YL001"


@ROLES
async def test_a_hold_that_ended_stays_as_it_ended(scene: Scene, role: str) -> None:
    released = "UPDATE ledger_holds SET state = 'released'"
    assert await refusal(scene.engine(role), released) is None
    for state in ("active", "released", "captured"):
        assert await refusal(scene.engine(role), f"UPDATE ledger_holds SET state = '{state}'") == "YL008"


@ROLES
async def test_a_hold_is_captured_only_by_a_transaction_that_pays_it_out(scene: Scene, role: str) -> None:
    captured = "UPDATE ledger_holds SET state = 'captured', captured_by = '{}'"
    earlier = await scene.ledger.post(credit("visit-2", scene.person, scene.pooled, 400))
    raw = uuid4()
    another_amount = entries(raw, (scene.person, -200), (scene.pooled, 200))
    engine = scene.engine(role)
    assert await refusal(engine, captured.format(uuid4())) == "YL009"
    assert await refusal(engine, captured.format(earlier.id)) == "YL009"
    assert await refusal(engine, captured.format(raw), transaction(raw), another_amount) == "YL009"
    payout = entries(raw, (scene.person, -400), (scene.pooled, 400))
    assert await refusal(engine, captured.format(raw), transaction(raw), payout) is None


async def test_of_a_hold_only_the_state_changes(scene: Scene) -> None:
    for change in (
        "amount_fen = 1",
        "source_id = 'other'",
        "account_id = gen_random_uuid()",
        "placed_at = now()",
    ):
        assert await refusal(scene.ledger.owner, f"UPDATE ledger_holds SET {change}") == "YL006"
        assert await refusal(scene.ledger.app, f"UPDATE ledger_holds SET {change}") == NO_PRIVILEGE


async def test_of_an_account_only_the_state_changes(scene: Scene) -> None:
    for change in ("owner = 'thief'", "kind = 'pooled'", f"region_code = '{ZAOZHUANG}'", "fund = '390'"):
        update = f"UPDATE ledger_accounts SET {change} WHERE id = '{scene.person}'"
        assert await refusal(scene.ledger.owner, update) == "YL006"
        assert await refusal(scene.ledger.app, update) == NO_PRIVILEGE


@ROLES
async def test_closing_an_account_with_money_or_a_hold_is_refused(scene: Scene, role: str) -> None:
    closed = f"UPDATE ledger_accounts SET state = 'closed' WHERE id = '{scene.person}'"
    assert await refusal(scene.engine(role), closed) == "YL004"


async def test_what_is_posted_is_not_changed(scene: Scene) -> None:
    columns = {"ledger_transactions": "purpose", "ledger_entries": "amount_fen", "ledger_chain": "hash"}
    for table, column in columns.items():
        change = f"UPDATE {table} SET {column} = {column}"
        assert await refusal(scene.ledger.app, change) == NO_PRIVILEGE
        assert await refusal(scene.ledger.owner, change) == "YL006"
        assert await refusal(scene.ledger.owner, f"{change} WHERE false") == "YL006"


async def test_nothing_is_deleted(scene: Scene) -> None:
    for table in TABLES:
        for operation in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            assert await refusal(scene.ledger.app, operation) == NO_PRIVILEGE
            assert await refusal(scene.ledger.owner, operation) == "YL006"


@ROLES
async def test_nobody_seals_by_hand(scene: Scene, role: str) -> None:
    raw = uuid4()
    seal = f"INSERT INTO ledger_chain (transaction_id) VALUES ('{raw}')"
    lines = entries(raw, (scene.person, -1), (scene.pooled, 1))
    assert await refusal(scene.engine(role), transaction(raw), lines, seal) == "YL006"


@ROLES
async def test_one_event_is_one_transaction(scene: Scene, role: str) -> None:
    raw = uuid4()
    lines = entries(raw, (scene.person, -1), (scene.pooled, 1))
    assert await refusal(scene.engine(role), transaction(raw, source="visit-1"), lines) == "23505"


@ROLES
@pytest.mark.parametrize(
    "amounts",
    [(101, -101), (-1, 1)],
    ids=["above the original", "in the original's direction"],
)
async def test_a_reversal_that_does_not_fit_is_refused_at_commit(
    scene: Scene, role: str, amounts: tuple[int, int]
) -> None:
    raw = uuid4()
    lines = entries(raw, (scene.person, amounts[0]), (scene.pooled, amounts[1]))
    assert await refusal(scene.engine(role), transaction(raw, reverses=scene.spent), lines) == "YL007"


@ROLES
async def test_a_reversal_on_other_accounts_is_refused_at_commit(scene: Scene, role: str) -> None:
    raw = uuid4()
    lines = entries(raw, (scene.person, 100), (scene.mirror, -100))
    assert await refusal(scene.engine(role), transaction(raw, reverses=scene.spent), lines) == "YL007"


@ROLES
async def test_a_second_reversal_and_the_reversal_of_a_reversal_are_refused(scene: Scene, role: str) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    undo = [(scene.person, 100), (scene.pooled, -100)]
    engine = scene.engine(role)
    assert await refusal(engine, transaction(first, reverses=scene.spent), entries(first, *undo)) is None
    assert await refusal(engine, transaction(second, reverses=scene.spent), entries(second, *undo)) == "23505"
    redo = entries(third, (scene.person, -100), (scene.pooled, 100))
    assert await refusal(engine, transaction(third, reverses=first), redo) == "YL007"


@ROLES
@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
async def test_a_snapshot_older_than_the_lock_may_not_write(scene: Scene, role: str, isolation: str) -> None:
    empty = await scene.ledger.person("person-2")
    raw = uuid4()
    isolated = f"SET TRANSACTION ISOLATION LEVEL {isolation}"
    for writing in (
        [transaction(raw), entries(raw, (scene.person, -1), (scene.pooled, 1))],
        [
            "INSERT INTO ledger_holds (id, account_id, amount_fen, source_id) "
            f"VALUES ('{raw}', '{scene.person}', 1, 'raw')"
        ],
        [f"UPDATE ledger_accounts SET state = 'closed' WHERE id = '{empty}'"],
    ):
        assert await refusal(scene.engine(role), isolated, *writing) == "YL010"
        assert await refusal(scene.engine(role), *writing) is None


@ROLES
async def test_a_temporary_table_does_not_stand_in_for_the_ledgers(scene: Scene, role: str) -> None:
    decoy = "CREATE TEMPORARY TABLE ledger_holds (LIKE public.ledger_holds) ON COMMIT DROP"
    raw = uuid4()
    lines = entries(raw, (scene.person, -1_000), (scene.pooled, 1_000))
    assert await refusal(scene.engine(role), decoy, transaction(raw), lines) == "YL001"


async def test_a_service_sees_and_writes_only_its_regions_rows(scene: Scene) -> None:
    for regions, visible in ((ZAOZHUANG, False), (f"{ZAOZHUANG},{YANTAI}", True), ("", False), ("*", True)):
        async with scene.ledger.session(regions) as session:
            for table in TABLES:
                count = (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
                assert (count > 0) is visible, (table, regions)
    as_stranger = f"SET LOCAL yibao.regions = '{ZAOZHUANG}'"
    raw = uuid4()
    assert await refusal(scene.ledger.app, as_stranger, transaction(raw)) == NO_PRIVILEGE
    lines = entries(raw, (scene.person, -1), (scene.pooled, 1))
    assert await refusal(scene.ledger.app, as_stranger, transaction(raw, ZAOZHUANG), lines) == "YL002"
