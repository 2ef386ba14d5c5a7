"""Two cities of one deployment, their officers, and the messages between them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import text

from libs.casework.clock import SHANGHAI, AdjustableClock
from libs.contracts.base import Fact
from libs.contracts.enrollment import (
    ContributionPeriod,
    EnrolmentStarted,
    EnrolmentStopped,
    TransferCredited,
    TransferRecordPrepared,
    TransferRecordRefused,
)
from libs.contracts.transfer import TransferCaseMoved
from libs.eventbus.envelope import Event
from libs.eventbus.handlers import Handlers
from libs.exchange.courier import Courier, NotCarried
from libs.exchange.sender import Sender
from libs.identifiers.credentials import Credential, CredentialType
from libs.identifiers.made_up import MadeUp, MadeUpPerson
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.transfer import repository
from services.transfer.domain.stages import Side
from services.transfer.service.office import Office
from services.transfer.worker import Job, run_job
from tests.support.service import published
from tests.support.tokens import citizen, officer, once

YANTAI, ZAOZHUANG, WUHAN, ZIBO, DONGYING = "370600", "370400", "420100", "370300", "370500"
MONDAY = dt.datetime(2026, 3, 9, 9, 0, tzinfo=SHANGHAI)
BALANCE_FEN = 123_456
ROLES = {
    "clerk": Role.CLERK,
    "reviewer": Role.REVIEWER,
    "second-reviewer": Role.REVIEWER,
    "finance": Role.FINANCE,
    "supervisor": Role.SUPERVISOR,
    "auditor": Role.AUDITOR,
}
IDENTITY = {"key": "identity-proof"}
CERTIFICATE = {"key": "participation-certificate"}
FORM = {"key": "transfer-application-form"}
_BY_LETTER = [IDENTITY, CERTIFICATE, FORM]
_MATERIALS = {YANTAI: [IDENTITY, CERTIFICATE], ZIBO: _BY_LETTER, DONGYING: _BY_LETTER}
_COUNTED = (
    "cases",
    "case_record",
    "case_notices",
    "case_materials",
    "case_documents",
    "moves",
    "bank_receipts",
    "outbox",
    "exchange_outgoing",
    "exchange_journal",
    "idempotency_keys",
)


@dataclass
class Road:
    """The way between the cities: can be cut, and can lose the answer to what it carried."""

    courier: Courier
    is_cut: bool = False
    answers_to_lose: int = 0

    async def carry(self, to_region: str, raw: bytes) -> bytes:
        if self.is_cut:
            raise NotCarried("道路不通")
        answer = await self.courier.carry(to_region, raw)
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise NotCarried("回执丢失")
        return answer


@dataclass(frozen=True)
class Pair:
    """A person's move: the case numbers of its two sides."""

    person: MadeUpPerson
    incoming: str
    outgoing: str


