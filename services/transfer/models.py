"""Tables of the transfer service besides the case file: moves, standings, bank receipts."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.casebook.tables import cases


class Base(DeclarativeBase):
    """Tables of this service."""

    type_annotation_map = {dict[str, Any]: JSONB, list[Any]: JSONB, dt.datetime: DateTime(timezone=True)}  # noqa: RUF012


class Move(Base):
    """One side of a person's move: how far it is, what was sent, what money is where.

    ``periods`` holds the rows of the 信息表 (no personal data), amounts are fen. ``limit_since`` is
    the day the limit that runs now began (one limit may cover several stages). ``revived``: it had
    ended here when money crossed the end; it stands beside whatever else the person has applied for.
    """

    __tablename__ = "moves"

    case_id: Mapped[UUID] = mapped_column(ForeignKey(cases.c.id), primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    counterpart_region_code: Mapped[str] = mapped_column(String(6))
    conversation: Mapped[str] = mapped_column(Text)
    conversation_opened: Mapped[bool] = mapped_column(default=False)
    side: Mapped[str] = mapped_column(Text)
    regime: Mapped[str] = mapped_column(Text)
    person_key: Mapped[str] = mapped_column(String(64))
    insurance_kind: Mapped[str] = mapped_column(String(3))
    is_open: Mapped[bool] = mapped_column(default=True)
    revived: Mapped[bool] = mapped_column(default=False)
    stage_since: Mapped[dt.date]
    limit_since: Mapped[dt.date]
    stage_due_on: Mapped[dt.date | None]
    stage_due_provisional: Mapped[bool] = mapped_column(default=False)
    makers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    periods: Mapped[list[Any]] = mapped_column(default=list)
    sheet_number: Mapped[str | None] = mapped_column(Text)
    sheet_message_id: Mapped[UUID | None]
    correction_reason: Mapped[str | None] = mapped_column(Text)
    amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    paid_bank_reference: Mapped[str | None] = mapped_column(Text)
    paid_on: Mapped[dt.date | None]
    notified_bank_reference: Mapped[str | None] = mapped_column(Text)
    received_fen: Mapped[int | None] = mapped_column(BigInteger)
    received_on: Mapped[dt.date | None]
    continuity: Mapped[dict[str, Any] | None]
    inquiries: Mapped[int] = mapped_column(default=0)
    last_inquiry_on: Mapped[dt.date | None]

    __table_args__ = (
        Index("ux_moves_region_conversation", "region_code", "conversation", unique=True),
        # Two applications at the same moment: the second meets this index, not a gap between
        # a look and a write.
        Index(
            "ux_moves_one_open",
            "region_code",
            "person_key",
            "insurance_kind",
            unique=True,
            postgresql_where=text("is_open AND NOT revived"),
        ),
        # One payment of the bank is one move's.
        Index(
            "ux_moves_paid_reference",
            "region_code",
            "paid_bank_reference",
            unique=True,
            postgresql_where=text("paid_bank_reference IS NOT NULL"),
        ),
        Index("ix_moves_open_due", "stage_due_on", postgresql_where=text("is_open")),
    )

    @property
    def money_moved(self) -> bool:
        """Whether account money has left the other city or this one, as far as this side knows."""
        return bool(self.paid_on or self.notified_bank_reference or self.received_fen)


class Standing(Base):
    """Who is enrolled where, told by enrollment's facts (a projection, rebuilt from the bus)."""

    __tablename__ = "standings"

    enrolment_id: Mapped[str] = mapped_column(Text, primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    person_key: Mapped[str] = mapped_column(String(64))
    insurance_kind: Mapped[str] = mapped_column(String(3))
    person_kind: Mapped[str] = mapped_column(Text)
    started_on: Mapped[dt.date | None]
    stopped_on: Mapped[dt.date | None]
    person_id: Mapped[str | None] = mapped_column(Text)  # enrollment's record; facts of old name none

    __table_args__ = (
        Index("ix_standings_person", "region_code", "person_key"),
        Index("ix_standings_record", "person_id"),
    )


class PersonKey(Base):
    """A key (blind index) a person's record bears or bore; the highest ``version`` is the present one."""

    __tablename__ = "person_keys"

    person_id: Mapped[str] = mapped_column(Text, primary_key=True)
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    version: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_person_keys_key", "region_code", "person_key"),)


class MergedPerson(Base):
    """A record that was of the same person as another, which goes on."""

    __tablename__ = "merged_persons"

    merged_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kept_id: Mapped[str] = mapped_column(Text)
    region_code: Mapped[str] = mapped_column(String(6))

    __table_args__ = (Index("ix_merged_persons_kept", "kept_id"),)


class BankReceipt(Base):
    """A line of the bank's statement: money that arrived, matched to a move or waiting to be."""

    __tablename__ = "bank_receipts"

    region_code: Mapped[str] = mapped_column(String(6), primary_key=True)
    bank_reference: Mapped[str] = mapped_column(Text, primary_key=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    payer_name: Mapped[str] = mapped_column(Text)
    remark: Mapped[str] = mapped_column(Text)
    received_on: Mapped[dt.date]
    matched_case_id: Mapped[UUID | None]
    entered_by: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime]

    __table_args__ = (
        Index("ix_bank_receipts_unmatched", "region_code", postgresql_where=text("matched_case_id IS NULL")),
    )
