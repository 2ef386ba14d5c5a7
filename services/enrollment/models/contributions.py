"""The tax authority's files, their payments, and retirees' monthly credits; all isolated by region.

Credential and name are encrypted; ``person_key`` is the blind index. Amounts in fen.
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


class ContributionFile(Base):
    """A file as it was received; ``digest`` is sha256 of all of it. How far it is, its payments say."""

    __tablename__ = "contribution_files"
    __table_args__ = (
        UniqueConstraint("region_code", "file_no"),
        CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="contribution_files_state"),
        Index(
            "ix_contribution_files_applying",
            "region_code",
            "received_at",
            postgresql_where=text("state = 'applying'"),
        ),
        Index("ix_contribution_files_month", "region_code", "month"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    file_no: Mapped[str]
    month: Mapped[str] = mapped_column(String(7))
    digest: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    total_fen: Mapped[int]
    state: Mapped[str]
    received_by: Mapped[str]
    received_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]


class Payment(Base):
    """A row of a file: what was paid, and what came of it (domain/payments.py, ``Outcome``).

    Of a broken row only number, serial, kind of insurance and amounts are sure. ``recorded_through`` is,
    for residents' years, the last month the record has been brought up to; ``account_fen`` and ``rule``
    what was credited and by which rule.
    """

    __tablename__ = "contribution_payments"
    __table_args__ = (
        CheckConstraint(
            "outcome IN ('pending', 'matched', 'unmatched', 'broken', 'repeated', 'reversed')",
            name="contribution_payments_outcome",
        ),
        # One serial number moves money once, whatever files it stands in.
        Index(
            "ux_contribution_payments_serial",
            "region_code",
            "serial",
            unique=True,
            postgresql_where=text("outcome <> 'repeated'"),
        ),
        # A resident's year is paid once.
        Index(
            "ux_contribution_payments_year",
            "person_id",
            "insurance_kind",
            "period",
            unique=True,
            postgresql_where=text("outcome = 'matched' AND length(period) = 4 AND kind <> 'correction'"),
        ),
        Index("ix_contribution_payments_outcome", "file_id", "outcome", "row_no"),
        # A person's payments go over when two records become one.
        Index("ix_contribution_payments_person", "person_id", postgresql_where=text("person_id IS NOT NULL")),
        Index("ix_contribution_payments_period", "region_code", "period"),
        Index(
            "ix_contribution_payments_coming",
            "recorded_through",
            postgresql_where=text("outcome = 'matched' AND recorded_through IS NOT NULL"),
        ),
    )

    file_id: Mapped[UUID] = mapped_column(ForeignKey("contribution_files.id"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    serial: Mapped[str]
    insurance_kind: Mapped[str] = mapped_column(String(3))
    unit_fen: Mapped[int]
    personal_fen: Mapped[int]
    late_fee_fen: Mapped[int]
    payer_kind: Mapped[str | None]
    credit_code: Mapped[str | None] = mapped_column(String(18))
    credential_type: Mapped[str | None]
    credential: Mapped[str | None]  # encrypted
    name: Mapped[str | None]  # encrypted
    person_key: Mapped[str | None] = mapped_column(String(64))
    person_kind: Mapped[str | None]
    period: Mapped[str | None] = mapped_column(String(7))
    base_fen: Mapped[int | None]
    kind: Mapped[str | None]
    corrects: Mapped[str | None]
    paid_on: Mapped[dt.date | None]
    outcome: Mapped[str]
    reasons: Mapped[list[Any]]
    person_id: Mapped[UUID | None]
    account_fen: Mapped[int | None]
    rule: Mapped[str | None]
    recorded_through: Mapped[str | None] = mapped_column(String(7))
    applied_at: Mapped[dt.datetime | None]


class RetireeRun(Base):
    """The monthly credit of a region's retirees; how far it is, ``retiree_credits`` says."""

    __tablename__ = "retiree_runs"
    __table_args__ = (
        CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="retiree_runs_state"),
    )

    region_code: Mapped[str] = mapped_column(String(6), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    state: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]


class RetireeCredit(Base):
    """A retiree's credit of a month, once, and the rule it follows."""

    __tablename__ = "retiree_credits"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "month"], ["retiree_runs.region_code", "retiree_runs.month"]),
        ForeignKeyConstraint(["region_code", "person_id"], ["persons.region_code", "persons.id"]),
        Index("ix_retiree_credits_run", "region_code", "month"),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    amount_fen: Mapped[int]
    rule: Mapped[str]
    credited_at: Mapped[dt.datetime]
