"""The window a request comes to: desk, caller, the version they saw, the answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Header, Request, Response

from libs.casebook.cases import Case
from libs.casebook.schemas import CaseView, case_view
from libs.casework.actors import Actor
from libs.casework.lifecycle import Status
from libs.refusals.faults import Fault, Refusal, RefusalKind, not_found
from libs.webapp.callers import Caller, CallerKind, Role
from libs.webapp.edge import CallerDep, SessionDep, resources_of
from services.transfer.domain.stages import STAGE_NAMES
from services.transfer.models import Move
from services.transfer.service.desk import Desk
from services.transfer.service.office import Office

CASEWORKERS = (Role.CLERK, Role.REVIEWER, Role.SUPERVISOR)

Verb = Callable[[Desk, Case, Move], Awaitable[Case]]

_ETAG = re.compile(r'"(\d{1,9})"', re.ASCII)
_STAGE_NAMES = {stage.value: name for stage, name in STAGE_NAMES.items()}


@dataclass(frozen=True)
class Window:
    """One request at work. ``version`` is what the caller saw (If-Match), None if they did not say."""

    desk: Desk
    caller: Caller
    version: int | None
    response: Response

    async def act(self, case_no: str, verb: Verb, *roles: Role, or_applicant: bool = False) -> CaseView:
        """Do ``verb`` to a case this caller may work on, and answer with the case as it is then."""
        if not (or_applicant and self.caller.kind is CallerKind.CITIZEN):
            self.caller.require_role(*roles)
        case, move = await self.desk.open(case_no, self.version)
        self._require_reader(case)
        return await self.answer(await verb(self.desk, case, move))

    async def read(self, case_no: str) -> Case:
        """The case, if this caller may know of it. Raises Refusal (not found) otherwise."""
        case = await self.desk.office.casebook.load(self.desk.session, case_no)
        self._require_reader(case)
        return case

    async def answer(self, case: Case) -> CaseView:
        """The case on the wire, with its version as ETag."""
        self.response.headers["ETag"] = f'"{case.version}"'
        full_name = self.caller.kind is CallerKind.OFFICER or self.caller.subject == case.subject_key
        return case_view(case, _STAGE_NAMES, await self._open_notice(case), full_name=full_name)

    async def _open_notice(self, case: Case) -> list[Fault]:
        """What the reader must know: what is to be supplemented, or why it ended badly."""
        if case.status not in (Status.SUPPLEMENTING, Status.REFUSED, Status.REJECTED):
            return []
        line = await self.desk.office.casebook.last_line(self.desk.session, case)
        return [Fault(**item) for item in line.details["notice"]]

    def _require_reader(self, case: Case) -> None:
        """Foreign regions' cases do not exist for an officer; other people's do not for a citizen."""
        if self.caller.kind is CallerKind.CITIZEN:
            known = self.caller.subject == case.subject_key
        else:
            known = self.caller.may_see(case.region_code)
        if not known:
            raise not_found("no_case", f"没有编号为{case.case_no}的办件。")
        if self.caller.kind is CallerKind.SYSTEM:
            self.caller.require_scope("transfer.read")


async def _version(
    if_match: Annotated[str | None, Header(description="办件版本（ETag）")] = None,
) -> int | None:
    if if_match is None or if_match == "*":
        return None
    quoted = _ETAG.fullmatch(if_match)
    if quoted is None:
        raise Refusal(RefusalKind.STALE_VERSION, "if_match", 'If-Match应为办件的ETag，例如"3"。')
    return int(quoted[1])


async def _window(
    request: Request,
    response: Response,
    session: SessionDep,
    caller: CallerDep,
    version: Annotated[int | None, Depends(_version)],
) -> Window:
    office = cast(Office, request.app.state.office)
    origin = request.headers.get("X-Forwarded-For") or (request.client.host if request.client else None)
    actor = Actor(caller.kind.value, caller.subject, caller.name, caller.office, origin)
    return Window(Desk(office, session, actor, resources_of(request).clock.now()), caller, version, response)


WindowDep = Annotated[Window, Depends(_window)]
