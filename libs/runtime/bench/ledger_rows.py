"""The ledger's row: contributions posted in batches, against the same rows by plain SQL in like tables.

The floor has the same columns, keys and checks, and nothing that keeps the books right: versions and
balances are told it ready made, nobody is locked, nothing is sealed. Product and floor take turns, a
batch each, so whatever else the machine does falls on both.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from uuid import UUID

import asyncpg
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from uuid_utils.compat import uuid7

from libs.ledger import tables
from libs.ledger.accounts import AccountKind
from libs.ledger.posting import Entry, Posting, post_all
from libs.runtime.bench.figures import Row, Sample
from libs.webapp.database import Database

REGION, FUND, PURPOSE = "370400", "310", "contribution"
PEOPLE = 10_000
BATCH = 5_000
AMOUNT_FEN = 10_000
_DAY = dt.date(2026, 3, 2)


async def contributions(admin_url: str, login_url: str, count: int) -> Row:
    """Post ``count`` contributions of PEOPLE people; both URLs are of one empty database."""
    bank, people = await _install(admin_url)
    database, plain = Database(login_url, pool_size=1), await asyncpg.connect(admin_url)
    product_s, floor_s = [], []
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        started = time.perf_counter()
        await _post(database, bank, people, numbers)
        posted = time.perf_counter()
        await _insert(plain, bank, people, numbers)
        product_s.append(posted - started)
        floor_s.append(time.perf_counter() - posted)
    await database.close()
    await plain.close()
    return Row(
        f"缴费划账入账（每批{BATCH:,}笔，共{count:,}笔）",
        "同样的分录，普通SQL批量写入同样的表",
        "笔",
        Sample(count / sum(product_s)),
        Sample(count / sum(floor_s)),
        0.30,
    )


async def _post(database: Database, bank: UUID, people: list[UUID], numbers: range) -> None:
    postings = [
        Posting(
            source_id=source,
            region_code=REGION,
            purpose=PURPOSE,
            occurred_on=_DAY,
            entries=[Entry(bank, -AMOUNT_FEN), Entry(person, AMOUNT_FEN)],
        )
        for source, person in _events(people, numbers)
    ]
    async with database.transaction((REGION,)) as session:
        await post_all(session, postings)


async def _insert(plain: asyncpg.Connection, bank: UUID, people: list[UUID], numbers: range) -> None:
    events = list(_events(people, numbers))
    ids = [uuid7() for _ in events]
    accounts = [account for _, person in events for account in (bank, person)]
    amounts = [amount for _ in events for amount in (-AMOUNT_FEN, AMOUNT_FEN)]
    versions = [version for number in numbers for version in (number + 1, number // PEOPLE + 1)]
    balances = [version * amount for version, amount in zip(versions, amounts, strict=True)]
    async with plain.transaction():
        await plain.execute(_TRANSACTIONS, ids, [source for source, _ in events], REGION, PURPOSE, _DAY)
        lines_of = [id for id in ids for _ in range(2)]
        await plain.execute(_ENTRIES, accounts, versions, lines_of, amounts, balances, REGION, FUND)


_TRANSACTIONS = """
    INSERT INTO plain_transactions (id, region_code, source_id, purpose, occurred_on)
    SELECT id, $3, source_id, $4, $5 FROM unnest($1::uuid[], $2::text[]) AS told (id, source_id)
"""
_ENTRIES = """
    INSERT INTO plain_entries
        (account_id, version, transaction_id, amount_fen, balance_after_fen, region_code, fund)
    SELECT told.*, $6, $7
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::bigint[]) AS told
"""
_OPEN = """
    INSERT INTO ledger_accounts (id, region_code, fund, kind, owner)
    SELECT id, $2, $3, $4, CASE WHEN $4 = 'personal_account' THEN id::text END FROM unnest($1::uuid[]) AS id
"""


def _events(people: list[UUID], numbers: range) -> Iterator[tuple[str, UUID]]:
    """Month after month, everybody once a month: source and account."""
    for number in numbers:
        person = people[number % PEOPLE]
        yield f"contribution:{person}:{FUND}:{number // PEOPLE:05d}", person


async def _install(url: str) -> tuple[UUID, list[UUID]]:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.begin() as connection:
        await connection.run_sync(_install_ledger)
    await engine.dispose()
    bank, people = uuid7(), [uuid7() for _ in range(PEOPLE)]
    plain = await asyncpg.connect(url)
    for table in ("transactions", "entries"):
        await plain.execute(f"CREATE TABLE plain_{table} (LIKE ledger_{table} INCLUDING ALL)")
    await plain.execute(_OPEN, [bank], REGION, FUND, AccountKind.BANK_MIRROR.value)
    await plain.execute(_OPEN, people, REGION, FUND, AccountKind.PERSONAL_ACCOUNT.value)
    await plain.close()
    return bank, people


def _install_ledger(connection: Connection) -> None:
    operations = Operations(MigrationContext.configure(connection))
    tables.install_v1(operations)
    tables.upgrade_v2(operations)
