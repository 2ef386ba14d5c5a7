"""The service on a database of its own, with a counter to act at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.casework.clock import AdjustableClock
from libs.runtime.postgres import EmbeddedPostgres
from libs.runtime.seals import keep_paper_seals
from libs.webapp.edge import Resources
from services.enrollment.app import create
from services.enrollment.settings import EnrollmentSettings
from tests.services.enrollment.counter import Counter
from tests.support.service import NOW, client_of, service_resources
from tests.support.tokens import PUBLIC_KEY


@pytest.fixture
def clock() -> AdjustableClock:
    """2026-03-10, 9:30 in the morning."""
    return AdjustableClock(NOW)


@pytest.fixture(scope="session")
def paper_seals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seals of the agencies that run here, as the runtime makes them."""
    return keep_paper_seals(tmp_path_factory.mktemp("paper-seals"))


@pytest.fixture
async def resources(
    postgres: EmbeddedPostgres, clock: AdjustableClock, paper_seals: Path
) -> AsyncIterator[Resources]:
    settings = EnrollmentSettings(token_public_key=PUBLIC_KEY, paper_seals_folder=paper_seals)
    async with service_resources(postgres, "enrollment", clock=clock, settings=settings) as made:
        yield made


@pytest.fixture
async def counter(resources: Resources) -> AsyncIterator[Counter]:
    async with client_of(create(resources)) as client:
        yield Counter(resources, client)
