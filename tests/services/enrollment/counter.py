"""A counter of the service: what clerks do all day, and the facts that arrive meanwhile."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text

from libs.contracts.enrollment import ContributionPeriod
from libs.contracts.transfer import (
    FundsPaid,
    FundsReceived,
    InformationSheetIssued,
    TransferFact,
    TransferOutAccepted,
    TransferOutCancelled,
    TransferOutCompleted,
    TransferTakenUp,
)
from libs.eventbus.envelope import Event
from libs.identifiers.credentials import Credential, CredentialType
from libs.identifiers.made_up import MadeUp
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.enrollment.consumers import handlers_of
from tests.support.service import NOW
from tests.support.tokens import officer, once

ZAOZHUANG, YANTAI = "370400", "370600"
TODAY = NOW.date()
CONVERSATION = "conversation-1"


@dataclass(frozen=True)
class Card:
    """A person as a test knows them."""

    id: str
    key: str
    id_number: str
    region_code: str


class Counter:
    """Acts through the app as officers do, and feeds facts as the bus does."""

    def __init__(self, resources: Resources, client: httpx.AsyncClient) -> None:
        self.resources = resources
        self.client = client
        self.people = MadeUp(seed=20260310)

    async def post(
        self, path: str, body: Any, caller: dict[str, str] | None = None, **headers: str
    ) -> httpx.Response:
        """A write at the counter of 枣庄 unless told otherwise."""
        caller = caller or clerk_of(ZAOZHUANG)
        return await self.client.post(
            f"/v1/enrollment/{path}", json=body, headers={**once(caller), **headers}
        )

    async def get(self, path: str, caller: dict[str, str] | None = None) -> httpx.Response:
        return await self.client.get(f"/v1/enrollment/{path}", headers=caller or clerk_of(ZAOZHUANG))

    async def done(self, path: str, body: Any, caller: dict[str, str] | None = None) -> dict[str, Any]:
        """The answer to a write that succeeds."""
        answer = await self.post(path, body, caller)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def employer(self, region_code: str = ZAOZHUANG) -> dict[str, Any]:
        made_up = self.people.employer(region_code[:4] + "02", "枣庄")
        body = {"region_code": region_code, "credit_code": made_up.credit_code, "name": made_up.name}
        return await self.done("employers", body, clerk_of(region_code))

    async def person(self, region_code: str = ZAOZHUANG, id_number: str | None = None) -> Card:
        """A new person, or the same one (``id_number``) in another region."""
        made_up = self.people.person(region_code[:4] + "02")
        number = id_number or made_up.id_number
        body = {
            "region_code": region_code,
            "credential": {"type": "resident_id", "number": number},
            "name": made_up.name,
            "telephone": made_up.telephone,
        }
        told = await self.done("persons", body, clerk_of(region_code))
        key = self.resources.protector.blind_index(Credential(CredentialType.RESIDENT_ID, number).canonical)
        return Card(told["id"], key, number, region_code)

    async def enrol(
        self, card: Card, kind: str = "310", person_kind: str = "flexible_worker", since: str = "2024-01-01"
    ) -> dict[str, Any]:
        body = {
            "person_id": card.id,
            "insurance_kind": kind,
            "person_kind": person_kind,
            "started_on": since,
        }
        return await self.done("enrolments", body, clerk_of(card.region_code))

    async def stop(self, enrolment: dict[str, Any], on: str = "2026-02-28") -> dict[str, Any]:
        body = {"stopped_on": on, "reason": "moved_away"}
        clerk = clerk_of(enrolment["region_code"])
        return await self.done(f"enrolments/{enrolment['id']}/stop", body, clerk)

    async def contribute(self, card: Card, months: list[str], account: str = "100.00") -> dict[str, Any]:
        """Months of employee insurance, each with ``account`` yuan for the personal account."""
        body = contributions(card, months, account)
        return await self.done("contributions", body, clerk_of(card.region_code))

    async def insured(self, months: list[str], account: str = "100.00") -> Card:
        """Somebody of 枣庄 with these months of employee insurance, stopped on 28 February 2026."""
        card = await self.person()
        enrolment = await self.enrol(card)
        if months:
            await self.contribute(card, months, account)
        await self.stop(enrolment)
        return card

    async def deliver(self, fact: TransferFact, times: int = 1) -> None:
        """Handle a fact as the consumer does, each time in a transaction of its own, inbox aside."""
        route = handlers_of(self.resources.protector, self.resources.clock).route(fact.event_type)
        assert route is not None, f"no handler for {fact.event_type}"
        event = Event.of(
            fact, key=fact.person_key, region_code=fact.region_code, subject=fact.conversation, at=NOW
        )
        for _ in range(times):
            async with self.resources.database.transaction(ALL_REGIONS) as session:
                await route.handle(session, [(event, fact)])

    async def balances(self, region_code: str) -> dict[str, int]:
        """Sum of all accounts of each kind of fund 310, in fen; those that never moved are missing."""
        query = """
            SELECT a.kind, sum(e.amount_fen)::bigint FROM ledger_entries e
            JOIN ledger_accounts a ON a.id = e.account_id
            WHERE a.region_code = :region_code AND a.fund = '310' GROUP BY a.kind
        """
        return dict(await self.rows(query, region_code=region_code))

    async def rows(self, query: str, regions: tuple[str, ...] = ALL_REGIONS, **parameters: Any) -> list[Any]:
        """Rows as the service's own login sees them."""
        async with self.resources.database.transaction(regions) as session:
            return list((await session.execute(text(query), parameters)).all())


