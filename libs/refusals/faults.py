"""Refusals as data: what was wrong, where, by which rule, in Chinese for people.

One kind of error for all rules, so one table (libs/webapp/problems.py) can answer them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class RefusalKind(StrEnum):
    """Kinds of refusal; each is one HTTP status, everywhere."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    STALE_VERSION = "stale_version"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    ``pointer`` names the field (JSON pointer, "" for the whole), ``code`` is stable for
    programs, ``message`` is a Chinese sentence that says what would be right, ``rule`` is
    where that is written (edition, item, line), if it is written anywhere.
    """

    code: str
    message: str
    pointer: str = ""
    rule: str | None = None


class Refusal(Exception):
    """A rule says no. Carries every fault found, never just the first."""

    def __init__(self, kind: RefusalKind, code: str, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.faults = tuple(faults)


def invalid(code: str, message: str, faults: Sequence[Fault] = ()) -> Refusal:
    """The input breaks a rule."""
    return Refusal(RefusalKind.INVALID, code, message, faults)


def conflict(code: str, message: str, faults: Sequence[Fault] = ()) -> Refusal:
    """The input is well formed but does not fit the present state."""
    return Refusal(RefusalKind.CONFLICT, code, message, faults)


def forbidden(code: str, message: str, faults: Sequence[Fault] = ()) -> Refusal:
    """This caller may not do that."""
    return Refusal(RefusalKind.FORBIDDEN, code, message, faults)


def not_found(code: str, message: str) -> Refusal:
    """There is no such thing, or none this caller may know of."""
    return Refusal(RefusalKind.NOT_FOUND, code, message)
