"""What is known of one application, to be held against the conditions a document states."""

from __future__ import annotations

from dataclasses import dataclass

from libs.catalogue.schema import When

Known = str | frozenset[str] | None


@dataclass(frozen=True)
class Situation:
    """What is known of this application along the dimensions of ``When``.

    A person may be several kinds at once (an employee who is a foreigner): then a set.
    """

    scope: Known = None
    channel: Known = None
    level: Known = None
    person_kind: Known = None
    disease: Known = None
    case_kind: Known = None
    evidence: Known = None

    def meets(self, when: When) -> bool:
        """All dimensions the condition names must hold; an unknown one does not hold."""
        return all(
            not _values(getattr(self, dimension)).isdisjoint(accepted)
            for dimension, accepted in when
            if accepted
        )


def _values(known: Known) -> frozenset[str]:
    if known is None:
        return frozenset()
    return frozenset({known}) if isinstance(known, str) else known