def clerk_of(region_code: str) -> dict[str, str]:
    return officer(region_code, Role.CLERK)


def contributions(card: Card, months: list[str], account: str = "100.00") -> dict[str, Any]:
    """Body of a record of employee contributions."""
    told = [{"month": month, "base_yuan": "5000.00", "account_yuan": account} for month in months]
    return {"person_id": card.id, "insurance_kind": "310", "months": told}


def side(card: Card, conversation: str = CONVERSATION, kind: str = "310") -> dict[str, str]:
    """What all facts of the card's region about one move between 枣庄 and 烟台 have in common."""
    other = YANTAI if card.region_code == ZAOZHUANG else ZAOZHUANG
    return {
        "conversation": conversation,
        "case_no": f"case-of-{card.region_code}",
        "region_code": card.region_code,
        "counterpart_region_code": other,
        "person_key": card.key,
        "insurance_kind": kind,
    }


def accepted(card: Card, **of: str) -> TransferOutAccepted:
    return TransferOutAccepted(**side(card, **of))


def issued(card: Card, amount_fen: int, **of: str) -> InformationSheetIssued:
    return InformationSheetIssued(
        **side(card, **of), sheet_number="鲁枣〔2026〕第0001号", amount_fen=amount_fen, issued_on=TODAY
    )


def paid(card: Card, amount_fen: int, **of: str) -> FundsPaid:
    return FundsPaid(**side(card, **of), amount_fen=amount_fen, bank_reference="BANK-1", paid_on=TODAY)


def completed(card: Card, amount_fen: int, **of: str) -> TransferOutCompleted:
    return TransferOutCompleted(**side(card, **of), amount_fen=amount_fen, completed_on=TODAY)


def cancelled(card: Card, **of: str) -> TransferOutCancelled:
    return TransferOutCancelled(**side(card, **of), reason="申请人撤回")


def received(card: Card, amount_fen: int, **of: str) -> FundsReceived:
    return FundsReceived(
        **side(card, **of), amount_fen=amount_fen, bank_reference="BANK-1", received_on=TODAY
    )


def taken_up(
    card: Card, amount_fen: int, periods: list[ContributionPeriod], on: dt.date = TODAY, **of: str
) -> TransferTakenUp:
    return TransferTakenUp(**side(card, **of), amount_fen=amount_fen, periods=periods, taken_up_on=on)


def period(from_month: str, to_month: str, months_paid: int, kind: str = "310") -> ContributionPeriod:
    """A row of 枣庄's 信息表."""
    return ContributionPeriod(
        from_month=from_month,
        to_month=to_month,
        insurance_kind=kind,
        months_paid=months_paid,
        region_code=ZAOZHUANG,
        agency_name="枣庄市医疗保障经办机构",
    )
