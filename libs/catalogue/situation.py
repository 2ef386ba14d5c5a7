"""What is known of one application, to be held against the conditions a document states."""

from __future__ import annotations

from dataclasses import dataclass

from libs.catalogue.schema import When


@dataclass(frozen=True)
class Situation:
    """What is known of this application along the dimensions of ``When``."""

    scope: str | None = None
    channel: str | None = None
    level: str | None = None
    person_kind: str | None = None
    disease: str | None = None
    case_kind: str | None = None
    evidence: str | None = None

    def meets(self, when: When) -> bool:
        """All dimensions the condition names must hold; an unknown one does not hold."""
        return all(getattr(self, dimension) in accepted for dimension, accepted in when if accepted)