@dataclass
class World:
    """The transfer service with its cities; enrollment's answers are given by hand."""

    resources: Resources
    client: httpx.AsyncClient
    sender: Sender
    road: Road
    clock: AdjustableClock
    office: Office
    handlers: Handlers
    people: MadeUp = field(default_factory=lambda: MadeUp(7))

    # What enrollment says.

    def person_key(self, person: MadeUpPerson) -> str:
        credential = Credential(CredentialType.RESIDENT_ID, person.id_number)
        return self.resources.protector.blind_index(credential.canonical)

    async def hear(self, fact: Fact, region: str) -> None:
        """A fact of enrollment arrives."""
        event = Event.of(fact, key="k", region_code=region, subject="s", at=self.clock.now())
        route = self.handlers.route(fact.event_type)
        assert route is not None
        async with self.resources.database.transaction(ALL_REGIONS) as session:
            await route.handle(session, [(event, fact)])

    async def enrolled(
        self,
        person: MadeUpPerson,
        region: str,
        since: dt.date,
        *,
        kind: str = "310",
        as_: Any = "employee",
    ) -> None:
        started = EnrolmentStarted(**self._enrolment(person, region, kind), person_kind=as_, started_on=since)
        await self.hear(started, region)

    async def stopped(
        self,
        person: MadeUpPerson,
        region: str,
        on: dt.date,
        *,
        kind: str = "310",
        as_: Any = "employee",
    ) -> None:
        stopped = EnrolmentStopped(
            **self._enrolment(person, region, kind), person_kind=as_, stopped_on=on, reason="离职"
        )
        await self.hear(stopped, region)

    def _enrolment(self, person: MadeUpPerson, region: str, kind: str) -> dict[str, str]:
        return {
            "enrolment_id": f"{region}-{kind}-{person.id_number[-6:]}",
            "person_key": self.person_key(person),
            "region_code": region,
            "insurance_kind": kind,
        }

    async def mover(self, origin: str = YANTAI, destination: str = ZAOZHUANG) -> MadeUpPerson:
        """Somebody who stopped at ``origin`` in January and is enrolled at ``destination`` since March."""
        person = self.people.person(origin[:4] + "02")
        await self.enrolled(person, origin, dt.date(2020, 1, 1))
        await self.stopped(person, origin, dt.date(2026, 1, 31))
        await self.enrolled(person, destination, dt.date(2026, 3, 1))
        return person

    async def prepared(
        self,
        case_no: str,
        balance_fen: int = BALANCE_FEN,
        periods: list[ContributionPeriod] | None = None,
    ) -> None:
        """Enrollment answers the transferring-out side."""
        fact = TransferRecordPrepared(
            **await self._answer(case_no),
            insurance_kind="310",
            periods=[period_of(case_no[:6])] if periods is None else periods,
            balance_fen=balance_fen,
            prepared_at=self.clock.now(),
        )
        await self.hear(fact, case_no[:6])

    async def record_refused(self, case_no: str, *reasons: str) -> None:
        fact = TransferRecordRefused(**await self._answer(case_no), reasons=list(reasons))
        await self.hear(fact, case_no[:6])

    async def credited(self, case_no: str, amount_fen: int = BALANCE_FEN, months: int = 73) -> None:
        """Enrollment answers the transferring-in side."""
        fact = TransferCredited(
            **await self._answer(case_no),
            amount_fen=amount_fen,
            months_recorded=months,
            credited_on=self.clock.now().date(),
        )
        await self.hear(fact, case_no[:6])

    async def _answer(self, case_no: str) -> dict[str, str]:
        view = await self.transfer(case_no)
        known = {"conversation": view["conversation"], "case_no": case_no}
        return {**known, "region_code": case_no[:6], "person_key": ""}

    # What people do.

    def application(
        self, person: MadeUpPerson, origin: str, destination: str, *, at: str | None = None, **changes: Any
    ) -> dict[str, Any]:
        """A complete application ``at`` one end (the destination unless said)."""
        at = at or destination
        side = Side.IN if at == destination else Side.OUT
        body = {
            "region_code": at,
            "item_key": self.office.item(at, side, self.clock.now().date()).item.key,
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
            "materials": _MATERIALS.get(at, [IDENTITY]),
        }
        return body | changes

    async def post(self, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        # ASCII JSON, so that a test can also send what is no Unicode text (a lone surrogate).
        json_headers = {**once(headers), "Content-Type": "application/json"}
        return await self.client.post(path, content=json.dumps(body), headers=json_headers)

    async def apply(self, body: dict[str, Any], role: str = "clerk") -> dict[str, Any]:
        answer = await self.post("/v1/applications", body, self.officer(body["region_code"], role))
        assert answer.status_code == 201, answer.text
        case: dict[str, Any] = answer.json()
        return case

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
        case: dict[str, Any] = answer.json()
        return case

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

    async def pay(self, case_no: str, reference: str = "YT0001") -> dict[str, Any]:
        today = self.clock.now().date().isoformat()
        return await self.act(case_no, "pay", "finance", {"bank_reference": reference, "paid_on": today})

    async def receipt(
        self,
        region: str,
        reference: str = "YT0001",
        amount: str = "1234.56",
        **changes: Any,
    ) -> httpx.Response:
        """Finance enters a line of the bank's statement."""
        body = {
            "region_code": region,
            "bank_reference": reference,
            "amount": amount,
            "payer_name": "转出地医疗保险基金（虚构）",
            "remark": "医保转移",
            "received_on": self.clock.now().date().isoformat(),
        }
        return await self.post("/v1/transfers/bank-receipts", body | changes, self.officer(region, "finance"))

    # How far a move is brought.

    async def accepted(self, origin: str = YANTAI, destination: str = ZAOZHUANG, **changes: Any) -> Pair:
        """Applied for and accepted at the destination; both sides have their case."""
        person = await self.mover(origin, destination)
        case = await self.apply(self.application(person, origin, destination, **changes))
        await self.act(case["case_no"], "accept", "clerk")
        await self.exchange()
        return Pair(person, case["case_no"], await self.counterpart(case["case_no"]))

    async def with_sheet(
        self, balance_fen: int = BALANCE_FEN, *, origin: str = YANTAI, destination: str = ZAOZHUANG
    ) -> Pair:
        """The 信息表 has arrived; its money is not paid yet."""
        pair = await self.accepted(origin, destination)
        await self.prepared(pair.outgoing, balance_fen)
        await self.act(pair.outgoing, "issue-information-sheet", "reviewer")
        await self.exchange()
        return pair

    async def with_money(self) -> Pair:
        """Sheet, notice and money have arrived: the transferring-in side can take the move up."""
        pair = await self.with_sheet()
        await self.pay(pair.outgoing)
        await self.exchange()
        answer = await self.receipt(pair.incoming[:6])
        assert answer.json()["case_no"] == pair.incoming, answer.text
        return pair

    async def exchange(self) -> int:
        """Deliver messages until none is under way."""
        rounds = 0
        while await self.sender.deliver_due():
            rounds += 1
            assert rounds < 50, "messages go round in circles"
        return rounds

    async def run(self, job: Job) -> int:
        """One round of one of the worker's timers."""
        return await run_job(self.resources, self.office, job)

    def go_to(self, year: int, month: int, day: int, hour: int = 9) -> None:
        self.clock.set(dt.datetime(year, month, day, hour, tzinfo=SHANGHAI))

    # What is there to see.

    async def transfer(self, case_no: str, role: str = "reviewer") -> dict[str, Any]:
        answer = await self.client.get(f"/v1/transfers/{case_no}", headers=self.officer(case_no[:6], role))
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def case(self, case_no: str) -> dict[str, Any]:
        case: dict[str, Any] = (await self.transfer(case_no))["case"]
        return case

    async def counterpart(self, case_no: str) -> str:
        """Number of the other side's case."""
        async with self.resources.database.transaction(ALL_REGIONS) as session:
            move = await repository.move_by_case_no(session, case_no)
            other = await repository.move_in(session, move.counterpart_region_code, move.conversation)
            row = await session.execute(
                text("SELECT case_no FROM cases WHERE id = :id"), {"id": other.case_id}
            )
            return str(row.scalar_one())

    async def messages(self, case_no: str) -> list[str]:
        """Kinds of the messages sent and received on this side, in order."""
        answer = await self.client.get(
            f"/v1/transfers/{case_no}/messages", headers=self.officer(case_no[:6], "reviewer")
        )
        assert answer.status_code == 200, answer.text
        return [entry["kind"] for entry in answer.json() if entry["kind"]]

    async def documents(self, case_no: str) -> list[dict[str, Any]]:
        answer = await self.client.get(
            f"/v1/applications/{case_no}/documents", headers=self.officer(case_no[:6], "reviewer")
        )
        assert answer.status_code == 200, answer.text
        documents: list[dict[str, Any]] = answer.json()
        return documents

    async def timeline(self, case_no: str) -> list[TransferCaseMoved]:
        """What tracking hears of the case."""
        return [fact for fact in await self.facts(TransferCaseMoved) if fact.case_no == case_no]

    async def steps(self, case_no: str) -> list[str]:
        """Names of the case's steps, oldest first."""
        return [fact.action_name for fact in await self.timeline(case_no)]

    async def facts(self, fact: type[Fact]) -> list[Any]:
        return await published(self.resources, fact)

    async def sql(self, query: str, **values: Any) -> Sequence[Any]:
        async with self.resources.database.transaction(ALL_REGIONS) as session:
            return (await session.execute(text(query), values)).all()

    async def counts(self) -> dict[str, int]:
        """Rows of every table a request may write to."""
        return {table: (await self.sql(f"SELECT count(*) FROM {table}"))[0][0] for table in _COUNTED}


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
