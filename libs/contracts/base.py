"""What every fact on the bus has in common.

A fact is in the past tense, self-sufficient, and carries no personal data beyond what a
consumer needs. Contracts only grow: a new field has a default, a breaking change is a new type.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Fact(BaseModel):
    """Base of all event payloads. Consumers ignore fields they do not know yet."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    event_type: ClassVar[str]
    """CloudEvents type, ``cn.yibao.<service>.<fact>.v1``."""


def producer_of(event_type: str) -> str:
    """Service that publishes this type: ``cn.yibao.transfer.case_accepted.v1`` -> ``transfer``."""
    return event_type.split(".")[2]


def topic_of(event_type: str) -> str:
    """One topic per producing service: ``yibao.transfer``."""
    return f"yibao.{producer_of(event_type)}"
