"""What the routes of this service share: the desk, the caller's rights, versions in headers."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Response

from libs.refusals.faults import Fault, invalid
from libs.webapp.callers import Caller, CallerKind, Role
from libs.webapp.edge import CallerDep, ResourcesDep, SessionDep
from libs.webapp.paging import decode_cursor
from services.enrollment.models import Person
from services.enrollment.models.rows import PersonRow
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import no_person

PREFIX = "/v1/enrollment"
READ_SCOPE = "enrollment.read"
WRITE_SCOPE = "enrollment.write"

_VERSION = re.compile(r'(?:W/)?"(\d{1,18})"', re.ASCII)


async def _desk(session: SessionDep, caller: CallerDep, resources: ResourcesDep) -> Desk:
    actor = f"{caller.kind}:{caller.subject}"
    return Desk(session, resources.protector, resources.clock.now(), actor, caller.regions)


DeskDep = Annotated[Desk, Depends(_desk)]


def require_writer(caller: Caller) -> None:
    """Clerks and reviewers write, and systems that may. Raises Refusal (forbidden)."""
    if caller.kind is CallerKind.SYSTEM:
        caller.require_scope(WRITE_SCOPE)
    else:
        caller.require_role(Role.CLERK, Role.REVIEWER)


def require_office(caller: Caller) -> None:
    """Officers of any role, and systems that may read. Raises Refusal (forbidden)."""
    if caller.kind is CallerKind.SYSTEM:
        caller.require_scope(READ_SCOPE)
    else:
        caller.require_role(*Role)


def require_readable(caller: Caller, person: Person | PersonRow) -> None:
    """Citizens read their own, officers and systems whatever their desk shows them. Raises Refusal.

    Somebody else's record is answered as one that does not exist.
    """
    if caller.kind is CallerKind.CITIZEN:
        if person.person_key != caller.subject:
            raise no_person()
    else:
        require_office(caller)


def sees_in_full(caller: Caller, person: Person | PersonRow) -> bool:
    """Identity number and telephone unmasked: for the person, and for reviewers."""
    if caller.kind is CallerKind.CITIZEN:
        return person.person_key == caller.subject
    return caller.kind is CallerKind.OFFICER and Role.REVIEWER in caller.roles


def set_version(response: Response, version: int) -> None:
    """ETag of the answer."""
    response.headers["ETag"] = f'"{version}"'


async def _expected_version(
    if_match: Annotated[
        str | None, Header(alias="If-Match", description="上次读到的ETag；内容已被他人更新时不办理。")
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = _VERSION.fullmatch(if_match.strip())
    if match is None:
        message = 'If-Match应为上次读到的ETag，例如"3"。'
        raise invalid("if_match", message, [Fault("if_match", message, "/header/If-Match")])
    return int(match[1])


ExpectedVersion = Annotated[int | None, Depends(_expected_version)]


def position_in(cursor: str | None) -> UUID | None:
    """The last row's key in a page's cursor. Raises Refusal (invalid) for anything but our own cursors."""
    if cursor is None:
        return None
    (position,) = decode_cursor(cursor, 1)
    try:
        return UUID(position)
    except ValueError as error:
        message = "cursor无效：请原样使用上一页答复中的next_cursor，或去掉它从头查询。"
        raise invalid("cursor", message, [Fault("cursor", message, "/query/cursor")]) from error
