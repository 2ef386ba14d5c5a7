"""What reads take of the tables: plain rows, for answers that change nothing.

Their names are those of the models, so rules and answers take either.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from uuid import UUID


class PersonRow(NamedTuple):
    """Of ``Person``: what answers show and rights are checked by. Personal fields are encrypted."""

    id: UUID
    region_code: str
    version: int
    person_key: str
    credential_type: str
    credential: str
    name: str
    telephone: str | None
    sex: str
    birth_date: dt.date


class EnrolmentRow(NamedTuple):
    """Of ``Enrolment``: what answers show."""

    id: UUID
    person_id: UUID
    region_code: str
    version: int
    insurance_kind: str
    person_kind: str
    started_on: dt.date
    stopped_on: dt.date | None
    stop_reason: str | None
    transferred_out_on: dt.date | None


class EmployerRow(NamedTuple):
    """Of ``Employer``: what an enrolment says of it."""

    id: UUID
    name: str
