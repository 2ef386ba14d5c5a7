"""Deaths learned, on the wire."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from libs.casebook.schemas import Body, CredentialBody, LongText
from services.enrollment.domain.deaths import NOTICE_STATE_NAMES, LineOutcome, NoticeState, Source
from services.enrollment.models import DeathNotice
from services.enrollment.schemas.values import Day, Line


class DeathBody(Body):
    """一条死亡信息。"""

    credential: CredentialBody
    deceased_on: Day
    source: Line = Field(description="信息来源，如公安、民政、卫健")
    reference: Line = Field(description="来源方编号")
    evidence_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="证明材料的SHA-256；工作人员登记时必填"
    )


class DeathsBody(Body):
    """死亡信息，可多条；每条单独答复。"""

    notices: list[DeathBody] = Field(min_length=1, max_length=200)


class NoticeAnswer(BaseModel):
    """一个统筹区内登记的死亡信息及其影响；不含证件号码。"""

    id: UUID
    region_code: str
    person_id: UUID
    deceased_on: dt.date
    origin: Source
    state: NoticeState
    state_name: str
    stopped_enrolments: list[str]
    months_to_refund: dict[str, list[str]] = Field(description="死亡次月起已缴费的月份，按险种，应退费")

    @classmethod
    def of(cls, notice: DeathNotice) -> NoticeAnswer:
        state = NoticeState(notice.state)
        return cls(
            id=notice.id,
            region_code=notice.region_code,
            person_id=notice.person_id,
            deceased_on=notice.deceased_on,
            origin=Source(notice.origin),
            state=state,
            state_name=NOTICE_STATE_NAMES[state],
            stopped_enrolments=notice.stopped,
            months_to_refund=notice.paid_after,
        )


class DeathLineAnswer(BaseModel):
    """对一条死亡信息的答复，次序与请求相同。"""

    outcome: LineOutcome
    outcome_name: str
    notices: list[NoticeAnswer]


class RevokeBody(Body):
    """申请撤销误报的死亡信息。"""

    reason: LongText


class RevokedAnswer(BaseModel):
    """撤销结果：恢复的参保关系，和未能自动恢复的原因。"""

    notice: NoticeAnswer
    resumed_enrolments: list[str]
    not_resumed: list[str]
