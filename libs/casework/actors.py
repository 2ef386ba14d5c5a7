"""Who did something to a case, as its record keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from libs.refusals.faults import forbidden


@dataclass(frozen=True)
class Actor:
    """A person or system at work. ``subject`` is the sign-in's stable id."""

    kind: Literal["citizen", "officer", "system"]
    subject: str
    name: str
    office: str | None = None
    origin: str | None = None  # network address the request came from


# What the system does by itself: timers, answers of other services.
SYSTEM = Actor("system", "system", "系统")


def require_different_person(actor: Actor, earlier: dict[str, str]) -> None:
    """Nobody approves what they entered. ``earlier``: subject -> what that person did here.

    Raises Refusal (forbidden); the system itself is nobody's colleague.
    """
    done = earlier.get(actor.subject)
    if done is not None and actor.kind == "officer":
        raise forbidden("maker_checker", f"您已办理本件的“{done}”，此步骤须由另一位工作人员办理。")
