"""Tables of the tracking service: a projection of other services' facts, and the ratings.

``tracked_*`` hold nothing of their own: they can be emptied and rebuilt from the topics (README).
``ratings`` is first-hand and stays.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

REGION = String(6)
DIGEST = String(64)

tracked_cases = Table(
    "tracked_cases",
    metadata,
    Column("case_no", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("region_code", REGION, nullable=False),
    Column("counterpart_region_code", REGION),
    Column("operation", Text, nullable=False),
    Column("item_key", Text, nullable=False),
    Column("item_name", Text, nullable=False),
    Column("edition_id", Text, nullable=False),
    Column("subject_key", DIGEST, nullable=False),
    Column("subject_name_masked", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_name", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("stage_name", Text, nullable=False),
    Column("assignee", Text),
    Column("due_on", Date),
    Column("due_provisional", Boolean, nullable=False),
    # What the work queue is sorted by: domain.owed_by. Never null, so that a cursor can compare it.
    Column("owed_by", Date, nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    Index("ix_tracked_cases_queue", "region_code", "owed_by", "case_no"),
    Index("ix_tracked_cases_subject", "subject_key", "owed_by", "case_no"),
)

tracked_moves = Table(
    "tracked_moves",
    metadata,
    Column("case_no", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("region_code", REGION, nullable=False),
    Column("action", Text, nullable=False),
    Column("action_name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_name", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("stage_name", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("office", Text),
    Column("reason", Text),
    Column("notice", JSONB, nullable=False),
    Column("due_on", Date),
    Column("due_provisional", Boolean, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

tracked_messages = Table(
    "tracked_messages",
    metadata,
    Column("case_no", Text, primary_key=True),
    # The fact has no number of its own: the same message told twice has the same digest.
    Column("digest", DIGEST, primary_key=True),
    Column("region_code", REGION, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

ratings = Table(
    "ratings",
    metadata,
    Column("case_no", Text, primary_key=True),
    Column("region_code", REGION, nullable=False),
    Column("subject_key", DIGEST, nullable=False),
    Column("stars", SmallInteger, nullable=False),
    Column("text", Text),
    Column("rated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("stars BETWEEN 1 AND 5", name="stars_from_1_to_5"),
)
