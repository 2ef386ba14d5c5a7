"""参保凭证 as tests apply for it: an app with this one business, forms, and what comes of them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx

from libs.casebook.cases import Casebook
from libs.caseflow.applications import Application, Supplement
from libs.caseflow.desk import Caseflow
from libs.caseflow.routes import case_routes
from libs.caseflow.stages import STAGE_NAMES
from libs.catalogue.lookup import Catalogues
from libs.contracts.enrollment import EnrollmentCaseMoved, EnrollmentMessageSent
from libs.webapp.app import create_app
from libs.webapp.callers import Role
from libs.webapp.edge import Resources
from services.enrollment.routes import papers
from services.enrollment.schemas.applications_certificate import CertificatePayload
from services.enrollment.service.businesses.certificate import CertificateOfParticipation
from services.enrollment.service.press import Press
from tests.services.enrollment.counter import Card, Counter
from tests.support.service import client_of
from tests.support.tokens import citizen, officer, once

# Shandong's list of 2023 has no item for certificates any more; Hubei's specification has.
ITEM = "002036003001"
WUHAN = "420100"


class CertificateForm(Application[CertificatePayload]):
    """The application with this payload only."""


def certificate_app(resources: Resources, press: Press) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """A client of an app that issues certificates by ``press``."""
    form, supplement = CertificateForm, Supplement[CertificatePayload]
    app = create_app("enrollment", "参保服务", [case_routes(form, supplement), papers.router], resources)
    stages = {stage.value: name for stage, name in STAGE_NAMES.items()}
    app.state.caseflow = Caseflow(
        casebook=Casebook(EnrollmentCaseMoved, stages, resources.protector),
        catalogues=Catalogues({}),
        agencies=press.agencies,
        protector=resources.protector,
        message_sent=EnrollmentMessageSent,
        application_type=form,
        businesses={"certificate": CertificateOfParticipation(press)},
        unstated_risks={},
    )
    return client_of(app)


async def applicant(counter: Counter, card: Card) -> dict[str, Any]:
    """The card's bearer as an applicant, named as the record has it."""
    told = (await counter.get(f"persons/{card.id}", officer(card.region_code, Role.REVIEWER))).json()
    return {"credential_type": "resident_id", "credential_no": card.id_number, "name": told["name"]}


def form(applicant: dict[str, Any], region_code: str = WUHAN, **payload: Any) -> dict[str, Any]:
    """The form as filled in on a screen."""
    return {
        "region_code": region_code,
        "item_key": ITEM,
        "channel": "online",
        "applicant": {**applicant, "telephone": "19900000000"},
        "payload": {"kind": "certificate", **payload},
    }


def at_the_window(filled_in: dict[str, Any]) -> dict[str, Any]:
    """The same form on paper, with the identity card that was shown."""
    return {**filled_in, "channel": "window", "materials": [{"key": "identity-proof"}]}


async def apply(client: httpx.AsyncClient, body: dict[str, Any], caller: dict[str, str]) -> httpx.Response:
    return await client.post("/v1/applications", json=body, headers=once(caller))


async def issued(
    client: httpx.AsyncClient, body: dict[str, Any], caller: dict[str, str]
) -> tuple[dict[str, Any], bytes]:
    """The certificate that is issued at once: its document, and its PDF."""
    case = await apply(client, body, caller)
    assert case.status_code == 201, case.text
    assert case.json()["status"] == "completed", case.text
    documents = (
        await client.get(f"/v1/applications/{case.json()['case_no']}/documents", headers=caller)
    ).json()
    assert len(documents) == 1
    paper = await client.get(f"/v1/enrollment/papers/{documents[0]['id']}", headers=caller)
    assert paper.status_code == 200, paper.text
    return documents[0], paper.content


def bearer(card: Card) -> dict[str, str]:
    """Headers of the card's bearer."""
    return citizen(card.key)
