"""The door for batches: what passes it, who may not go round it, the way to it from the first version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from libs.ledger.accounts import AccountKind
from libs.ledger.posting import post_many
from libs.ledger.tables import install_v1, upgrade_v2
from tests.libs.ledger.conftest import RESIDENT, YANTAI, ZAOZHUANG, LedgerDatabase, credit, refusal
from tests.libs.ledger.test_rules import entries, transaction

NO_PRIVILEGE = "42501"
DOOR_SET_OPEN = "SET LOCAL yibao.ledger_door = 'open'"
Line = tuple[UUID, UUID, int]


def posted(
    *lines: Line, region_code: str = YANTAI, source: str | None = None, reverses: UUID | None = None
) -> str:
    """A call of the door, in plain SQL: the lines' transactions, each with its own source."""
    ids = list(dict.fromkeys(id for id, _, _ in lines))
    columns = [
        array("uuid", ids),
        array("text", [region_code] * len(ids)),
        array("text", [source or f"source-{id}" for id in ids]),
        array("text", ["raw"] * len(ids)),
        array("date", ["2025-03-14"] * len(ids)),
        array("uuid", [reverses] * len(ids)),
        array("uuid", [line[0] for line in lines]),
        array("uuid", [line[1] for line in lines]),
        array("bigint", [line[2] for line in lines]),
    ]
    return f"SELECT places FROM ledger_post({', '.join(columns)})"


def array(kind: str, values: list[object]) -> str:
    told = ["NULL" if value is None else f"'{value}'" for value in values]
    return f"ARRAY[{', '.join(told)}]::{kind}[]"


async def accounts(ledger: LedgerDatabase) -> tuple[UUID, UUID]:
    return await ledger.person(funded_fen=1_000), await ledger.pooled()


async def test_what_passes_is_sealed_in_the_order_of_its_sources(ledger: LedgerDatabase) -> None:
    person, pooled = await accounts(ledger)
    async with ledger.session() as session:
        done = await post_many(session, [credit(f"visit-{n}", person, pooled, 1) for n in (2, 1, 3)])
    async with ledger.session() as session:
        chain = await session.scalars(
            text("SELECT transaction_id FROM ledger_chain ORDER BY number OFFSET 1")
        )
        assert list(chain) == [done[1].id, done[0].id, done[2].id]
    async with ledger.superuser.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM ledger_unsealed"))).scalar_one() == 0
    assert await ledger.faults() == []


@pytest.mark.parametrize("amounts", [(-100, 99), (-100, 0)])
async def test_what_does_not_sum_to_zero_is_refused(ledger: LedgerDatabase, amounts: tuple[int, int]) -> None:
    person, pooled = await accounts(ledger)
    sound, unsound = uuid4(), uuid4()
    lines = [
        (sound, person, -1),
        (sound, pooled, 1),
        (unsound, person, amounts[0]),
        (unsound, pooled, amounts[1]),
    ]
    assert await refusal(ledger.app, posted(*lines)) == ("YL005" if amounts[1] else "23514")
    assert await ledger.balance_fen(person) == 1_000


async def test_funds_and_regions_do_not_balance_one_another(ledger: LedgerDatabase) -> None:
    _, pooled = await accounts(ledger)
    residents = await ledger.account(AccountKind.POOLED, fund=RESIDENT)
    there = await ledger.account(AccountKind.POOLED, region_code=ZAOZHUANG)
    for other in (residents, there):
        raw = uuid4()
        assert await refusal(ledger.app, posted((raw, pooled, -100), (raw, other, 100))) == "YL005"


async def test_a_transaction_without_a_line_is_refused(ledger: LedgerDatabase) -> None:
    transactions = "ARRAY[gen_random_uuid()], '{370600}', '{s}', '{p}', '{2025-03-14}', '{NULL}'"
    call = f"SELECT places FROM ledger_post({transactions}, '{{}}', '{{}}', '{{}}')"
    assert await refusal(ledger.app, call) == "YL005"


async def test_a_reversal_that_does_not_fit_is_refused(ledger: LedgerDatabase) -> None:
    person, pooled = await accounts(ledger)
    spent = await ledger.post(credit("visit-1", person, pooled, 100))
    raw = uuid4()
    above = posted((raw, person, 101), (raw, pooled, -101), reverses=spent.id)
    fitting = posted((raw, person, 100), (raw, pooled, -100), reverses=spent.id)
    assert await refusal(ledger.app, above) == "YL007"
    assert await refusal(ledger.app, fitting) is None
    assert await ledger.faults() == []


async def test_a_line_of_a_transaction_known_before_is_not_entered(ledger: LedgerDatabase) -> None:
    person, pooled = await accounts(ledger)
    spent = await ledger.post(credit("visit-1", person, pooled, 100))
    assert (
        await refusal(ledger.app, posted((spent.id, person, -5), (spent.id, pooled, 5), source="visit-1"))
        is None
    )
    assert await ledger.balance_fen(person) == 900


async def test_the_first_account_that_refuses_is_the_one_told(ledger: LedgerDatabase) -> None:
    """Row by row it was the first of the accounts' ids; what a caller is told does not depend on the way."""
    person, pooled = await accounts(ledger)
    raw = uuid4()
    absent = UUID(int=2**128 - 1)
    assert await refusal(ledger.app, posted((raw, person, -1_001), (raw, absent, 1_001))) == "YL001"
    assert await refusal(ledger.app, posted((raw, UUID(int=0), -1_001), (raw, pooled, 1_001))) == "YL002"


