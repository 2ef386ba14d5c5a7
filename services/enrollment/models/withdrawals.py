"""Withdrawals of personal accounts, the batches they are paid in, deaths learned. Amounts in fen.

The payee (account, bank, holder) is encrypted; a batch's line keeps its own copy, so that the file that
went to the bank can be made again byte for byte.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.enrollment.models.base import Base


class Withdrawal(Base):
    """An approved withdrawal (domain/payouts.py); the whole balance is on hold for it until it ends.

    ``checked_by`` and ``approved_by`` are the finance officer and the chief (subjects of sign-ins): neither
    sends it to the bank. ``payee_entered_by`` entered the account as it stands.
    """

    __tablename__ = "withdrawals"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "person_id"], ["persons.region_code", "persons.id"]),
        CheckConstraint("amount_fen > 0", name="withdrawals_amount"),
        CheckConstraint(
            "state IN ('held', 'payable', 'sent', 'failed', 'corrected', 'paid', 'released')",
            name="withdrawals_state",
        ),
        # Two cases approved at the same moment: the second meets this index.
        Index(
            "ux_withdrawals_one_open",
            "person_id",
            unique=True,
            postgresql_where=text("state NOT IN ('paid', 'released')"),
        ),
        Index("ix_withdrawals_payable", "region_code", postgresql_where=text("state = 'payable'")),
    )

    case_no: Mapped[str] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    person_id: Mapped[UUID]
    reason: Mapped[str]
    amount_fen: Mapped[int]
    state: Mapped[str]
    payee: Mapped[str]  # encrypted
    payee_version: Mapped[int]
    payee_entered_by: Mapped[str]
    checked_by: Mapped[str | None]
    approved_by: Mapped[str | None]
    created_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]


class PayoutBatch(Base):
    """What went to the bank together; ``file_digest`` is the SHA-256 in the file's last line."""

    __tablename__ = "payout_batches"
    __table_args__ = (UniqueConstraint("number"), Index("ix_payout_batches_region", "region_code"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    number: Mapped[str]
    sent_on: Mapped[dt.date]
    lines: Mapped[int]
    sum_fen: Mapped[int]
    file_digest: Mapped[str] = mapped_column(String(64))
    created_by: Mapped[str]
    created_at: Mapped[dt.datetime]


class PayoutLine(Base):
    """One payment of a batch. A withdrawal has at most one that has not failed: it is never paid twice."""

    __tablename__ = "payout_lines"
    __table_args__ = (
        CheckConstraint("state IN ('sent', 'paid', 'failed')", name="payout_lines_state"),
        CheckConstraint(
            "(state = 'paid') = (bank_reference IS NOT NULL)", name="payout_lines_paid_has_reference"
        ),
        CheckConstraint(
            "(state = 'failed') = (failure_reason IS NOT NULL)", name="payout_lines_failed_has_reason"
        ),
        Index("ux_payout_lines_one_live", "case_no", unique=True, postgresql_where=text("state <> 'failed'")),
        Index("ix_payout_lines_batch", "batch_id"),
        Index("ix_payout_lines_case", "case_no"),
    )

    end_to_end_id: Mapped[str] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("payout_batches.id"))
    case_no: Mapped[str] = mapped_column(ForeignKey("withdrawals.case_no"))
    ordinal: Mapped[int]
    amount_fen: Mapped[int]
    payee: Mapped[str]  # encrypted
    state: Mapped[str]
    bank_reference: Mapped[str | None]
    settled_on: Mapped[dt.date | None]
    failure_reason: Mapped[str | None]
    answered_at: Mapped[dt.datetime | None]


class DeathNotice(Base):
    """A death learned, and what it did: enrolments stopped, months paid after it (to be refunded).

    ``origin`` is the way it came (domain/deaths.py), ``source`` and ``reference`` whose word it is and its
    number there; ``stopped`` are the enrolments' keys, ``paid_after`` kind -> months; no personal data.
    """

    __tablename__ = "death_notices"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "person_id"], ["persons.region_code", "persons.id"]),
        CheckConstraint("state IN ('recorded', 'revoking', 'revoked')", name="death_notices_state"),
        # Nobody dies twice: told again, by whomever, it is the same death.
        Index(
            "ux_death_notices_one_standing",
            "person_id",
            unique=True,
            postgresql_where=text("state <> 'revoked'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    person_id: Mapped[UUID]
    deceased_on: Mapped[dt.date]
    origin: Mapped[str]
    source: Mapped[str]
    reference: Mapped[str]
    evidence_digest: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str]
    stopped: Mapped[list[Any]]
    paid_after: Mapped[dict[str, Any]]
    recorded_by: Mapped[str]
    recorded_at: Mapped[dt.datetime]
    revoke_reason: Mapped[str | None]
    revoke_asked_by: Mapped[str | None]
    revoked_by: Mapped[str | None]
    revoked_at: Mapped[dt.datetime | None]
