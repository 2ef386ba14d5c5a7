"""Two cities of one deployment, their officers, and the messages between them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.casework.clock import SHANGHAI, AdjustableClock
from libs.contracts.base import Fact
from libs.contracts.enrollment import (
    ContributionPeriod,
    EnrolmentStarted,
    EnrolmentStopped,
    TransferCredited,
    TransferRecordPrepared,
)
from libs.eventbus.envelope import Event
from libs.exchange.courier import HttpCourier
from libs.exchange.seals import Ed25519Signer, KeyDirectory
from libs.exchange.sender import Sender
from libs.identifiers.credentials import Credential, CredentialType
from libs.identifiers.made_up import MadeUp, MadeUpPerson
from libs.runtime.postgres import EmbeddedPostgres
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.transfer.app import create
from services.transfer.composition import TRUSTED_KEYS_FILE, exchange_transaction, verifier_of
from services.transfer.consumers import handlers_of
from services.transfer.settings import TransferSettings
from tests.support.service import client_of, published, service_resources
from tests.support.tokens import PUBLIC_KEY, citizen, officer, once

YANTAI, ZAOZHUANG, WUHAN, ZIBO, DONGYING = "370600", "370400", "420100", "370300", "370500"
MONDAY = dt.datetime(2026, 3, 9, 9, 0, tzinfo=SHANGHAI)
ROLES = {
    "clerk": Role.CLERK,
    "reviewer": Role.REVIEWER,
    "finance": Role.FINANCE,
    "supervisor": Role.SUPERVISOR,
}
IDENTITY = {"key": "identity-proof"}


@dataclass
class World:
    """The transfer service with its cities; enrollment's answers are given by hand."""

    resources: Resources
    client: httpx.AsyncClient
    sender: Sender
    clock: AdjustableClock
    handlers: Any
    people: MadeUp = field(default_factory=lambda: MadeUp(7))

    def person_key(self, person: MadeUpPerson) -> str:
        credential = Credential(CredentialType.RESIDENT_ID, person.id_number)
        return self.resources.protector.blind_index(credential.canonical)

    async def hear(self, fact: Fact, region: str) -> None:
        """A fact of enrollment arrives."""
        event = Event.of(fact, key="k", region_code=region, subject="s", at=self.clock.now())
        route = self.handlers.route(fact.event_type)
        async with self.resources.database.transaction(ALL_REGIONS) as session:
            await route.handle(session, [(event, fact)])

    async def enrolled(
        self, person: MadeUpPerson, region: str, since: dt.date, *, kind: str = "310", as_: str = "employee"
    ) -> None:
        await self.hear(
            EnrolmentStarted(
                enrolment_id=f"{region}-{kind}-{person.id_number[-6:]}",
                person_key=self.person_key(person),
                region_code=region,
                insurance_kind=kind,
                person_kind=as_,
                started_on=since,
            ),
            region,
        )

    async def stopped(
        self, person: MadeUpPerson, region: str, on: dt.date, *, kind: str = "310", as_: str = "employee"
    ) -> None:
        await self.hear(
            EnrolmentStopped(
                enrolment_id=f"{region}-{kind}-{person.id_number[-6:]}",
                person_key=self.person_key(person),
                region_code=region,
                insurance_kind=kind,
                person_kind=as_,
                stopped_on=on,
                reason="离职",
            ),
            region,
        )

    async def mover(self, origin: str, destination: str) -> MadeUpPerson:
        """Somebody who stopped at ``origin`` in January and is enrolled at ``destination`` since March."""
        person = self.people.person(origin[:4] + "02")
        await self.enrolled(person, origin, dt.date(2020, 1, 1))
        await self.stopped(person, origin, dt.date(2026, 1, 31))
        await self.enrolled(person, destination, dt.date(2026, 3, 1))
        return person

    def application(
        self, person: MadeUpPerson, origin: str, destination: str, **changes: Any
    ) -> dict[str, Any]:
        body = {
            "region_code": destination,
            "item_key": "zaozhuang-transfer-in",
            "channel": "window",
            "applicant": {
                "name": person.name,
                "credential_type": "resident_id",
                "credential_no": person.id_number,
                "telephone": person.telephone,
            },
            "payload": {
                "kind": "transfer",
                "insurance_kind": "310",
                "from_region_code": origin,
                "to_region_code": destination,
            },
            "materials": [IDENTITY],
        }
        return body | changes

    async def post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
        return await self.client.post(path, json=body, headers=once(headers))

    async def apply(self, body: dict[str, Any], role: str = "clerk") -> dict[str, Any]:
        answer = await self.post("/v1/applications", body, self.officer(body["region_code"], role))
        assert answer.status_code == 201, answer.text
        return answer.json()

    def officer(self, region: str, role: str) -> dict[str, str]:
        return officer(region, ROLES[role], subject=f"{region}-{role}")

    def citizen(self, person: MadeUpPerson) -> dict[str, str]:
        return citizen(self.person_key(person))

    async def act(
        self,
        case_no: str,
        action: str,
        role: str,
        body: dict[str, Any] | None = None,
        region: str | None = None,
    ) -> dict[str, Any]:
        answer = await self.try_to(case_no, action, role, body, region)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def try_to(
        self,
        case_no: str,
        action: str,
        role: str,
        body: dict[str, Any] | None = None,
        region: str | None = None,
    ) -> httpx.Response:
        return await self.post(
            f"/v1/applications/{case_no}/actions/{action}",
            body or {},
            self.officer(region or case_no[:6], role),
        )

    async def exchange(self) -> int:
        """Deliver messages until none is under way."""
        rounds = 0
        while await self.sender.deliver_due():
            rounds += 1
            assert rounds < 50, "messages go round in circles"
        return rounds

    async def transfer(self, case_no: str, role: str = "reviewer") -> dict[str, Any]:
        answer = await self.client.get(f"/v1/transfers/{case_no}", headers=self.officer(case_no[:6], role))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def counterpart(self, case_no: str) -> str:
        """Number of the other side's case."""
        from services.transfer import repository

        async with self.resources.database.transaction(ALL_REGIONS) as session:
            move = await repository.move_by_case_no(session, case_no)
            other = await repository.move_in(session, move.counterpart_region_code, move.conversation)
            row = await session.execute(_CASE_NO, {"id": other.case_id})
            return str(row.scalar_one())

    async def prepared(
        self, case_no: str, balance_fen: int, periods: list[ContributionPeriod] | None = None
    ) -> None:
        """Enrollment answers the transferring-out side."""
        view = await self.transfer(case_no)
        await self.hear(
            TransferRecordPrepared(
                conversation=view["conversation"],
                case_no=case_no,
                region_code=case_no[:6],
                person_key="",
                insurance_kind="310",
                periods=periods or [period_of(case_no[:6])],
                balance_fen=balance_fen,
                prepared_at=self.clock.now(),
            ),
            case_no[:6],
        )

    async def credited(self, case_no: str, amount_fen: int, months: int = 73) -> None:
        """Enrollment answers the transferring-in side."""
        view = await self.transfer(case_no)
        await self.hear(
            TransferCredited(
                conversation=view["conversation"],
                case_no=case_no,
                region_code=case_no[:6],
                person_key="",
                amount_fen=amount_fen,
                months_recorded=months,
                credited_on=self.clock.now().date(),
            ),
            case_no[:6],
        )

    async def facts(self, fact: type[Fact]) -> list[Any]:
        return await published(self.resources, fact)


