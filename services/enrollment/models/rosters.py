"""Rosters (花名册), their files and what became of every row; all isolated by region."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.enrollment.models.base import Base


class Roster(Base):
    """A file of many people and how far it has come.

    ``next_row`` is the first row of the file that is not done; ``file_name`` is encrypted (people
    call files by names of people); ``leased_by`` is the worker at it, until ``leased_until`` by the
    database's clock. ``version`` grows with every step of its progress.
    """

    __tablename__ = "rosters"
    __table_args__ = (
        UniqueConstraint("region_code", "id"),
        ForeignKeyConstraint(["region_code", "employer_id"], ["employers.region_code", "employers.id"]),
        CheckConstraint("kind IN ('student', 'employee')", name="rosters_kind"),
        CheckConstraint(
            "state IN ('received', 'ready', 'running', 'finished', 'failed')", name="rosters_state"
        ),
        CheckConstraint("format IN ('csv', 'xlsx')", name="rosters_format"),
        CheckConstraint(
            "rows_done = enrolled + already_enrolled + refused AND rows_done <= rows_total",
            name="rosters_counts",
        ),
        CheckConstraint("(kind = 'employee') = (employer_id IS NOT NULL)", name="rosters_employer"),
        Index(
            "ux_rosters_same_file",
            "region_code",
            "kind",
            "digest",
            unique=True,
            postgresql_where=text("state <> 'failed'"),
        ),
        Index("ix_rosters_waiting", "submitted_at", postgresql_where=text("state IN ('ready', 'running')")),
        Index("ix_rosters_newest", "region_code", text("submitted_at DESC"), text("id DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    version: Mapped[int]
    kind: Mapped[str]
    state: Mapped[str]
    format: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str]  # encrypted
    school: Mapped[str | None]
    employer_id: Mapped[UUID | None]
    started_on: Mapped[dt.date]
    case_no: Mapped[str | None]
    rows_total: Mapped[int]
    rows_done: Mapped[int]
    enrolled: Mapped[int]
    already_enrolled: Mapped[int]
    refused: Mapped[int]
    next_row: Mapped[int]
    submitted_by: Mapped[str]
    submitted_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    leased_by: Mapped[UUID | None]
    leased_until: Mapped[dt.datetime | None]


class RosterFile(Base):
    """The file as it was sent, sealed; apart, so that looking at progress reads no megabytes."""

    __tablename__ = "roster_files"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "roster_id"], ["rosters.region_code", "rosters.id"]),
    )

    roster_id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    content: Mapped[bytes]


class RosterRow(Base):
    """What became of one row, once: the key is what makes a second time impossible.

    ``codes`` are the faults' codes, countable; ``faults`` their sentences, encrypted, because some
    name a date of birth or where somebody is insured.
    """

    __tablename__ = "roster_rows"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "roster_id"], ["rosters.region_code", "rosters.id"]),
        CheckConstraint("outcome IN ('enrolled', 'already_enrolled', 'refused')", name="roster_rows_outcome"),
        CheckConstraint("(outcome = 'refused') = (faults IS NOT NULL)", name="roster_rows_faults"),
        CheckConstraint("(outcome = 'refused') = (enrolment_id IS NULL)", name="roster_rows_enrolment"),
        Index(
            "ix_roster_rows_refused",
            "roster_id",
            "row_no",
            postgresql_where=text("outcome = 'refused'"),
        ),
    )

    roster_id: Mapped[UUID] = mapped_column(primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    outcome: Mapped[str]
    codes: Mapped[list[Any]]
    faults: Mapped[str | None]  # encrypted
    person_id: Mapped[UUID | None]
    enrolment_id: Mapped[UUID | None]
