"""Two records of one person made one, and the keys a person was known by before."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from services.enrollment.models.base import Base


class PersonAlias(Base):
    """A blind index by which the region's person was known before: facts that come late name it.

    A record that bears the key itself goes before its alias: a number once recorded wrongly may
    turn out to be somebody else's.
    """

    __tablename__ = "person_aliases"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "person_id"], ["persons.region_code", "persons.id"]),
        Index("ix_person_aliases_person", "person_id"),
    )

    region_code: Mapped[str] = mapped_column(String(6), primary_key=True)
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID]
    since: Mapped[dt.datetime]


class PersonMerge(Base):
    """A request to merge two records: ``merge_id`` ends, ``keep_id`` goes on. No personal data.

    ``effects`` (once approved): what went over, amounts in fen.
    """

    __tablename__ = "person_merges"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "keep_id"], ["persons.region_code", "persons.id"]),
        ForeignKeyConstraint(["region_code", "merge_id"], ["persons.region_code", "persons.id"]),
        CheckConstraint("state IN ('pending', 'approved', 'rejected')", name="person_merges_state"),
        CheckConstraint("keep_id <> merge_id", name="person_merges_two_records"),
        CheckConstraint("(state = 'pending') = (decided_by IS NULL)", name="person_merges_decided"),
        CheckConstraint("decided_by <> requested_by", name="person_merges_two_people"),
        # Two requests at the same moment: the second meets this index.
        Index(
            "ux_person_merges_one_pending",
            "merge_id",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    version: Mapped[int]
    keep_id: Mapped[UUID]
    merge_id: Mapped[UUID]
    state: Mapped[str]
    evidence: Mapped[list[Any]]
    reason: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[dt.datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None]
    decision_reason: Mapped[str | None]
    effects: Mapped[dict[str, Any] | None]
