"""The window a request about a case comes to: desk, caller, the version they saw, the answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.cases import Case, Casebook
from libs.casebook.schemas import CaseView, case_view
from libs.caseflow.applications import Application
from libs.caseflow.desk import CaseDesk, Caseflow
from libs.caseflow.stages import STAGE_NAMES
from libs.casework.actors import Actor
from libs.casework.lifecycle import Status
from libs.refusals.faults import Fault, Refusal, RefusalKind, forbidden, not_found
from libs.webapp.callers import Caller, CallerKind, Role
from libs.webapp.edge import CallerDep, SessionDep, resources_of

CASEWORKERS = (Role.CLERK, Role.REVIEWER, Role.SUPERVISOR)

Verb = Callable[[CaseDesk, Case], Awaitable[Case]]

_ETAG = re.compile(r'"(\d{1,9})"', re.ASCII)
_STAGE_NAMES = {stage.value: name for stage, name in STAGE_NAMES.items()}


@dataclass(frozen=True)
class Window:
    """One request at work. ``version`` is what the caller saw (If-Match), None if they did not say."""

    desk: CaseDesk
    caller: Caller
    version: int | None
    read_scope: str
    response: Response

    async def act(self, case_no: str, verb: Verb, *roles: Role, or_applicant: bool = False) -> CaseView:
        """Do ``verb`` to a case this caller may work on, and answer with the case as it is then."""
        if not (or_applicant and self.caller.kind is CallerKind.CITIZEN):
            self.caller.require_role(*roles)
        await self.read(case_no)  # whether it is theirs at all, before its lock is taken
        case = await self.desk.open(case_no, self.version)
        return await self.answer(await verb(self.desk, case))

    async def read(self, case_no: str) -> Case:
        """The case, if this caller may know of it. Raises Refusal (not found) otherwise."""
        case = await self.desk.flow.casebook.load(self.desk.session, case_no)
        require_reader(self.caller, case, self.read_scope)
        return case

    async def answer(self, case: Case) -> CaseView:
        """The case on the wire, with its version as ETag."""
        self.response.headers["ETag"] = f'"{case.version}"'
        notice = await open_notice(self.desk.flow.casebook, self.desk.session, case)
        return case_view(case, _STAGE_NAMES, notice, full_name=sees_full_name(self.caller, case))

    def require_may_apply(self, application: Application[Any]) -> None:
        """A citizen in their own name; an officer of the region for whoever stands at the window.

        A system where the business is open to it (joint registration). Raises Refusal (forbidden).
        """
        caller = self.caller
        if caller.kind is CallerKind.CITIZEN:
            own = self.desk.flow.protector.blind_index(application.applicant.credential.canonical)
            if caller.subject != own:
                raise forbidden("not_own", "只能以本人名义申请；为他人代办请到窗口办理。")
            return
        caller.require_region(application.region_code)
        if caller.kind is CallerKind.SYSTEM:
            scope = self.desk.flow.business_of(application).system_scope
            if scope is None:
                raise forbidden("scope", "此项业务不接受业务系统直接申请。")
            caller.require_scope(scope)
            return
        caller.require_role(*CASEWORKERS)


async def open_notice(casebook: Casebook, session: AsyncSession, case: Case) -> list[Fault]:
    """What the reader must know: what is to be supplemented, or why it ended badly."""
    if case.status not in (Status.SUPPLEMENTING, Status.REFUSED, Status.REJECTED):
        return []
    line = await casebook.last_line(session, case)
    return [Fault(**item) for item in line.details["notice"]]


def require_reader(caller: Caller, case: Case, scope: str) -> None:
    """Foreign regions' cases do not exist for an officer; other people's do not for a citizen.

    Raises Refusal: not found, or forbidden to a system without ``scope`` and an officer without a role.
    """
    if caller.kind is CallerKind.CITIZEN:
        known = caller.subject == case.subject_key
    else:
        known = caller.may_see(case.region_code)
    if not known:
        raise not_found("no_case", f"没有编号为{case.case_no}的办件。")
    if caller.kind is CallerKind.SYSTEM:
        caller.require_scope(scope)
    elif caller.kind is CallerKind.OFFICER:
        caller.require_role(*Role)


def sees_full_name(caller: Caller, case: Case) -> bool:
    """Officers and the person themselves; everybody else sees the surname."""
    return caller.kind is CallerKind.OFFICER or caller.subject == case.subject_key


async def _version(
    if_match: Annotated[str | None, Header(description="办件版本（ETag）")] = None,
) -> int | None:
    if if_match is None or if_match == "*":
        return None
    quoted = _ETAG.fullmatch(if_match)
    if quoted is None:
        raise Refusal(RefusalKind.STALE_VERSION, "if_match", 'If-Match应为办件的ETag，例如"3"。')
    return int(quoted[1])


VersionDep = Annotated[int | None, Depends(_version)]


def actor_of(request: Request, caller: Caller) -> Actor:
    """Who is at the desk, as the record of a case keeps it."""
    origin = request.headers.get("X-Forwarded-For") or (request.client.host if request.client else None)
    return Actor(caller.kind.value, caller.subject, caller.name, caller.office, origin)


def desk_of(request: Request, session: SessionDep, caller: CallerDep) -> CaseDesk:
    """The desk of a request; the app keeps its caseflow in ``state.caseflow``."""
    flow = cast(Caseflow, request.app.state.caseflow)
    return CaseDesk(
        flow,
        session,
        actor_of(request, caller),
        resources_of(request).clock.now(),
        caller.regions,
        caller.roles,
    )


async def _window(
    request: Request, response: Response, session: SessionDep, caller: CallerDep, version: VersionDep
) -> Window:
    read_scope = f"{request.app.state.service}.read"
    return Window(desk_of(request, session, caller), caller, version, read_scope, response)


WindowDep = Annotated[Window, Depends(_window)]
