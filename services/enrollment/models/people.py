"""Employers, people, enrolments, contribution months, moves, and what was said before.

Personal fields (credential, name, telephone) are encrypted; ``person_key`` is the blind index.
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


class Employer(Base):
    """An employer (用人单位) insured in a region.

    ``particulars`` is encrypted JSON: address, legal representative, bank account, agent and whatever
    else form 1 asks for; ``agent_key`` the blind index of the agent's (单位经办人员) credential.
    """

    __tablename__ = "employers"
    __table_args__ = (
        UniqueConstraint("region_code", "credit_code"),
        UniqueConstraint("region_code", "id"),
        Index("ix_employers_agent", "agent_key"),
        Index("ix_employers_name", "region_code", "name", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    version: Mapped[int]
    credit_code: Mapped[str] = mapped_column(String(18))
    name: Mapped[str]
    state: Mapped[str]
    nature: Mapped[str | None]
    insurance_kinds: Mapped[list[Any] | None]
    insured_since: Mapped[dt.date | None]
    state_since: Mapped[dt.date | None]
    particulars: Mapped[str | None]  # encrypted
    agent_key: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime]


class Succession(Base):
    """Who takes an employer's people over: ``split``, ``merge`` or ``separate`` (拆分、合并、分立)."""

    __tablename__ = "employer_successions"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "predecessor_id"], ["employers.region_code", "employers.id"]),
        ForeignKeyConstraint(["region_code", "successor_id"], ["employers.region_code", "employers.id"]),
        CheckConstraint("kind IN ('split', 'merge', 'separate')", name="employer_successions_kind"),
    )

    predecessor_id: Mapped[UUID] = mapped_column(primary_key=True)
    successor_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    kind: Mapped[str]
    effective_on: Mapped[dt.date]
    people: Mapped[int]


