"""A case file on a real database, as a service's own login sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from libs.casebook.cases import Case, Casebook, Move, NewCase
from libs.casework.actors import Actor
from libs.casework.clock import SHANGHAI
from libs.casework.lifecycle import Action
from libs.contracts.transfer import TransferCaseMoved
from libs.runtime.postgres import SUPERUSER, EmbeddedPostgres
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from tests.support.service import published, service_resources

REGION = "370400"
NOW = dt.datetime(2026, 3, 9, 9, 0, tzinfo=SHANGHAI)
CLERK = Actor("officer", "clerk-1", "张受理", "综合窗口", "10.0.0.1")
IDENTITY_NUMBER = "370402199001010010"


@dataclass
class Desk:
    """The case file at work."""

    resources: Resources
    postgres: EmbeddedPostgres
    book: Casebook

    async def open(self, region: str = REGION, at: dt.datetime = NOW, **changes: Any) -> Case:
        async with self.resources.database.transaction((region,)) as session:
            return await self.book.open(session, new_case(region, **changes), CLERK, at)

    async def move(self, case: Case, action: Action, **changes: Any) -> Case:
        step = Move(action, CLERK, changes.pop("at", NOW), changes.pop("stage", case.stage), **changes)
        async with self.resources.database.transaction(ALL_REGIONS) as session:
            return await self.book.move(session, case, step)

    async def load(self, case: Case) -> Case:
        async with self.resources.database.transaction(ALL_REGIONS) as session:
            return await self.book.load(session, case.case_no)

    async def facts(self) -> list[TransferCaseMoved]:
        return await published(self.resources, TransferCaseMoved)

    def url(self, role: str = SUPERUSER) -> str:
        """The same database for another role."""
        return self.postgres.url(self.resources.database.url.split("?")[0].rsplit("/", 1)[1], role)

    async def run_as(self, role: str, *statements: str) -> None:
        """Run statements as this role, all regions in sight."""
        connection = await asyncpg.connect(self.url(role))
        try:
            await connection.execute("SET yibao.regions = '*'")
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


def new_case(region: str = REGION, **changes: Any) -> NewCase:
    known: dict[str, Any] = {
        "region_code": region,
        "operation": "transfer.in",
        "item_key": "test-item",
        "item_name": "转移接续手续办理",
        "edition_id": "test-2026",
        "channel": "window",
        "subject_key": "k" * 64,
        "subject_name": "王小五",
        "application": {"applicant": {"name": "王小五", "credential_no": IDENTITY_NUMBER}},
        "stage": "checking",
    }
    return NewCase(**(known | changes))


@pytest.fixture
async def desk(postgres: EmbeddedPostgres) -> AsyncIterator[Desk]:
    # Any service's migrated database has the case file; this one has no business of its own.
    async with service_resources(postgres, "remote_care") as resources:
        yield Desk(
            resources,
            postgres,
            Casebook(TransferCaseMoved, {"checking": "受理审查"}, resources.protector),
        )
