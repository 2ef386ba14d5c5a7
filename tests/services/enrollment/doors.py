"""The service's doors: every route with who is let in, and what a caller in order sends there.

Whoever is not let in is told 403, or that there is nothing: 404. Nobody of a foreign region is let in
anywhere but where a line says so, and then learns nothing of this one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from libs.identifiers.made_up import MadeUp
from libs.webapp.callers import Role
from tests.services.enrollment.applications import WUHAN, application
from tests.services.enrollment.certificates import ITEM as CERTIFICATE_ITEM
from tests.services.enrollment.counter import YANTAI, Counter
from tests.services.enrollment.tax import Row, file_of
from tests.services.enrollment.town import MONTH, Town
from tests.services.enrollment.withdrawals import payee, payload
from tests.support.tokens import citizen, officer, once, system

SCOPES = ("read", "write", "tax_files", "data_sharing", "payout_results", "joint_registration")
ANYBODY = frozenset({"owner", "stranger", "nobody's officer", "no scope", *SCOPES, *Role})
OFFICERS = frozenset(Role)
WRITERS = frozenset({Role.CLERK, Role.REVIEWER, "write"})
CASEWORKERS = frozenset({Role.CLERK, Role.REVIEWER, Role.SUPERVISOR})
READERS = OFFICERS | {"read"}
PEOPLE = MadeUp(seed=4711)

Opens = frozenset[Any]


@dataclass(frozen=True)
class Line:
    """Who is let in, and what is sent; ``abroad``: a foreign caller too is answered (nothing of ours)."""

    opens: Opens
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    abroad: bool = False


E_, A = "/v1/enrollment", "/v1/applications"
REGION = {"region_code": WUHAN}
ACTIONS: dict[str, tuple[Opens, dict[str, Any]]] = {
    "accept": (CASEWORKERS, {}),
    "request-supplement": (CASEWORKERS, {"remarks": ["不清。"]}),
    "supplement": (CASEWORKERS | {"owner"}, {}),
    "refuse": (CASEWORKERS, {"reasons": ["不符。"]}),
    "approve": (frozenset({Role.CLERK, Role.REVIEWER}), {}),
    "finance-check": (frozenset({Role.FINANCE}), {}),
    "chief-approve": (frozenset({Role.CHIEF}), {}),
    "reject": (
        frozenset({Role.REVIEWER, Role.SUPERVISOR, Role.FINANCE, Role.CHIEF}),
        {"reasons": ["不符。"]},
    ),
    "withdraw": (CASEWORKERS | {"owner"}, {"reason": "不办了。"}),
}


def lines(town: Town) -> dict[str, Line]:
    """The table."""
    own, ids = READERS | {"owner"}, town.ids
    one, company = PEOPLE.person("420102"), PEOPLE.employer("420102", "武汉")
    credential = {"number": town.owner.card.id_number}
    told_dead = {
        "credential": {"credential_type": "resident_id", "credential_no": town.owner.card.id_number},
        "deceased_on": "2026-02-20",
        "source": "公安",
        "reference": "GA-2",
        "evidence_digest": "a" * 64,
    }
    enrolment = {"person_id": ids["person_id"], "insurance_kind": "410", "person_kind": "flexible_worker"}
    months = [{"month": "2025-01", "base_yuan": "5000.00", "account_yuan": "1.00"}]
    merge = {"keep_id": ids["keep_id"], "merge_id": ids["merge_id"], "reason": "重复"}
    paid = {"outcome": "paid", "end_to_end_id": ids["end_to_end_id"], "bank_reference": "B-1"}
    applied_for = applications(town, town.owner.applicant.body())
    money = frozenset({Role.FINANCE, Role.CHIEF, Role.AUDITOR})
    return {
        f"POST {E_}/persons": Line(
            WRITERS, REGION | {"credential": {"number": one.id_number}, "name": one.name}
        ),
        f"GET {E_}/persons": Line(frozenset({Role.AUDITOR, Role.SUPERVISOR}), query=REGION),
        f"POST {E_}/persons/search": Line(own, REGION | {"credential": credential}),
        f"GET {E_}/persons/{{person_id}}": Line(own),
        f"GET {E_}/persons/{{person_id}}/account": Line(own),
        f"GET {E_}/persons/{{person_id}}/contributions": Line(own),
        f"GET {E_}/persons/{{person_id}}/history": Line(own),
        f"GET {E_}/persons/{{person_id}}/rights-record": Line(own, query={"year": 2025}),
        f"GET {E_}/persons/{{person_id}}/rights-record.pdf": Line(own, query={"year": 2025}),
        f"GET {E_}/papers/{{document_id}}": Line(OFFICERS | {"owner"}),
        f"POST {E_}/papers/verify": Line(ANYBODY, b"%PDF-1.7", abroad=True),
        f"POST {E_}/employers": Line(
            WRITERS, REGION | {"credit_code": company.credit_code, "name": company.name}
        ),
        f"GET {E_}/employers": Line(READERS, query=REGION),
        f"GET {E_}/employers/{{employer_id}}": Line(own),
        f"GET {E_}/employers/{{employer_id}}/people": Line(own),
        f"POST {E_}/person-merges": Line(frozenset({Role.CLERK}), merge | {"evidence": [{"name": "户口簿"}]}),
        f"GET {E_}/person-merges": Line(OFFICERS, query=REGION),
        f"GET {E_}/person-merges/{{merge_request_id}}": Line(OFFICERS),
        f"POST {E_}/person-merges/{{merge_request_id}}/approve": Line(frozenset({Role.REVIEWER}), {}),
        f"POST {E_}/person-merges/{{merge_request_id}}/reject": Line(
            frozenset({Role.REVIEWER}), {"reason": "非同一人"}
        ),
        f"POST {E_}/enrolments": Line(WRITERS, enrolment | {"started_on": "2026-03-01"}),
        f"POST {E_}/enrolments/{{enrolment_id}}/stop": Line(
            WRITERS, {"stopped_on": "2026-03-01", "reason": "other"}
        ),
        f"GET {E_}/enrolments/{{enrolment_id}}": Line(own),
        f"POST {E_}/contributions": Line(
            WRITERS, {"person_id": ids["person_id"], "insurance_kind": "310", "months": months}
        ),
        f"POST {E_}/contribution-files": Line(
            frozenset({Role.FINANCE, "tax_files"}),
            file_of([Row("S-00000002", one.id_number, one.name)], file_no="SW-0099", region=WUHAN),
        ),
        f"GET {E_}/contribution-files/{{file_id}}": Line(OFFICERS | {"tax_files"}),
        f"GET {E_}/contribution-files/{{file_id}}/rows": Line(OFFICERS | {"tax_files"}),
        f"POST {E_}/contribution-files/{{file_id}}/rows/{{row_no}}/reapply": Line(
            frozenset({Role.CLERK, Role.REVIEWER, Role.FINANCE}), {}
        ),
        f"POST {E_}/retiree-credits": Line(frozenset({Role.FINANCE}), REGION | {"month": MONTH}),
        f"GET {E_}/retiree-credits": Line(READERS, query=REGION | {"month": MONTH}),
        f"GET {E_}/reconciliations": Line(OFFICERS, query=REGION | {"month": MONTH}),
        f"GET {E_}/arrears": Line(OFFICERS, query=REGION),
        f"GET {E_}/fund-accounts": Line(money, query=REGION),
        f"POST {E_}/rosters": Line(
            WRITERS, b"\n", query=REGION | {"kind": "student", "started_on": "2026-03-01"}
        ),
        f"GET {E_}/rosters": Line(READERS, query=REGION),
        f"GET {E_}/rosters/{{roster_id}}": Line(READERS),
        f"GET {E_}/rosters/{{roster_id}}/rows": Line(READERS),
        f"GET {E_}/rosters/{{roster_id}}/errors": Line(WRITERS),
        f"GET {E_}/withdrawals/{{case_no}}": Line(own),
        f"POST {E_}/withdrawals/{{case_no}}/payee": Line(CASEWORKERS | {"owner"}, payee(town.owner.name)),
        f"POST {E_}/withdrawals/{{case_no}}/payee/confirm": Line(
            frozenset({Role.REVIEWER, Role.SUPERVISOR}), {"payee_version": 1}
        ),
        f"POST {E_}/withdrawals/{{case_no}}/return": Line(
            frozenset({Role.FINANCE, Role.CHIEF}), {"reason": "不付"}
        ),
        f"POST {E_}/payout-batches": Line(frozenset({Role.FINANCE}), REGION),
        f"GET {E_}/payout-batches/{{batch_id}}": Line(money),
        f"GET {E_}/payout-batches/{{batch_id}}/file": Line(frozenset({Role.FINANCE})),
        f"POST {E_}/payout-batches/{{batch_id}}/results": Line(
            frozenset({Role.FINANCE, "payout_results"}), {"results": [paid | {"settled_on": "2026-03-10"}]}
        ),
        # Lines about people of other regions are answered: that nobody is known.
        f"POST {E_}/death-notices": Line(
            frozenset({Role.REVIEWER, "data_sharing"}), {"notices": [told_dead]}, abroad=True
        ),
        f"GET {E_}/death-notices/{{notice_id}}": Line(OFFICERS | {"data_sharing"}),
        f"POST {E_}/death-notices/{{notice_id}}/revoke": Line(
            frozenset({Role.CLERK, Role.REVIEWER}), {"reason": "误报"}
        ),
        f"POST {E_}/death-notices/{{notice_id}}/revoke/confirm": Line(frozenset({Role.REVIEWER}), {}),
        f"GET {A}/{{case_no}}": Line(own),
        f"GET {A}/{{case_no}}/documents": Line(OFFICERS | {"owner"}),
        **{f"POST {A}/{{case_no}}/actions/{name}": Line(*told) for name, told in ACTIONS.items()},
        **{f"POST {A} {kind}": Line(CASEWORKERS | {"owner"}, body) for kind, body in applied_for.items()},
        f"POST {A} employer_registration jointly": Line(
            frozenset({"joint_registration"}),
            applied_for["employer_registration"] | {"channel": "joint_registration"},
        ),
    }


def applications(town: Town, applicant: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """An application of each kind about the owner and their employer, whoever applies."""
    owner, code = town.owner.applicant.body(), town.employer["credit_code"]
    company = PEOPLE.employer("420102", "武汉")
    new = {"registration_kind": "new", "credit_code": company.credit_code, "name": company.name}
    change = {"person": owner, "changes": [{"item": "telephone", "after": "19900000009"}]}
    row = {"person": owner, "change": "add", "effective_on": "2026-03-01"}
    payloads: dict[str, tuple[str, dict[str, Any]]] = {
        "account_withdrawal": ("002036002003", payload(town.owner) | {"person": owner}),
        "certificate": (CERTIFICATE_ITEM, {"person": owner}),
        "employee_change": ("002036001005", {"people": [change]}),
        "employee_registration": ("002036001002", {"employer_credit_code": code, "people": [row]}),
        "employer_change": ("002036001004", {"credit_code": code, "changes": {"address": "一号"}}),
        "employer_query": ("002036002001", {"credit_code": code, "with_people": True}),
        "employer_registration": ("002036001001", {"registration": new}),
        "person_query": ("002036002002", {"person": owner}),
        "resident_change": ("002036001006", {"people": [change]}),
        "resident_registration": (
            "002036001003",
            {"person": owner, "relation": "父亲", "started_on": "2026-03-01"},
        ),
        "student_registration": ("yantai-student-registration", {"roster_id": town.ids["waiting_roster_id"]}),
    }
    return {
        kind: application(WUHAN, item, applicant, {"kind": kind, **told}, "identity-proof")
        for kind, (item, told) in payloads.items()
    }


def callers(town: Town, region_code: str = WUHAN) -> dict[Any, dict[str, str]]:
    """Headers by name."""
    stranger = town.stranger.made_up.id_number
    return {
        "owner": citizen(town.owner.card.key),
        "stranger": citizen(f"{int(stranger[:17]):064d}"),
        "nobody's officer": officer(region_code),
        **{role: officer(region_code, role, subject=f"door-{role.value}") for role in Role},
        "no scope": system(regions=[region_code]),
        **{scope: system(f"enrollment.{scope}", regions=[region_code]) for scope in SCOPES},
    }


def abroad() -> dict[str, dict[str, str]]:
    """Everything one can be in a foreign region."""
    scopes = [f"enrollment.{scope}" for scope in SCOPES]
    return {
        "officer abroad": officer(YANTAI, *Role, subject="abroad"),
        **{f"{role} abroad": officer(YANTAI, role, subject="abroad") for role in Role},
        "system abroad": system(*scopes, regions=[YANTAI]),
    }


async def ask(
    counter: Counter, town: Town, name: str, line: Line, caller: dict[str, str] | None
) -> httpx.Response:
    """The route, asked as its line says."""
    method, path = name.split(" ")[:2]
    is_file = isinstance(line.body, bytes)
    sent = {"content": line.body} if is_file else {"json": line.body} if line.body is not None else {}
    headers = once(caller or {}) if method == "POST" else caller or {}
    return await counter.client.request(
        method, path.format(**town.ids), params=line.query, headers=headers, **sent
    )
