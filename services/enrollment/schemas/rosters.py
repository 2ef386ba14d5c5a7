"""Rosters on the wire."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from libs.refusals.faults import Fault
from libs.rosters.layouts import RosterKind, layout_of
from libs.rosters.reading import Format
from services.enrollment.domain.rosters import OUTCOME_NAMES, ROSTER_STATE_NAMES, Outcome, RosterState
from services.enrollment.models import Roster, RosterRow


class FaultCountAnswer(BaseModel):
    """How many rows were refused for a reason; a row with two reasons counts in both."""

    code: str
    rows: int


class RosterAnswer(BaseModel):
    """花名册办理进度. ``rows_done`` = enrolled + already_enrolled + refused.

    ``rows_per_s`` is the pace since the start, ``expected_end`` the end at that pace.
    """

    id: UUID
    region_code: str
    kind: RosterKind
    kind_name: str
    state: RosterState
    state_name: str
    format: Format
    file_name: str
    school: str | None
    employer_id: UUID | None
    started_on: dt.date
    case_no: str | None
    rows_total: int
    rows_done: int
    enrolled: int
    already_enrolled: int
    refused: int
    rows_per_s: float | None = Field(description="每秒处理人数")
    expected_end: dt.datetime | None
    fault_counts: list[FaultCountAnswer] = Field(description="处理完毕后，各类原因的人数")
    submitted_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    version: int

    @classmethod
    def of(
        cls,
        roster: Roster,
        file_name: str,
        rows_per_s: float | None = None,
        expected_end: dt.datetime | None = None,
        fault_counts: Sequence[tuple[str, int]] = (),
    ) -> Self:
        columns = (
            "id", "region_code", "kind", "state", "format", "school", "employer_id", "started_on", "case_no",
            "rows_total", "rows_done", "enrolled", "already_enrolled", "refused", "submitted_at",
            "started_at", "finished_at", "version",
        )  # fmt: skip
        return cls(
            **{name: getattr(roster, name) for name in columns},
            kind_name=layout_of(RosterKind(roster.kind)).name,
            state_name=ROSTER_STATE_NAMES[RosterState(roster.state)],
            file_name=file_name,
            rows_per_s=None if rows_per_s is None else round(rows_per_s, 1),
            expected_end=expected_end,
            fault_counts=[FaultCountAnswer(code=code, rows=rows) for code, rows in fault_counts],
        )


class RowFaultAnswer(BaseModel):
    """One reason; ``column`` is the layout's key of the column, empty where it is none."""

    code: str
    column: str
    message: str
    rule: str | None


class RosterRowAnswer(BaseModel):
    """What became of a row; ``row_no`` counts as the spreadsheet does."""

    row_no: int
    outcome: Outcome
    outcome_name: str
    person_id: UUID | None
    enrolment_id: UUID | None
    faults: list[RowFaultAnswer]

    @classmethod
    def of(cls, row: RosterRow, faults: Sequence[Fault]) -> Self:
        return cls(
            row_no=row.row_no,
            outcome=Outcome(row.outcome),
            outcome_name=OUTCOME_NAMES[Outcome(row.outcome)],
            person_id=row.person_id,
            enrolment_id=row.enrolment_id,
            faults=[
                RowFaultAnswer(
                    code=fault.code, column=fault.pointer.strip("/"), message=fault.message, rule=fault.rule
                )
                for fault in faults
            ],
        )
