"""Applications of employers as tests write them, and employers with people to apply for."""

from __future__ import annotations

from typing import Any

from libs.identifiers.made_up import MadeUpEmployer
from libs.webapp.callers import Role
from tests.services.enrollment.applications import Applicant, acted, application, applied
from tests.services.enrollment.counter import ZAOZHUANG, Card, Counter, clerk_of
from tests.support.tokens import officer

REGISTRATION_ITEM, CHANGE_ITEM, QUERY_ITEM = "002036001001", "002036001004", "002036002001"
PAPERS = ("credit-code-certificate", "employer-registration-form")


def company(counter: Counter, region_code: str = ZAOZHUANG) -> MadeUpEmployer:
    return counter.people.employer(region_code[:4] + "02", "枣庄")


def details(counter: Counter, made_up: MadeUpEmployer, **more: Any) -> dict[str, Any]:
    """Everything hubei's form asks for."""
    boss, agent = counter.people.person("370402"), counter.people.person("370402")
    return {
        "credit_code": made_up.credit_code,
        "name": made_up.name,
        "nature": "enterprise",
        "address": "市中区一号",
        "legal_representative": Applicant(boss).body(),
        "bank_account": {"bank": "某银行", "account_name": made_up.name, "account_no": "6220000000000001"},
        "agent": {
            "name": agent.name,
            "mobile": agent.telephone,
            "credential": {"credential_type": "resident_id", "credential_no": agent.id_number},
        },
        "insurance_kinds": ["310"],
        **more,
    }


def registration(
    counter: Counter,
    form: dict[str, Any],
    region_code: str = ZAOZHUANG,
    *,
    channel: str = "window",
    materials: tuple[str | dict[str, Any], ...] = PAPERS,
) -> dict[str, Any]:
    """An application for 单位参保登记 of any kind, by somebody of the employer."""
    applicant = Applicant(counter.people.person("370402")).body()
    payload = {"kind": "employer_registration", "registration": form}
    return application(region_code, REGISTRATION_ITEM, applicant, payload, *materials, channel=channel)


def new(counter: Counter, made_up: MadeUpEmployer, **more: Any) -> dict[str, Any]:
    """The form of a new employer."""
    form = details(counter, made_up, insured_since="2026-03-01")
    return {"registration_kind": "new", **form, **more}


async def hired(
    counter: Counter,
    employer: dict[str, Any],
    *kinds: str,
    since: str = "2025-01-01",
    person_kind: str = "employee",
) -> Card:
    """Somebody enrolled with the employer, in 310 unless told otherwise."""
    card = await counter.person(employer["region_code"])
    for kind in kinds or ("310",):
        body = {
            "person_id": card.id,
            "insurance_kind": kind,
            "person_kind": person_kind,
            "employer_id": employer["id"],
            "started_on": since,
        }
        await counter.done("enrolments", body, clerk_of(employer["region_code"]))
    return card


def credential(card: Card) -> dict[str, str]:
    return {"credential_type": "resident_id", "credential_no": card.id_number}


async def decided(counter: Counter, body: dict[str, Any]) -> dict[str, Any]:
    """The case; approved by a second officer where it is reviewed."""
    case = await applied(counter, body)
    if case["status"] != "submitted":
        return case
    case = await acted(counter, case, "accept", officer(body["region_code"], Role.CLERK, subject="a"))
    return await acted(counter, case, "approve", officer(body["region_code"], Role.REVIEWER, subject="b"))


async def carried_out(counter: Counter, body: dict[str, Any]) -> dict[str, Any]:
    """The case, completed."""
    case = await decided(counter, body)
    assert case["status"] == "completed", case
    return case


async def paid_for(counter: Counter, employer: dict[str, Any]) -> Card:
    """Somebody of February for whom the employer owes nothing."""
    card = await hired(counter, employer, since="2026-02-01")
    await counter.contribute(card, ["2026-02"])
    return card
