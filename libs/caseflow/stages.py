"""The stages of a case after it was accepted, and who decides in each."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Where a case stands inside its status; not every business has every stage."""

    CHECKING = "checking"
    REVIEW = "review"
    FINANCE_CHECK = "finance_check"
    CHIEF_APPROVAL = "chief_approval"
    PAYMENT = "payment"
    ENDED = "ended"


STAGE_NAMES = {
    Stage.CHECKING: "受理核对",
    Stage.REVIEW: "审核",
    Stage.FINANCE_CHECK: "财务复核",
    Stage.CHIEF_APPROVAL: "负责人审批",
    Stage.PAYMENT: "拨付",
    Stage.ENDED: "结束",
}

REVIEW_ONLY = (Stage.REVIEW,)
# Payment needs finance and chief (domain.md §2; hubei-2022 L2482-2495 for the withdrawal).
WITH_PAYMENT = (Stage.REVIEW, Stage.FINANCE_CHECK, Stage.CHIEF_APPROVAL, Stage.PAYMENT)


def next_stage(steps: tuple[Stage, ...], stage: Stage) -> Stage:
    """The stage after this one; ``ENDED`` after the last."""
    after = steps[steps.index(stage) + 1 :]
    return after[0] if after else Stage.ENDED
