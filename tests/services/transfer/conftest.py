"""The transfer service of five cities, each test on a database of its own."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.casework.clock import SHANGHAI, AdjustableClock
from libs.exchange.courier import HttpCourier
from libs.exchange.seals import Ed25519Signer, KeyDirectory
from libs.exchange.sender import Sender
from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.telemetry import configure_logging
from services.transfer.app import create
from services.transfer.composition import (
    TRUSTED_KEYS_FILE,
    exchange_transaction,
    settled_of,
    verifier_of,
)
from services.transfer.consumers import handlers_of
from services.transfer.settings import TransferSettings
from tests.services.transfer.world import (
    DONGYING,
    MONDAY,
    WUHAN,
    YANTAI,
    ZAOZHUANG,
    ZIBO,
    Road,
    World,
)
from tests.support.service import client_of, service_resources
from tests.support.tokens import PUBLIC_KEY

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=SHANGHAI)


@pytest.fixture(scope="session", autouse=True)
def _logs_as_in_production() -> None:
    """structlog unconfigured prints the variables of a traceback, personal data among them."""
    configure_logging()


@pytest.fixture(scope="session")
def exchange_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seals of the five cities and the directory that trusts them."""
    folder = tmp_path_factory.mktemp("exchange-keys")
    signers = [Ed25519Signer.generate(region) for region in (YANTAI, ZAOZHUANG, WUHAN, ZIBO, DONGYING)]
    for signer in signers:
        (folder / f"{signer.region_code}.pem").write_bytes(signer.pem())
    directory = KeyDirectory(signer.trusted_key(LONG_AGO) for signer in signers)
    (folder / TRUSTED_KEYS_FILE).write_text(json.dumps(directory.to_data()))
    return folder


@pytest.fixture
async def world(postgres: EmbeddedPostgres, exchange_keys: Path) -> AsyncIterator[World]:
    settings = TransferSettings(
        token_public_key=PUBLIC_KEY,
        exchange_keys_folder=exchange_keys,
        edition_pins={ZIBO: "shandong-2020", DONGYING: "shandong-2020"},
    )
    clock = AdjustableClock(MONDAY)
    async with service_resources(postgres, "transfer", clock=clock, settings=settings) as resources:
        app = create(resources)
        office = app.state.office
        async with client_of(app) as client:
            road = Road(HttpCourier(client, lambda _: "http://service"))
            sender = Sender(
                lambda: exchange_transaction(resources),
                road,
                verifier_of(resources),
                clock,
                settled=settled_of(resources, office),
                keeper=office.keeper,
            )
            yield World(resources, client, sender, road, clock, office, handlers_of(office, clock))
