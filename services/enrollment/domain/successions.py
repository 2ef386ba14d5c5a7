"""拆分、合并、分立: who of the predecessors' people goes on with which successor.

(domain.md §3; forms: hubei-2022 form 1, L8368.) In a split and a merger the predecessors end, so
everybody must go on somewhere; after a separation whoever is not named stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class SuccessionKind(StrEnum):
    SPLIT = "split"
    MERGE = "merge"
    SEPARATE = "separate"


@dataclass(frozen=True)
class Member:
    """An active enrolment with an employer. ``declared_wage_fen`` is a month's."""

    enrolment_id: UUID
    version: int
    person_id: UUID
    person_key: str
    insurance_kind: str
    counts_as: str
    person_kind: str
    employer_id: UUID
    started_on: dt.date
    declared_wage_fen: int | None


@dataclass(frozen=True)
class Share:
    """What one successor takes: the people named (``person_key``), and with ``takes_rest`` all others."""

    people: Sequence[str] = ()
    takes_rest: bool = False


@dataclass(frozen=True)
class Assignment:
    """Enrolment -> number of the share it goes on in, and what is wrong with the shares.

    ``unknown`` and ``twice`` are (share, place in its list); ``left_over`` and ``too_late`` name people.
    """

    moves: Mapping[UUID, int]
    unknown: Sequence[tuple[int, int]] = ()
    twice: Sequence[tuple[int, int]] = ()
    left_over: Sequence[str] = ()
    too_late: Sequence[str] = field(default=())

    @property
    def is_right(self) -> bool:
        return not (self.unknown or self.twice or self.left_over or self.too_late)


def assign(
    kind: SuccessionKind, members: Sequence[Member], shares: Sequence[Share], effective_on: dt.date
) -> Assignment:
    """Who goes where from ``effective_on`` on, with all enrolments a person has with the predecessors.

    ``too_late``: enrolled only on that day or later, so that the old enrolment would have no day.
    """
    there = {member.person_key for member in members}
    share_of: dict[str, int] = {}
    unknown: list[tuple[int, int]] = []
    twice: list[tuple[int, int]] = []
    for number, share in enumerate(shares):
        for place, person_key in enumerate(share.people):
            if person_key not in there:
                unknown.append((number, place))
            elif person_key in share_of:
                twice.append((number, place))
            else:
                share_of[person_key] = number
    rest = next((number for number, share in enumerate(shares) if share.takes_rest), None)
    if rest is not None:
        share_of = dict.fromkeys(there, rest) | share_of
    left_over = sorted(there - share_of.keys()) if kind is not SuccessionKind.SEPARATE else []
    moving = [member for member in members if member.person_key in share_of]
    return Assignment(
        moves={member.enrolment_id: share_of[member.person_key] for member in moving},
        unknown=unknown,
        twice=twice,
        left_over=left_over,
        too_late=sorted({member.person_key for member in moving if member.started_on >= effective_on}),
    )
