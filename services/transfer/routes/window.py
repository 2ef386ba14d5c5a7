"""The window a request comes to: desk, caller, the version they saw, the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request, Response

from libs.casebook.cases import Case
from libs.casebook.schemas import CaseView, case_view
from libs.caseflow.window import (
    VersionDep,
    actor_of,
    open_notice,
    require_reader,
    sees_full_name,
)
from libs.webapp.callers import Caller, CallerKind, Role
from libs.webapp.edge import CallerDep, SessionDep, resources_of
from services.transfer.domain.stages import STAGE_NAMES
from services.transfer.models import Move
from services.transfer.service.desk import Desk
from services.transfer.service.office import Office

READ_SCOPE = "transfer.read"

Verb = Callable[[Desk, Case, Move], Awaitable[Case]]

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
        require_reader(self.caller, case, READ_SCOPE)
        return await self.answer(await verb(self.desk, case, move))

    async def read(self, case_no: str) -> Case:
        """The case, if this caller may know of it. Raises Refusal (not found) otherwise."""
        case = await self.desk.office.casebook.load(self.desk.session, case_no)
        require_reader(self.caller, case, READ_SCOPE)
        return case

    async def answer(self, case: Case) -> CaseView:
        """The case on the wire, with its version as ETag."""
        self.response.headers["ETag"] = f'"{case.version}"'
        notice = await open_notice(self.desk.office.casebook, self.desk.session, case)
        return case_view(case, _STAGE_NAMES, notice, full_name=sees_full_name(self.caller, case))


async def _window(
    request: Request,
    response: Response,
    session: SessionDep,
    caller: CallerDep,
    version: VersionDep,
) -> Window:
    office = cast(Office, request.app.state.office)
    desk = Desk(office, session, actor_of(request, caller), resources_of(request).clock.now())
    return Window(desk, caller, version, response)


WindowDep = Annotated[Window, Depends(_window)]
