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
    OTHER = "other"


STOP_REASON_NAMES = {
    StopReason.EMPLOYMENT_ENDED: "解除或终止劳动关系",
    StopReason.INTERRUPTED: "中断缴费",
    StopReason.MOVED_AWAY: "转往外地参保",
    StopReason.RETIRED: "在职转退休",
    StopReason.DECEASED: "死亡",
    StopReason.EMIGRATED: "出国（境）定居",
    StopReason.OTHER: "其他",
}
