"""Sealed papers as they were given out."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from services.enrollment.models.base import Base


class Paper(Base):
    """A sealed PDF, kept so that it is given out again byte for byte.

    ``document_id`` is the case document it is the paper of; ``pdf`` is encrypted, ``digest`` the SHA-256
    (hex) of what was given out. Nothing of it ever changes but whose record it belongs to.
    """

    __tablename__ = "papers"
    __table_args__ = (
        ForeignKeyConstraint(["region_code", "person_id"], ["persons.region_code", "persons.id"]),
        Index("ix_papers_person", "person_id"),
    )

    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(String(6))
    person_id: Mapped[UUID]
    person_key: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str]
    pdf: Mapped[bytes]
    digest: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[dt.datetime]
