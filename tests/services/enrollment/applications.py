"""Applications as tests write them: bodies of the forms, and the answers of a case's way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from libs.identifiers.made_up import MadeUpPerson
from libs.webapp.callers import Role
from tests.services.enrollment.counter import Counter
from tests.support.tokens import officer, once

RESIDENT_ITEM, EMPLOYEE_ITEM = "002036001003", "002036001002"
WUHAN = "420100"


@dataclass(frozen=True)
class Applicant:
    """Somebody who applies, with a valid identity number."""

    made_up: MadeUpPerson

    def body(self, **more: Any) -> dict[str, Any]:
        return {
            "credential_type": "resident_id",
            "credential_no": self.made_up.id_number,
            "name": self.made_up.name,
            "telephone": self.made_up.telephone,
            **more,
        }


def application(
    region_code: str,
    item_key: str,
    applicant: dict[str, Any],
    payload: dict[str, Any],
    *materials: str | dict[str, Any],
    channel: str = "window",
) -> dict[str, Any]:
    """An application; ``materials`` are keys of originals, or whole entries."""
    return {
        "region_code": region_code,
        "item_key": item_key,
        "channel": channel,
        "applicant": applicant,
        "payload": payload,
        "materials": [m if isinstance(m, dict) else {"key": m} for m in materials],
    }


async def apply(
    counter: Counter, body: dict[str, Any], caller: dict[str, str] | None = None
) -> httpx.Response:
    """Hand an application in, at the window of its region unless told otherwise."""
    caller = caller or officer(body["region_code"], Role.CLERK)
    return await counter.client.post("/v1/applications", json=body, headers=once(caller))


async def applied(
    counter: Counter, body: dict[str, Any], caller: dict[str, str] | None = None
) -> dict[str, Any]:
    """The case an application became."""
    answer = await apply(counter, body, caller)
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


async def act(
    counter: Counter,
    case: dict[str, Any],
    action: str,
    caller: dict[str, str],
    body: dict[str, Any] | None = None,
) -> httpx.Response:
    """Do something to a case."""
    path = f"/v1/applications/{case['case_no']}/actions/{action}"
    return await counter.client.post(path, json=body or {}, headers=once(caller))


async def acted(
    counter: Counter,
    case: dict[str, Any],
    action: str,
    caller: dict[str, str],
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The case after it was done."""
    answer = await act(counter, case, action, caller, body)
    assert answer.is_success, answer.text
    moved: dict[str, Any] = answer.json()
    return moved
