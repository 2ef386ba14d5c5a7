"""Changes of people's data as tests write them."""

from __future__ import annotations

import re
from typing import Any

from libs.identifiers.credentials import Credential, CredentialType
from libs.webapp.callers import Role
from tests.services.enrollment.applications import acted, application, applied
from tests.services.enrollment.counter import ZAOZHUANG, Card, Counter
from tests.support.tokens import officer

EMPLOYEE_CHANGE, RESIDENT_CHANGE = "002036001005", "002036001006"
_PAPERS = {
    "employee_change": ("identity-proof", "employee-change-form", "key-information-evidence"),
    "resident_change": ("identity-proof", "resident-change-form", "key-information-evidence"),
}
_ITEMS = {"employee_change": EMPLOYEE_CHANGE, "resident_change": RESIDENT_CHANGE}
AUDITOR = officer(ZAOZHUANG, Role.AUDITOR, subject="auditor")


async def name_of(counter: Counter, card: Card) -> str:
    """The name the record bears now."""
    reviewer = officer(card.region_code, Role.REVIEWER)
    name: str = (await counter.get(f"persons/{card.id}", reviewer)).json()["name"]
    return name


def body_of(id_number: str, name: str, kind: CredentialType = CredentialType.RESIDENT_ID) -> dict[str, Any]:
    return {"credential_type": kind.value, "credential_no": id_number, "name": name}


def line(item: str, after: Any, **before: Any) -> dict[str, Any]:
    """One line of the form; ``before`` where it is told."""
    return {"item": item, "after": after, **before}


def credential(number: str, kind: CredentialType = CredentialType.RESIDENT_ID) -> dict[str, str]:
    return {"credential_type": kind.value, "credential_no": number}


async def form(
    counter: Counter,
    card: Card,
    *changes: dict[str, Any],
    kind: str = "employee_change",
    papers: tuple[str, ...] | None = None,
    row: dict[str, Any] | None = None,
    **payload: Any,
) -> dict[str, Any]:
    """A form for one person, handed in at the window with all papers."""
    person = body_of(card.id_number, await name_of(counter, card))
    told = {"person": person, "changes": list(changes), **(row or {})}
    applicant = {**person, "telephone": "19900000001"}
    papers = _PAPERS[kind] if papers is None else papers
    body = {"kind": kind, "people": [told], **payload}
    return application(card.region_code, _ITEMS[kind], applicant, body, *papers)


async def changed(
    counter: Counter, card: Card, *changes: dict[str, Any], kind: str = "employee_change"
) -> dict[str, Any]:
    """The case of a change that is made, reviewed by a second person where that is asked for."""
    case = await applied(counter, await form(counter, card, *changes, kind=kind))
    if case["status"] == "submitted":
        case = await acted(counter, case, "accept", officer(card.region_code, Role.CLERK, subject="a"))
        case = await acted(counter, case, "approve", officer(card.region_code, Role.REVIEWER, subject="b"))
    assert case["status"] == "completed", case
    return case


def key_of(counter: Counter, number: str, kind: CredentialType = CredentialType.RESIDENT_ID) -> str:
    return counter.resources.protector.blind_index(Credential(kind, number).canonical)


def same_birth_and_sex(counter: Counter, id_number: str) -> str:
    """Another valid identity number of somebody born the same day, of the same sex."""
    from stdnum.cn import ric

    serial = int(id_number[14:17])
    other = f"{id_number[:14]}{(serial + 2) % 1000:03d}"
    assert re.fullmatch(r"\d{17}", other)
    return other + ric.calc_check_digit(other)