class Person(Base):
    """A region's own record of a person. ``version`` also grows when an enrolment of theirs changes.

    ``merged_into`` is the record that goes on where two were kept of one person; nothing is written
    to the one merged any more.
    """

    __tablename__ = "persons"
    __table_args__ = (
        UniqueConstraint("region_code", "person_key"),
        UniqueConstraint("region_code", "id"),
        Index("ix_persons_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    version: Mapped[int]
    person_key: Mapped[str] = mapped_column(String(64))
    credential_type: Mapped[str]
    credential: Mapped[str]  # encrypted
    name: Mapped[str]  # encrypted
    telephone: Mapped[str | None]  # encrypted
    sex: Mapped[str]
    birth_date: Mapped[dt.date]
    address: Mapped[str | None]  # encrypted
    applicant_status: Mapped[str | None]
    subsidy_kind: Mapped[str | None]
    special_group: Mapped[str | None]
    deceased_on: Mapped[dt.date | None]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("persons.id"))
    created_at: Mapped[dt.datetime]


class Enrolment(Base):
    """A stretch of insurance of one kind; ``stopped_on`` is its last day.

    ``counts_as`` is ``basic`` for 310 and 390, else the kind. At most one is active per person and
    ``counts_as``, in all regions of this database together: the unique index sees what row-level
    security hides.
    """

    __tablename__ = "enrolments"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "person_id"], ["persons.region_code", "persons.id"]),
        ForeignKeyConstraint(["region_code", "employer_id"], ["employers.region_code", "employers.id"]),
        CheckConstraint("stopped_on >= started_on", name="enrolments_stops_after_start"),
        CheckConstraint("(stopped_on IS NULL) = (stop_reason IS NULL)", name="enrolments_stop_has_reason"),
        Index(
            "ux_enrolments_one_active",
            "person_key",
            "counts_as",
            unique=True,
            postgresql_where=text("stopped_on IS NULL"),
        ),
        Index("ix_enrolments_person", "person_id"),
        Index("ix_enrolments_person_key", "person_key"),
        Index(
            "ix_enrolments_employer",
            "employer_id",
            "person_id",
            "id",
            postgresql_where=text("stopped_on IS NULL"),
        ),
        # Arrears are listed person by person, of a region or of an employer, former staff included.
        Index("ix_enrolments_region_person", "region_code", "person_id", "id"),
        Index("ix_enrolments_employer_person", "employer_id", "person_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    version: Mapped[int]
    person_id: Mapped[UUID]
    person_key: Mapped[str] = mapped_column(String(64))
    insurance_kind: Mapped[str] = mapped_column(String(3))
    counts_as: Mapped[str]
    person_kind: Mapped[str]
    employer_id: Mapped[UUID | None]
    started_on: Mapped[dt.date]
    stopped_on: Mapped[dt.date | None]
    stop_reason: Mapped[str | None]
    transferred_out_on: Mapped[dt.date | None]
    declared_wage_fen: Mapped[int | None]
    created_at: Mapped[dt.datetime]


class ContributionMonth(Base):
    """A month that counts, once per person, whoever recorded it. Amounts in fen.

    ``source`` is ``own`` or ``transferred_in``; ``travels_with`` is the conversation of the
    transfer out that takes the month along (until it is cancelled, for good once it completes).
    """

    __tablename__ = "contribution_months"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "person_id"], ["persons.region_code", "persons.id"]),
        CheckConstraint(r"month ~ '^\d{4}-(0[1-9]|1[0-2])$'", name="contribution_months_month"),
        CheckConstraint(
            "account_fen BETWEEN 0 AND base_fen OR base_fen IS NULL", name="contribution_months_amounts"
        ),
        Index(
            "ix_contribution_months_paid_with",
            "region_code",
            "paid_with",
            postgresql_where=text("paid_with IS NOT NULL"),
        ),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    counts_as: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    insurance_kind: Mapped[str] = mapped_column(String(3))
    base_fen: Mapped[int | None]
    account_fen: Mapped[int]
    source: Mapped[str]
    origin_region_code: Mapped[str] = mapped_column(String(6))
    origin_agency_name: Mapped[str]
    arrived_with: Mapped[str | None]
    travels_with: Mapped[str | None]
    paid_with: Mapped[str | None]  # serial number of the tax authority's payment
    credit_rule: Mapped[str | None]  # id@version of the rule the credit follows
    recorded_at: Mapped[dt.datetime]


class Transfer(Base):
    """One side of a move: how far money and record are here (domain/transfers.py). Amount in fen."""

    __tablename__ = "transfers"
    __table_args__ = (
        # Two moves at the same moment: the second meets this index, not a gap between look and write.
        Index(
            "ux_transfers_one_leaving",
            "region_code",
            "person_key",
            "insurance_kind",
            unique=True,
            postgresql_where=text("state IN ('prepared', 'issued', 'paid')"),
        ),
        Index("ix_transfers_person", "region_code", "person_key"),
    )

    region_code: Mapped[str] = mapped_column(String(6), primary_key=True)
    conversation: Mapped[str] = mapped_column(primary_key=True)
    side: Mapped[str]
    state: Mapped[str]
    attempt: Mapped[int]
    case_no: Mapped[str]
    counterpart_region_code: Mapped[str] = mapped_column(String(6))
    person_key: Mapped[str] = mapped_column(String(64))
    insurance_kind: Mapped[str] = mapped_column(String(3))
    amount_fen: Mapped[int]
    periods: Mapped[list[Any]]
    months: Mapped[int]
    prepared_at: Mapped[dt.datetime | None]
    credited_on: Mapped[dt.date | None]
    changed_at: Mapped[dt.datetime]


class Change(Base):
    """What data said before and after, by whom, when, why; only added to. Personal data are encrypted."""

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_subject", "subject_kind", "subject_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    version: Mapped[int]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any]]
    changed_by: Mapped[str]
    reason: Mapped[str | None]
    changed_at: Mapped[dt.datetime]
