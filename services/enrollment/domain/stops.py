"""Why an enrolment ends or is interrupted."""

from __future__ import annotations

from enum import StrEnum


class StopReason(StrEnum):
    """Reason of a stop (中断、终止); the names are what people read."""

    EMPLOYMENT_ENDED = "employment_ended"
    INTERRUPTED = "interrupted"
    MOVED_AWAY = "moved_away"
    RETIRED = "retired"
    DECEASED = "deceased"
    EMIGRATED = "emigrated"
    ENLISTED = "enlisted"
    GAVE_UP = "gave_up"
    MOVED_WITHIN = "moved_within"
    EMPLOYER_SUSPENDED = "employer_suspended"
    EMPLOYER_CANCELLED = "employer_cancelled"
    EMPLOYER_SUCCEEDED = "employer_succeeded"
    OTHER = "other"


STOP_REASON_NAMES = {
    StopReason.EMPLOYMENT_ENDED: "解除或终止劳动关系",
    StopReason.INTERRUPTED: "中断缴费",
    StopReason.MOVED_AWAY: "转往外地参保",
    StopReason.RETIRED: "在职转退休",
    StopReason.DECEASED: "死亡",
    StopReason.EMIGRATED: "出国（境）定居",
    StopReason.ENLISTED: "参军",
    StopReason.GAVE_UP: "主动放弃",
    StopReason.MOVED_WITHIN: "统筹地区内转移",
    StopReason.EMPLOYER_SUSPENDED: "单位暂停参保",
    StopReason.EMPLOYER_CANCELLED: "单位注销",
    StopReason.EMPLOYER_SUCCEEDED: "单位拆分、合并、分立",
    StopReason.OTHER: "其他",
}
