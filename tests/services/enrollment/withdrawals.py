"""Withdrawals as tests make them: somebody with money, the form, and the way to the bank and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from libs.ledger.verification import verify
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from tests.services.enrollment.applications import WUHAN, Applicant, acted, application, applied
from tests.services.enrollment.counter import Card, Counter, clerk_of
from tests.support.tokens import officer, system

ITEM = "002036002003"
BANK = "中国工商银行武汉分行"
OF_WUHAN = ("identity-proof", "account-withdrawal-form")


@dataclass(frozen=True)
class Insured:
    """Somebody with a personal account, stopped unless told otherwise."""

    applicant: Applicant
    card: Card

    @property
    def name(self) -> str:
        return self.applicant.made_up.name


def clerk(region_code: str = WUHAN) -> dict[str, str]:
    return officer(region_code, Role.CLERK, subject="clerk")


def reviewer(region_code: str = WUHAN) -> dict[str, str]:
    return officer(region_code, Role.REVIEWER, subject="reviewer")


def accountant(region_code: str = WUHAN) -> dict[str, str]:
    return officer(region_code, Role.FINANCE, subject="accountant")


def chief(region_code: str = WUHAN) -> dict[str, str]:
    return officer(region_code, Role.CHIEF, subject="chief")


def cashier(region_code: str = WUHAN, subject: str = "cashier") -> dict[str, str]:
    return officer(region_code, Role.FINANCE, subject=subject)


def data_sharing(*regions: str) -> dict[str, str]:
    return system("enrollment.data_sharing", regions=regions or ("*",))


async def insured(
    counter: Counter,
    region_code: str = WUHAN,
    *,
    months: tuple[str, ...] = ("2026-01", "2026-02"),
    stopped: bool = True,
) -> Insured:
    """A flexible worker since 2024 with 100 yuan a month; stopped on 28 February 2026."""
    one = await registered(counter, region_code)
    enrolment = await counter.enrol(one.card)
    if months:
        await counter.contribute(one.card, list(months))
    if stopped:
        await counter.stop(enrolment)
    return one


async def registered(counter: Counter, region_code: str, somebody: Applicant | None = None) -> Insured:
    """Somebody a region knows, not insured yet."""
    somebody = somebody or Applicant(counter.people.person(region_code[:4] + "02"))
    body = {
        "region_code": region_code,
        "credential": {"type": "resident_id", "number": somebody.made_up.id_number},
        "name": somebody.made_up.name,
    }
    told = await counter.done("persons", body, clerk_of(region_code))
    key = counter.resources.protector.blind_index(f"resident_id:{somebody.made_up.id_number}")
    return Insured(somebody, Card(told["id"], key, somebody.made_up.id_number, region_code))


def payee(holder_name: str, **more: Any) -> dict[str, Any]:
    return {"account_no": "6222020200011122", "bank_name": BANK, "holder_name": holder_name, **more}


def payload(one: Insured, reason: str = "emigration", **more: Any) -> dict[str, Any]:
    return {
        "kind": "account_withdrawal",
        "reason": reason,
        "employer_name": "灵活就业",
        "payee": payee(one.name),
        **more,
    }


def form(one: Insured, *materials: str, channel: str = "window", **of: Any) -> dict[str, Any]:
    """The person's own application; ``of`` goes into the payload."""
    papers = materials or OF_WUHAN
    body = payload(one, **of)
    return application(one.card.region_code, ITEM, one.applicant.body(), body, *papers, channel=channel)


def heir(one: Applicant, **more: Any) -> dict[str, Any]:
    return one.body(relation="配偶", agrees=True, is_representative=True, **more)


def form_of_heir(
    one: Insured, widow: Applicant, *materials: str, reason: str = "death", **of: Any
) -> dict[str, Any]:
    """An application by the representative of the heirs."""
    body = payload(one, reason=reason) | {
        "person": one.applicant.body(),
        "died_on": "2026-02-20",
        "heirs": [heir(widow)],
        "payee": payee(widow.made_up.name),
        **of,
    }
    return application(one.card.region_code, ITEM, widow.body(), body, *materials)


async def payable(counter: Counter, body: dict[str, Any]) -> dict[str, Any]:
    """The case after clerk, reviewer, accountant and chief."""
    region_code = body["region_code"]
    case = await applied(counter, body, clerk(region_code))
    case = await acted(counter, case, "accept", clerk(region_code))
    case = await acted(counter, case, "approve", reviewer(region_code))
    case = await acted(counter, case, "finance-check", accountant(region_code))
    return await acted(counter, case, "chief-approve", chief(region_code))


async def batch_of(counter: Counter, region_code: str = WUHAN, subject: str = "cashier") -> dict[str, Any]:
    caller = cashier(region_code, subject)
    return await counter.done("payout-batches", {"region_code": region_code}, caller)


def paid_line(line: dict[str, Any], **more: Any) -> dict[str, Any]:
    key = line["end_to_end_id"]
    told = {"outcome": "paid", "end_to_end_id": key, "bank_reference": f"ICBC-{key}"}
    return {**told, "settled_on": "2026-03-10", **more}


def failed_line(line: dict[str, Any], reason: str = "账号户名不符") -> dict[str, Any]:
    return {"outcome": "failed", "end_to_end_id": line["end_to_end_id"], "reason": reason}


async def answered(
    counter: Counter, batch: dict[str, Any], *results: dict[str, Any], region_code: str = WUHAN
) -> dict[str, Any]:
    """What came of the bank's answers."""
    path = f"payout-batches/{batch['id']}/results"
    return await counter.done(path, {"results": list(results)}, cashier(region_code))


async def status_of(counter: Counter, case: dict[str, Any], caller: dict[str, str]) -> str:
    answer = await counter.client.get(f"/v1/applications/{case['case_no']}", headers=caller)
    status: str = answer.json()["status"]
    return status


async def withdrawal_of(
    counter: Counter, case: dict[str, Any], caller: dict[str, str] | None = None
) -> dict[str, Any]:
    answer = await counter.get(f"withdrawals/{case['case_no']}", caller or reviewer())
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def require_sound_ledger(counter: Counter) -> None:
    """Every invariant of the ledger holds."""
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        assert await verify(session) == []
