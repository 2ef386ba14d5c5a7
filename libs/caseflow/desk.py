"""The desk a case is worked on: one transaction, by whom and when, and what the service has at hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.cases import Case, Casebook, Move, stale_version
from libs.caseflow.applications import Application
from libs.caseflow.business import Business
from libs.caseflow.stages import Stage
from libs.casework.actors import Actor
from libs.casework.clock import SHANGHAI
from libs.casework.deadlines import CaseClock
from libs.casework.lifecycle import Action
from libs.catalogue.lookup import Catalogues, ItemInForce
from libs.contracts.cases import MessageSent
from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault, forbidden
from libs.regions.agencies import Agencies
from libs.webapp.callers import ROLE_NAMES, Role
from libs.webapp.database import ALL_REGIONS


@dataclass(frozen=True)
class Caseflow:
    """What the engine has at hand for as long as the service runs.

    ``unstated_risks``: operation -> risk level where an edition states none.
    """

    casebook: Casebook
    catalogues: Catalogues
    agencies: Agencies
    protector: FieldProtector
    message_sent: type[MessageSent]
    application_type: type[Application[Any]]
    businesses: Mapping[str, Business[Any]]
    unstated_risks: Mapping[str, str]

    def business_of(self, application: Application[Any]) -> Business[Any]:
        """By ``payload.kind``, which the body's type has checked."""
        return self.businesses[application.payload.kind]

    def application_of(self, case: Case) -> Application[Any]:
        """The application as it stands in the case file."""
        return self.application_type.model_validate(case.application)

    def item_of(self, case: Case) -> ItemInForce:
        """The item a case was applied for, as it was in force then."""
        return self.catalogues.item(case.region_code, case.item_key, case.submitted_on)


@dataclass(frozen=True)
class CaseDesk:
    """One transaction at work. ``regions`` and ``roles`` are the caller's.

    ``case`` is the one whose rules are being asked (``Business.faults``); None outside of that.
    """

    flow: Caseflow
    session: AsyncSession
    actor: Actor
    now: dt.datetime
    regions: tuple[str, ...] = ALL_REGIONS
    roles: frozenset[str] = frozenset()
    case: Case | None = None

    @property
    def today(self) -> dt.date:
        """The date of law."""
        return self.now.astimezone(SHANGHAI).date()

    def acting_as(self, actor: Actor) -> CaseDesk:
        """The same transaction for somebody else (the system)."""
        return replace(self, actor=actor, roles=frozenset())

    def judging(self, case: Case) -> CaseDesk:
        """The same desk with this case on it."""
        return replace(self, case=case)

    def require_role(self, *roles: Role) -> None:
        """Raises Refusal (forbidden) unless the officer at this desk holds one of ``roles``."""
        if not self.roles & set(roles):
            names = "、".join(ROLE_NAMES[role] for role in roles)
            raise forbidden("role", f"此操作须由{names}办理。")

    async def open(self, case_no: str, version: int | None = None) -> Case:
        """Take a case for work. Raises Refusal: not found, or newer than ``version`` (If-Match)."""
        case = await self.flow.casebook.load(self.session, case_no, lock=True)
        if version is not None and version != case.version:
            raise stale_version(version)
        return case

    async def step(
        self,
        case: Case,
        action: Action,
        stage: Stage,
        *,
        name: str | None = None,
        reason: str | None = None,
        notice: Sequence[Fault] = (),
        clock: CaseClock | None = None,
        application: Mapping[str, Any] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Case:
        """One step of the case by who is at this desk. Raises Refusal where its life has no such step."""
        step = Move(action, self.actor, self.now, stage.value, reason, notice, details, action_name=name)
        return await self.flow.casebook.move(self.session, case, step, clock=clock, application=application)
