"""The ledger's five tables, and their installation by a service's first migration."""

from __future__ import annotations

from alembic.operations import Operations
from sqlalchemy import (
    ARRAY,
    CHAR,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from libs.ledger import rules

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

ACCOUNT_KINDS = (
    "personal_account",
    "pooled",
    "in_transit_out",
    "in_transit_in",
    "bank_mirror",
    "remittance_clearing",
    "withheld_deposit",
    "unattributed",
)


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _moment(name: str) -> Column[object]:
    """The database's own clock: not the caller's to choose, and never running behind the chain."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))


# An account carries no balance: the balance is what its newest entry says.
ledger_accounts = Table(
    "ledger_accounts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("region_code", CHAR(6), nullable=False),
    Column("fund", Text, nullable=False),  # national code of the kind of insurance: 310, 390 …
    Column("kind", Text, nullable=False),
    Column("owner", Text),  # person or facility; None for the fund's own accounts
    Column("state", Text, nullable=False, server_default="open"),
    _moment("opened_at"),
    Column("digest", LargeBinary, nullable=False),  # over everything but the state; set by trigger
    UniqueConstraint("region_code", "fund", "kind", "owner", postgresql_nulls_not_distinct=True),
    CheckConstraint("region_code ~ '^[0-9]{6}$'", name="region_code"),
    CheckConstraint(_one_of("kind", ACCOUNT_KINDS), name="kind"),
    CheckConstraint(_one_of("state", ("open", "closed")), name="state"),
    CheckConstraint("kind <> 'personal_account' OR owner IS NOT NULL", name="personal_account_has_owner"),
)

ledger_transactions = Table(
    "ledger_transactions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("region_code", CHAR(6), nullable=False),
    Column("source_id", Text, nullable=False, unique=True),  # the business event; one each
    Column("purpose", Text, nullable=False),
    Column("occurred_on", Date, nullable=False),  # the business date, told by the caller
    _moment("posted_at"),
    Column("reverses", Uuid, ForeignKey("ledger_transactions.id"), unique=True),
)

# No foreign keys on what is written by the million: account and transaction are looked up anyway,
# under lock, by what writes here (rules/bulk.py, rules/entries.py, rules/chain.py), and neither is ever
# deleted. As foreign keys the same look-ups took 23 of a posting's 75 µs.
ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 … per account
    Column("transaction_id", Uuid, nullable=False),
    Column("region_code", CHAR(6), nullable=False),
    Column("fund", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("balance_after_fen", BigInteger, nullable=False),
    UniqueConstraint("transaction_id", "account_id"),
    CheckConstraint("amount_fen <> 0", name="amount_not_zero"),
)

# One row a transaction, written by the database at COMMIT: its seal and its place in the region.
ledger_chain = Table(
    "ledger_chain",
    metadata,
    Column("region_code", CHAR(6), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 … per region
    Column("transaction_id", Uuid, nullable=False, unique=True),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

ledger_holds = Table(
    "ledger_holds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("region_code", CHAR(6), nullable=False),
    Column("account_id", Uuid, ForeignKey("ledger_accounts.id"), nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("source_id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False, server_default="active"),
    _moment("placed_at"),
    Column("ended_at", DateTime(timezone=True)),
    Column("captured_by", Uuid, unique=True),  # the transaction that paid it out
    Column("digest", LargeBinary, nullable=False),  # over what never changes; set by trigger
    CheckConstraint("amount_fen > 0", name="amount_positive"),
    CheckConstraint(_one_of("state", ("active", "released", "captured")), name="state"),
    CheckConstraint("(state = 'active') = (ended_at IS NULL)", name="ended_at"),
    CheckConstraint("(state = 'captured') = (captured_by IS NOT NULL)", name="captured_by"),
    Index("ix_ledger_holds_active", "account_id", postgresql_where=text("state = 'active'")),
)


# Batches posted and not sealed yet: empty outside a running transaction, so nothing of it need
# survive a crash. Its deferred trigger is what seals: one call a batch, not one a transaction.
ledger_unsealed = Table(
    "ledger_unsealed",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("transactions", ARRAY(Uuid), nullable=False),
    prefixes=["UNLOGGED"],
)

_TABLES_V1 = (ledger_accounts, ledger_transactions, ledger_entries, ledger_chain, ledger_holds)
# What v1 had beyond the tables above, and v2 no longer has.
_FOREIGN_KEYS_V1 = (
    ("ledger_entries", "account_id", "ledger_accounts"),
    ("ledger_entries", "transaction_id", "ledger_transactions"),
    ("ledger_chain", "transaction_id", "ledger_transactions"),
)


def install_v1(op: Operations) -> None:
    """Create tables, rules (triggers), row-level security and the grants to ``yibao_app``."""
    metadata.create_all(op.get_bind(), tables=_TABLES_V1)
    for table, column, referred in _FOREIGN_KEYS_V1:
        op.create_foreign_key(f"fk_{table}_{column}", table, referred, [column], ["id"])
    for statement in rules.STATEMENTS:
        op.execute(statement)


def upgrade_v2(op: Operations) -> None:
    """From v1: batches are posted and sealed in one go (rules/bulk.py). What is posted stays as it is."""
    ledger_unsealed.create(op.get_bind())
    for statement in rules.STATEMENTS_V2:
        op.execute(statement)
    for table, column, _ in _FOREIGN_KEYS_V1:
        op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")
