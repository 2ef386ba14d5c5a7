"""Why an event is given up, and telling that from a database that is merely away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import asyncpg
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class FaultKind(StrEnum):
    """Kinds of dead letters."""

    BROKEN = "broken"  # the bytes are no envelope
    UNKNOWN_TYPE = "unknown_type"  # no type of ours at all
    UNKNOWN_VERSION = "unknown_version"  # a version of a fact we know that we do not know
    INVALID_DATA = "invalid_data"  # the data do not fit the contract
    POISON = "poison"  # the handler failed on every attempt
    REFUSED = "refused"  # the broker will never take it


@dataclass(frozen=True, slots=True)
class Fault:
    """What a dead letter says. ``reason`` quotes no data of the event."""

    kind: FaultKind
    reason: str
    attempts: int = 1


class DatabaseAway(Exception):
    """The consumer's database cannot be used just now: nothing is wrong with the event."""


# SQLSTATEs: connection, rollback for another's sake (deadlock, serialisation), resources, shutdown,
# system error, and a lock not granted in time. Not 57014: a statement that always runs into its
# time limit is poison.
_AWAY = ("08", "40", "53", "57P", "58", "55P03")


def is_database_away(error: BaseException) -> bool:
    """Whether the same work may succeed later without anybody changing anything."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        return str(getattr(error.orig, "sqlstate", None) or "").startswith(_AWAY)
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate or "").startswith(_AWAY)
    return isinstance(error, (DatabaseAway, PoolTimeout, ConnectionError, asyncpg.InternalClientError))


def is_deadlock(error: BaseException) -> bool:
    """Whether PostgreSQL ended this transaction so that another could go on: done again, it will do."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == "40P01"


def describe(error: BaseException) -> str:
    """An error in one line that shows no value out of the event, SQL parameters least of all."""
    if isinstance(error, ValidationError):
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        return _storable("; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults))
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig.__cause__ or error.orig
    first_line = str(error).partition("\n")[0]
    return _storable(f"{type(error).__name__}: {first_line}")


def _storable(message: str) -> str:
    """Without what PostgreSQL refuses in a text: a dead letter must never fail for its reason."""
    return message.replace("\0", "").encode(errors="replace").decode()
