"""A town with something of everything the service keeps, and the way to each of its routes.

One town serves a whole table of callers: its region is 武汉, whose catalogue has every business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.libs.rosters.files import csv_file
from tests.services.enrollment.applications import WUHAN, Applicant, application, applied
from tests.services.enrollment.certificates import ITEM as CERTIFICATE_ITEM
from tests.services.enrollment.changes import same_birth_and_sex
from tests.services.enrollment.counter import Card, Counter, clerk_of
from tests.services.enrollment.registry import SCHOOL_HEADINGS, Registry, pupils, row_of
from tests.services.enrollment.tax import Row, Tax
from tests.services.enrollment.withdrawals import (
    Insured,
    batch_of,
    data_sharing,
    form,
    insured,
    payable,
    payee,
    registered,
    reviewer,
)
from tests.support.tokens import system

MONTH = "2026-03"
EVIDENCE = "a" * 64


@dataclass(frozen=True)
class Town:
    """``ids`` fill the places in paths; ``secrets`` must reach nobody who has no business here.

    ``numbers`` (of credentials, accounts, telephones) are shown in full to those who are cleared alone.
    """

    owner: Insured
    worker: Insured
    stranger: Applicant
    employer: dict[str, Any]
    ids: Mapping[str, str]
    secrets: frozenset[str]
    numbers: frozenset[str]


async def town_of(counter: Counter) -> Town:
    """Somebody who withdraws (owner), their employer, files, rosters, notices and papers."""
    owner = await insured(counter, WUHAN)
    employer = await _employer(counter, owner.card)
    worker = await _worker(counter, employer)
    case = await payable(counter, form(owner))
    batch = await batch_of(counter)
    paper = await _certificate(counter, owner)
    dead = await registered(counter, WUHAN)
    notice = await _notice(counter, dead)
    merge = await _merge(counter)
    done_roster, waiting_roster = await _rosters(counter)
    file = await Tax(counter, system("enrollment.tax_files")).book(
        Row("S-00000001", owner.card.id_number, owner.name), region=WUHAN
    )
    enrolments = (await counter.get(f"persons/{owner.card.id}", reviewer())).json()["enrolments"]
    ids = {
        "person_id": owner.card.id,
        "employer_id": employer["id"],
        "enrolment_id": enrolments[0]["id"],
        "merge_request_id": merge["id"],
        "file_id": file["id"],
        "row_no": "1",
        "document_id": paper,
        "roster_id": done_roster,
        "waiting_roster_id": waiting_roster,
        "case_no": case["case_no"],
        "batch_id": batch["id"],
        "notice_id": notice["id"],
        "end_to_end_id": batch["lines"][0]["end_to_end_id"],
        "keep_id": merge["keep_id"],
        "merge_id": merge["merge_id"],
        "dead": dead.card.id_number,
    }
    told = {"person_id", "employer_id", "enrolment_id", "file_id", "batch_id", "notice_id"}
    secrets = {ids[name] for name in told} | {owner.name, employer["name"], owner.applicant.made_up.telephone}
    stranger = Applicant(counter.people.person("420102"))
    numbers = {one.applicant.made_up.id_number for one in (owner, worker, dead)}
    numbers |= {owner.applicant.made_up.telephone, payee(owner.name)["account_no"]}
    return Town(owner, worker, stranger, employer, ids, frozenset(secrets), frozenset(numbers))


async def _employer(counter: Counter, agent: Card) -> dict[str, Any]:
    """An active employer whose 单位经办人员 is ``agent``."""
    made_up = counter.people.employer("420102", "武汉")
    body = {"region_code": WUHAN, "credit_code": made_up.credit_code, "name": made_up.name}
    employer = await counter.done("employers", body, clerk_of(WUHAN))
    statement = "UPDATE employers SET agent_key = :key WHERE id = :id RETURNING 1"
    await counter.rows(statement, key=agent.key, id=employer["id"])
    return employer


async def _worker(counter: Counter, employer: dict[str, Any]) -> Insured:
    """Somebody who works for the employer."""
    one = await registered(counter, WUHAN)
    body = {"person_id": one.card.id, "insurance_kind": "310", "person_kind": "employee"}
    hired = {"employer_id": employer["id"], "started_on": "2025-01-01"}
    await counter.done("enrolments", body | hired, clerk_of(WUHAN))
    return one


async def _certificate(counter: Counter, one: Insured) -> str:
    """Key of a sealed certificate's document."""
    body = application(
        WUHAN, CERTIFICATE_ITEM, one.applicant.body(), {"kind": "certificate"}, "identity-proof"
    )
    case = await applied(counter, body)
    path = f"/v1/applications/{case['case_no']}/documents"
    documents = (await counter.client.get(path, headers=clerk_of(WUHAN))).json()
    return str(documents[0]["id"])


async def _notice(counter: Counter, dead: Insured) -> dict[str, Any]:
    credential = {"credential_type": "resident_id", "credential_no": dead.card.id_number}
    line = {"credential": credential, "deceased_on": "2026-02-20", "source": "公安", "reference": "GA-1"}
    (told,) = (await counter.post("death-notices", {"notices": [line]}, data_sharing())).json()
    notice: dict[str, Any] = told["notices"][0]
    return notice


async def _merge(counter: Counter) -> dict[str, Any]:
    keep = await counter.person(WUHAN)
    twin = await counter.person(WUHAN, id_number=same_birth_and_sex(counter, keep.id_number))
    evidence = [{"name": "户口簿复印件", "content_digest": EVIDENCE}]
    body = {"keep_id": keep.id, "merge_id": twin.id, "evidence": evidence, "reason": "重复建档"}
    return await counter.done("person-merges", body, clerk_of(WUHAN))


async def _rosters(counter: Counter) -> tuple[str, str]:
    """A roster that is done with a row to put right, and one that waits for its case."""
    people = pupils(2, county="420102")
    registry = Registry(counter)
    rows = [row_of(people[0]), row_of(people[1], number="420102201301010000")]
    content = csv_file(rows, headings=SCHOOL_HEADINGS)
    told = await registry.finished(content, region_code=WUHAN)
    waiting = csv_file([row_of(one) for one in pupils(2, seed=7, county="420102")], headings=SCHOOL_HEADINGS)
    waiting_id = await registry.taken(waiting, region_code=WUHAN, release="false")
    return str(told["id"]), waiting_id
