"""Requests and answers about merging two records of one person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from libs.casebook.schemas import LongText, ShortText
from libs.contracts.cases import NoticeItem
from libs.money.amounts import yuan_of
from libs.refusals.faults import Fault
from services.enrollment.domain.kinds import INSURANCE_NAMES, InsuranceKind
from services.enrollment.models import PersonMerge
from services.enrollment.schemas.requests import Body

MergeState = Literal["pending", "approved", "rejected"]


class EvidenceBody(Body):
    """一份佐证：名称，及文件摘要（SHA-256）。"""

    name: ShortText
    content_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class PersonMergeBody(Body):
    """两条档案合并申请。"""

    keep_id: UUID = Field(description="保留的档案（人员编号）")
    merge_id: UUID = Field(description="并入的档案（人员编号），合并后只供查询")
    evidence: list[EvidenceBody] = Field(min_length=1, max_length=20, description="证明两条档案为同一人")
    reason: LongText


class RejectMergeBody(Body):
    """不予合并。"""

    reason: LongText


class MonthSide(BaseModel):
    """重复月份在一条档案上的记录。"""

    insurance_kind: InsuranceKind
    insurance_name: str
    source: str
    origin_region_code: str
    base_yuan: str | None
    account_yuan: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        kind, base = InsuranceKind(told["insurance_kind"]), told["base_fen"]
        return cls(
            insurance_kind=kind,
            insurance_name=INSURANCE_NAMES[kind],
            source=told["source"],
            origin_region_code=told["origin_region_code"],
            base_yuan=None if base is None else yuan_of(base),
            account_yuan=yuan_of(told["account_fen"]),
        )


class DoubleMonthView(BaseModel):
    """两条档案都有的月份：只计一次，以保留的档案为准；两笔入账金额都留在账上。"""

    month: str
    stays: MonthSide
    counts_no_more: MonthSide

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        return cls(
            month=told["month"],
            stays=MonthSide.of(told["stays"]),
            counts_no_more=MonthSide.of(told["counts_no_more"]),
        )


class EffectsView(BaseModel):
    """合并结果。"""

    enrolment_ids: list[UUID]
    months_moved: int
    account_yuan: dict[str, str] = Field(description="并入的个人账户余额，按险种")

    @classmethod
    def of(cls, effects: Mapping[str, Any]) -> Self:
        amounts = {fund: yuan_of(fen) for fund, fen in effects["account_fen"].items()}
        return cls(
            enrolment_ids=effects["enrolment_ids"],
            months_moved=effects["months_moved"],
            account_yuan=amounts,
        )


_COLUMNS = (
    "id",
    "region_code",
    "version",
    "keep_id",
    "merge_id",
    "state",
    "evidence",
    "reason",
    "requested_by",
    "requested_at",
    "decided_by",
    "decided_at",
    "decision_reason",
)


class PersonMergeView(BaseModel):
    """档案合并申请。"""

    id: UUID
    region_code: str
    version: int
    keep_id: UUID
    merge_id: UUID
    state: MergeState
    evidence: list[EvidenceBody]
    reason: str
    requested_by: str
    requested_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    decision_reason: str | None
    double_months: list[DoubleMonthView] = Field(default=[], description="两条档案都有的月份")
    overlapping_spells: list[str] = Field(default=[], description="历史上重叠的参保期间（待审核时）")
    differences: list[str] = Field(default=[], description="两条档案不一致的信息项（待审核时）")
    obstacles: list[NoticeItem] = Field(default=[], description="目前不能合并的原因（待审核时）")
    effects: EffectsView | None = None

    @classmethod
    def of(
        cls,
        merge: PersonMerge,
        *,
        double_months: Sequence[Mapping[str, Any]] = (),
        overlapping_spells: Sequence[str] = (),
        differences: Sequence[str] = (),
        obstacles: Sequence[Fault] = (),
    ) -> Self:
        told = {name: getattr(merge, name) for name in _COLUMNS}
        doubles = merge.effects["double_months"] if merge.effects else double_months
        return cls(
            **told,
            double_months=[DoubleMonthView.of(double) for double in doubles],
            overlapping_spells=list(overlapping_spells),
            differences=list(differences),
            obstacles=[NoticeItem(**vars(fault)) for fault in obstacles],
            effects=EffectsView.of(merge.effects) if merge.effects else None,
        )