async def test_the_door_shows_no_more_than_row_level_security(ledger: LedgerDatabase) -> None:
    person, pooled = await accounts(ledger)
    raw = uuid4()
    lines = [(raw, person, -1), (raw, pooled, 1)]
    for regions in (ZAOZHUANG, ""):
        seen = f"SET LOCAL yibao.regions = '{regions}'"
        assert await refusal(ledger.app, seen, posted(*lines)) == NO_PRIVILEGE
    there = f"SET LOCAL yibao.regions = '{ZAOZHUANG}'"
    assert await refusal(ledger.app, there, posted(*lines, region_code=ZAOZHUANG)) == "YL002"


@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
async def test_a_snapshot_older_than_the_lock_may_not_post(ledger: LedgerDatabase, isolation: str) -> None:
    person, pooled = await accounts(ledger)
    raw = uuid4()
    isolated = f"SET TRANSACTION ISOLATION LEVEL {isolation}"
    assert await refusal(ledger.app, isolated, posted((raw, person, -1), (raw, pooled, 1))) == "YL010"


async def test_a_service_that_says_the_door_is_open_is_still_outside(ledger: LedgerDatabase) -> None:
    person, pooled = await accounts(ledger)
    raw = uuid4()
    unbalanced = entries(raw, (person, -100), (pooled, 99))
    overdrawn = entries(raw, (person, -1_001), (pooled, 1_001))
    sound = entries(raw, (person, -1), (pooled, 1))
    seal = f"INSERT INTO ledger_chain (transaction_id) VALUES ('{raw}')"
    for statements, expected in (
        ([unbalanced], "YL005"),
        ([overdrawn], "YL001"),
        ([sound, seal], "YL006"),
        ([], "YL005"),
    ):
        assert await refusal(ledger.app, DOOR_SET_OPEN, transaction(raw), *statements) == expected
    assert await refusal(ledger.app, DOOR_SET_OPEN, transaction(raw), sound) is None
    assert await ledger.faults() == []


async def test_the_door_is_shut_behind_what_passed(ledger: LedgerDatabase) -> None:
    """The owner posts, and then by hand: the rules apply again, in the same database transaction too."""
    person, pooled = await accounts(ledger)
    first, second = uuid4(), uuid4()
    through = posted((first, person, -1), (first, pooled, 1))
    again = posted((first, person, -1), (first, pooled, 1))
    overdrawn = entries(second, (person, -1_001), (pooled, 1_001))
    for passed in ([through], [through, again]):
        assert await refusal(ledger.owner, *passed, transaction(second), overdrawn) == "YL001"


async def test_batches_that_wait_for_their_seal_are_nobodys_to_touch(ledger: LedgerDatabase) -> None:
    for touching in (
        "SELECT * FROM ledger_unsealed",
        "DELETE FROM ledger_unsealed",
        "INSERT INTO ledger_unsealed (transactions) VALUES ('{}')",
        "TRUNCATE ledger_unsealed",
    ):
        assert await refusal(ledger.app, touching) == NO_PRIVILEGE


async def test_a_posted_transaction_takes_lines_by_hand_only_until_its_seal(ledger: LedgerDatabase) -> None:
    person, pooled = await accounts(ledger)
    mirror = await ledger.account(AccountKind.BANK_MIRROR)
    raw = uuid4()
    through = posted((raw, person, -1), (raw, pooled, 1))
    late = entries(raw, (mirror, 5))
    assert await refusal(ledger.app, through, late) == "YL005"
    assert await refusal(ledger.app, through, "SET CONSTRAINTS ALL IMMEDIATE", late) == "YL006"


@pytest.fixture
async def first_version(database: str) -> AsyncIterator[LedgerDatabase]:
    """A ledger as the first version installed it, with something posted in its way."""
    old = LedgerDatabase(database)
    await old.install(install_v1_only)
    yield old
    await old.close()


def install_v1_only(connection: Connection) -> None:
    install_v1(Operations(MigrationContext.configure(connection)))


def upgrade_only(connection: Connection) -> None:
    upgrade_v2(Operations(MigrationContext.configure(connection)))


async def test_books_of_the_first_version_go_on_in_the_second(first_version: LedgerDatabase) -> None:
    ledger = first_version
    person, pooled = await ledger.person(), await ledger.pooled()
    mirror = await ledger.account(AccountKind.BANK_MIRROR)
    for amount in (700, 300):
        raw = uuid4()
        assert (
            await refusal(ledger.app, transaction(raw), entries(raw, (mirror, -amount), (person, amount)))
            is None
        )
    async with ledger.owner.begin() as connection:
        await connection.run_sync(upgrade_only)
    async with ledger.session() as session:
        done = await post_many(session, [credit(f"visit-{n}", person, pooled, 400) for n in range(2)])
    versions = [{e.account_id: (e.version, e.balance_after_fen) for e in one.entries}[person] for one in done]
    assert versions == [(3, 600), (4, 200)]
    assert await ledger.faults() == []