def period_of(
    region: str, from_month: str = "2020-01", to_month: str = "2026-01", months: int = 73
) -> ContributionPeriod:
    return ContributionPeriod(
        from_month=from_month,
        to_month=to_month,
        insurance_kind="310",
        months_paid=months,
        region_code=region,
        agency_name="经办机构",
    )


from sqlalchemy import text  # noqa: E402

_CASE_NO = text("SELECT case_no FROM cases WHERE id = :id")


@pytest.fixture
async def world(postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[World]:
    keys = tmp_path / "keys"
    keys.mkdir()
    signers = [Ed25519Signer.generate(region) for region in (YANTAI, ZAOZHUANG, WUHAN, ZIBO, DONGYING)]
    for signer in signers:
        (keys / f"{signer.region_code}.pem").write_bytes(signer.pem())
    long_ago = dt.datetime(2020, 1, 1, tzinfo=SHANGHAI)
    directory = KeyDirectory(signer.trusted_key(long_ago) for signer in signers)
    (keys / TRUSTED_KEYS_FILE).write_text(json.dumps(directory.to_data()))
    settings = TransferSettings(
        token_public_key=PUBLIC_KEY,
        exchange_keys_folder=keys,
        edition_pins={ZIBO: "shandong-2020", DONGYING: "shandong-2020"},
    )
    clock = AdjustableClock(MONDAY)
    async with service_resources(postgres, "transfer", clock=clock, settings=settings) as resources:
        app = create(resources)
        async with client_of(app) as client:
            courier = HttpCourier(client, lambda _: "http://service")
            office = app.state.office
            sender = Sender(
                lambda: exchange_transaction(resources),
                courier,
                verifier_of(resources),
                clock,
                keeper=office.keeper,
            )
            yield World(resources, client, sender, clock, handlers_of(office, clock))
