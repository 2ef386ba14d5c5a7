"""The engine with a business of its own: nothing is done but to be written down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import pytest
from pydantic import Field

from libs.casebook.cases import Case, Casebook
from libs.casebook.schemas import Body
from libs.caseflow.applications import Application, Supplement
from libs.caseflow.business import Business, Particulars
from libs.caseflow.desk import CaseDesk, Caseflow
from libs.caseflow.routes import case_routes
from libs.caseflow.stages import REVIEW_ONLY, STAGE_NAMES, WITH_PAYMENT, Stage
from libs.catalogue.lookup import Catalogues
from libs.contracts.enrollment import EnrollmentCaseMoved, EnrollmentMessageSent
from libs.identifiers.made_up import MadeUp
from libs.refusals.faults import Fault
from libs.regions.agencies import Agencies
from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.app import create_app
from libs.webapp.callers import Role
from libs.webapp.edge import Resources
from tests.support.service import client_of, service_resources
from tests.support.tokens import officer, once

ZAOZHUANG, WUHAN = "370400", "420100"
APPLICANT = MadeUp(seed=3).person("370402")
WITHDRAWAL, REGISTRATION = "002036002003", "002036001003"


class WithdrawalPayload(Body):
    """``wrong`` is what stands against it, ``doubtful`` why a person must judge."""

    kind: Literal["withdrawal"]
    wrong: str | None = None
    doubtful: str | None = None


class RegistrationPayload(Body):
    kind: Literal["registration"]
    wrong: str | None = None
    doubtful: str | None = None


Payload = WithdrawalPayload | RegistrationPayload


class ApplicationForm(Application[Payload]):
    payload: Payload = Field(discriminator="kind")


class SupplementForm(Supplement[Payload]):
    pass


@dataclass
class Diary:
    """What the engine had a business do."""

    lines: list[str] = field(default_factory=list)


class _Noted(Business[Any]):
    def __init__(self, diary: Diary) -> None:
        self.diary = diary

    def particulars(self, application: Application[Any]) -> Particulars:
        return Particulars(case_kinds=frozenset({"giving_up"}), fields=dict.fromkeys(_FIELDS, "有"))

    async def faults(self, desk: CaseDesk, application: Application[Any]) -> list[Fault]:
        wrong = application.payload.wrong
        return [Fault("wrong", wrong, "/payload/wrong")] if wrong else []

    async def reasons_for_review(self, desk: CaseDesk, application: Application[Any]) -> list[str]:
        doubtful = application.payload.doubtful
        return [doubtful] if doubtful else []

    async def reached(self, desk: CaseDesk, case: Case, application: Application[Any], stage: Stage) -> None:
        self.diary.lines.append(f"reached {stage}")

    async def ended_without(self, desk: CaseDesk, case: Case, application: Application[Any]) -> None:
        self.diary.lines.append("ended without")

    async def carry_out(
        self, desk: CaseDesk, case: Case, application: Application[Any]
    ) -> Mapping[str, Any] | None:
        self.diary.lines.append("carried out")
        return {"done": True}


_FIELDS = [
    "withdrawal-reason",
    "employer-name",
    "bank-account",
    "payee-name",
    "payee-credential",
    "payee-relationship",
    "payee-telephone",
    "birth-date",
    "household-address",
    "applicant-status",
]


class Withdrawal(_Noted):
    kind, operation = "withdrawal", "enrollment.account_withdrawal"

    def steps(self, application: Application[Any]) -> tuple[Stage, ...]:
        return WITH_PAYMENT


class Registration(_Noted):
    kind, operation = "registration", "enrollment.resident_registration"
    system_scope = "enrollment.joint_registration"

    def steps(self, application: Application[Any]) -> tuple[Stage, ...]:
        return REVIEW_ONLY


@dataclass
class Office:
    """A service with the engine, and its people."""

    resources: Resources
    client: httpx.AsyncClient
    flow: Caseflow
    diary: Diary

    async def apply(self, body: dict[str, Any], caller: dict[str, str] | None = None) -> httpx.Response:
        caller = caller or clerk(body["region_code"])
        return await self.client.post("/v1/applications", json=body, headers=once(caller))

    async def applied(self, body: dict[str, Any], caller: dict[str, str] | None = None) -> dict[str, Any]:
        answer = await self.apply(body, caller)
        assert answer.status_code == 201, answer.text
        case: dict[str, Any] = answer.json()
        return case

    async def act(
        self, case: dict[str, Any], action: str, caller: dict[str, str], **body: Any
    ) -> httpx.Response:
        path = f"/v1/applications/{case['case_no']}/actions/{action}"
        return await self.client.post(path, json=body, headers=once(caller))

    async def acted(
        self, case: dict[str, Any], action: str, caller: dict[str, str], **body: Any
    ) -> dict[str, Any]:
        answer = await self.act(case, action, caller, **body)
        assert answer.is_success, answer.text
        moved: dict[str, Any] = answer.json()
        return moved


def clerk(region_code: str = ZAOZHUANG, subject: str = "clerk") -> dict[str, str]:
    return officer(region_code, Role.CLERK, subject=subject)


def registration(region_code: str = ZAOZHUANG, *papers: str, **payload: Any) -> dict[str, Any]:
    papers = papers or ("identity-document", "resident-registration-form")
    return _application(region_code, REGISTRATION, "registration", papers, payload)


def withdrawal(region_code: str = WUHAN, **payload: Any) -> dict[str, Any]:
    papers = ("identity-proof", "account-withdrawal-form", "voluntary-withdrawal-statement")
    return _application(region_code, WITHDRAWAL, "withdrawal", papers, payload)


def _application(
    region_code: str, item_key: str, kind: str, papers: tuple[str, ...], payload: dict[str, Any]
) -> dict[str, Any]:
    return {
        "region_code": region_code,
        "item_key": item_key,
        "channel": "window",
        "applicant": {
            "credential_type": "resident_id",
            "credential_no": APPLICANT.id_number,
            "name": APPLICANT.name,
            "telephone": APPLICANT.telephone,
        },
        "payload": {"kind": kind, **payload},
        "materials": [{"key": key} for key in papers],
    }


@pytest.fixture
async def office(postgres: EmbeddedPostgres) -> AsyncIterator[Office]:
    # Any service's migrated database has the case file; this one has no business of its own.
    async with service_resources(postgres, "remote_care") as resources:
        diary = Diary()
        stage_names = {stage.value: name for stage, name in STAGE_NAMES.items()}
        flow = Caseflow(
            casebook=Casebook(EnrollmentCaseMoved, stage_names, resources.protector),
            catalogues=Catalogues(),
            agencies=Agencies.from_file(),
            protector=resources.protector,
            message_sent=EnrollmentMessageSent,
            application_type=ApplicationForm,
            businesses={one.kind: one for one in (Withdrawal(diary), Registration(diary))},
            unstated_risks={"enrollment.account_withdrawal": "higher"},
        )
        app = create_app("enrollment", "试办", [case_routes(ApplicationForm, SupplementForm)], resources)
        app.state.caseflow = flow
        async with client_of(app) as client:
            yield Office(resources, client, flow, diary)
