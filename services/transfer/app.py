"""The transfer service's web app."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casework.clock import SystemClock
from libs.exchange.endpoint import exchange_router
from libs.exchange.envelope import Message
from libs.exchange.seals import KeyDirectory, Verifier
from libs.webapp.app import create_app
from libs.webapp.edge import Resources
from services.transfer.composition import (
    deliver_of,
    directory_of,
    exchange_transaction,
    office_of,
    verifier_of,
)
from services.transfer.routes import ROUTERS
from services.transfer.service.office import Office

TITLE = "转移接续服务"


def create(resources: Resources | None) -> FastAPI:
    """The app; without resources only its OpenAPI document can be made."""
    if resources is None:
        return create_app("transfer", TITLE, [*ROUTERS, _door_in_the_document_only()], None)
    office = office_of(resources)
    app = create_app("transfer", TITLE, [*ROUTERS, _door(resources, office)], resources)
    app.state.office = office
    app.state.key_directory = directory_of(resources)
    return app


def _door(resources: Resources, office: Office) -> APIRouter:
    return exchange_router(
        lambda: exchange_transaction(resources),
        verifier=verifier_of(resources),
        signer_of=office.signers.get,
        clock=resources.clock,
        deliver=deliver_of(resources, office),
        keeper=office.keeper,
    )


def _door_in_the_document_only() -> APIRouter:
    async def deliver(_: AsyncSession, __: Message) -> None:
        raise RuntimeError("this app only describes itself")

    def no_transaction() -> None:
        raise RuntimeError("this app only describes itself")

    return exchange_router(
        no_transaction,  # type: ignore[arg-type]
        verifier=Verifier(KeyDirectory()),
        signer_of=lambda _: None,
        clock=SystemClock(),
        deliver=deliver,
    )
