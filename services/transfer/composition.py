"""What the web app and the worker of this service are built from."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.cases import Casebook
from libs.casework.actors import SYSTEM
from libs.catalogue.lookup import Catalogues
from libs.contracts.transfer import TransferCaseMoved
from libs.exchange.deliveries import Outcome
from libs.exchange.envelope import Message
from libs.exchange.incoming import Deliver
from libs.exchange.seals import Ed25519Signer, KeyDirectory, Signer, Verifier
from libs.exchange.sender import Settled
from libs.protection.fields import FieldProtector
from libs.regions.agencies import Agencies
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.transfer.domain.rules import rules
from services.transfer.domain.stages import STAGE_NAMES
from services.transfer.service import arrivals, settling
from services.transfer.service.desk import Desk
from services.transfer.service.office import Office
from services.transfer.settings import TransferSettings

TRUSTED_KEYS_FILE = "trusted.json"
_BODY_CONTEXT = "exchange.body"


class EncryptedBodies:
    """Keeps message bodies encrypted at rest: they hold identity numbers and bank accounts."""

    def __init__(self, protector: FieldProtector) -> None:
        self._protector = protector

    def protect(self, body: bytes) -> bytes:
        return self._protector.encrypt(base64.b64encode(body).decode(), _BODY_CONTEXT).encode()

    def reveal(self, kept: bytes) -> bytes:
        return base64.b64decode(self._protector.decrypt(kept.decode(), _BODY_CONTEXT))


def office_of(resources: Resources) -> Office:
    """Build the office from settings. Raises TypeError where these are not this service's."""
    settings = transfer_settings(resources)
    return Office(
        casebook=Casebook(
            TransferCaseMoved,
            {stage.value: name for stage, name in STAGE_NAMES.items()},
            resources.protector,
        ),
        catalogues=Catalogues(settings.edition_pins),
        agencies=Agencies.from_file(settings.agencies_file),
        signers=signers_in(settings.exchange_keys_folder),
        protector=resources.protector,
        keeper=EncryptedBodies(resources.protector),
        rules=rules(),
    )


def transfer_settings(resources: Resources) -> TransferSettings:
    """The resources' settings as this service's."""
    if not isinstance(resources.settings, TransferSettings):
        raise TypeError(f"TransferSettings needed, got {type(resources.settings).__name__}")
    return resources.settings


def signers_in(folder: Path) -> dict[str, Signer]:
    """Own seals by region: every ``<region>.pem`` of the folder."""
    return {path.stem: Ed25519Signer.from_pem(path.stem, path.read_bytes()) for path in folder.glob("*.pem")}


def directory_of(resources: Resources) -> KeyDirectory:
    """The trusted public keys of the keys folder."""
    path = transfer_settings(resources).exchange_keys_folder / TRUSTED_KEYS_FILE
    return KeyDirectory.from_data(json.loads(path.read_text(encoding="utf-8")))


def verifier_of(resources: Resources) -> Verifier:
    """Checks seals against the trusted public keys."""
    return Verifier(directory_of(resources))


def deliver_of(resources: Resources, office: Office) -> Deliver:
    """Acts on messages that arrive, in the receiving transaction."""

    async def deliver(session: AsyncSession, message: Message) -> None:
        await arrivals.deliver(Desk(office, session, SYSTEM, resources.clock.now()), message)

    return deliver


def settled_of(resources: Resources, office: Office) -> Settled:
    """Keeps in the case what became of a message that was sent, in the recording transaction."""

    async def settled(session: AsyncSession, message: Message, outcome: Outcome) -> None:
        await settling.settled(Desk(office, session, SYSTEM, resources.clock.now()), message, outcome)

    return settled


@asynccontextmanager
async def exchange_transaction(resources: Resources) -> AsyncIterator[AsyncSession]:
    """A transaction of the exchange: it serves all regions whose seals are here."""
    async with resources.database.transaction(ALL_REGIONS) as session:
        yield session
