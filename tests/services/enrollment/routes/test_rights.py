"""Every route for every kind of caller, here and in a foreign region."""

from __future__ import annotations

from typing import Any

import pytest

from libs.identifiers.made_up import MadeUp
from libs.webapp.callers import CallerKind, Role
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Card, Counter, clerk_of, contributions
from tests.support.tokens import citizen, headers, officer, system, token

STRANGER = "0" * 64
READS = (
    "persons/{person}",
    "persons/{person}/account",
    "persons/{person}/contributions",
    "enrolments/{enrolment}",
)
OTHER_ROLES = (Role.FINANCE, Role.CHIEF, Role.SUPERVISOR, Role.AUDITOR)

Known = tuple[Card, dict[str, str]]


@pytest.fixture
async def known(counter: Counter) -> Known:
    """Somebody enrolled in 枣庄, and the ids to put into paths."""
    card = await counter.person()
    enrolment = await counter.enrol(card)
    employer = await counter.employer()
    return card, {"person": card.id, "enrolment": enrolment["id"], "employer": employer["id"]}


def writes(card: Card, ids: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """A valid body for each write in 枣庄."""
    made_up = MadeUp(seed=77)
    person, employer = made_up.person("370402"), made_up.employer("370402", "枣庄")
    enrolment = {"person_kind": "flexible_worker", "started_on": "2026-03-01", "person_id": card.id}
    return [
        ("employers", {"region_code": ZAOZHUANG, "credit_code": employer.credit_code, "name": employer.name}),
        (
            "persons",
            {"region_code": ZAOZHUANG, "credential": {"number": person.id_number}, "name": person.name},
        ),
        ("enrolments", {**enrolment, "insurance_kind": "410"}),
        ("contributions", contributions(card, ["2025-01"])),
        (f"enrolments/{ids['enrolment']}/stop", {"stopped_on": "2026-03-01", "reason": "other"}),
    ]


async def statuses(counter: Counter, known: Known, caller: dict[str, str]) -> list[int]:
    """What each write is answered."""
    return [(await counter.post(path, body, caller)).status_code for path, body in writes(*known)]


@pytest.mark.parametrize(
    "caller",
    [
        officer(ZAOZHUANG, Role.CLERK),
        officer(ZAOZHUANG, Role.REVIEWER),
        system("enrollment.write", regions=[ZAOZHUANG]),
    ],
    ids=["clerk", "reviewer", "system"],
)
async def test_clerks_reviewers_and_systems_of_the_region_write(
    counter: Counter, known: Known, caller: dict[str, str]
) -> None:
    assert await statuses(counter, known, caller) == [201, 201, 201, 201, 200]


@pytest.mark.parametrize(
    "caller",
    [*(officer(ZAOZHUANG, role) for role in OTHER_ROLES), system("enrollment.read"), citizen(STRANGER)],
    ids=[*(role.value for role in OTHER_ROLES), "system that reads", "citizen"],
)
async def test_nobody_else_writes(counter: Counter, known: Known, caller: dict[str, str]) -> None:
    assert await statuses(counter, known, caller) == [403] * 5


async def test_the_person_themselves_does_not_write(counter: Counter, known: Known) -> None:
    assert await statuses(counter, known, citizen(known[0].key)) == [403] * 5


@pytest.mark.parametrize(
    "caller",
    [clerk_of(YANTAI), system("enrollment.write", "enrollment.read", regions=[YANTAI])],
    ids=["officer", "system"],
)
async def test_another_region_neither_writes_nor_reads_here(
    counter: Counter, known: Known, caller: dict[str, str]
) -> None:
    assert await statuses(counter, known, caller) == [403, 403, 404, 404, 404]
    _, ids = known
    for path in (*READS, "employers/{employer}"):
        assert (await counter.get(path.format(**ids), caller)).status_code == 404


@pytest.mark.parametrize("role", list(Role))
async def test_officers_of_every_role_read_their_region(counter: Counter, known: Known, role: Role) -> None:
    _, ids = known
    for path in (*READS, "employers/{employer}"):
        assert (await counter.get(path.format(**ids), officer(ZAOZHUANG, role))).status_code == 200


async def test_an_officer_without_a_role_reads_nothing(counter: Counter, known: Known) -> None:
    _, ids = known
    for path in (*READS, "employers/{employer}"):
        assert (await counter.get(path.format(**ids), officer(ZAOZHUANG))).status_code == 403


async def test_citizens_read_their_own_and_of_others_not_even_that_they_exist(
    counter: Counter, known: Known
) -> None:
    card, ids = known
    for path in READS:
        assert (await counter.get(path.format(**ids), citizen(card.key))).status_code == 200
        hidden = await counter.get(path.format(**ids), citizen(STRANGER))
        assert hidden.status_code == 404
    nobody = await counter.get(f"persons/{ids['employer']}", citizen(STRANGER))
    somebody = await counter.get(f"persons/{ids['person']}", citizen(STRANGER))
    assert nobody.json()["detail"] == somebody.json()["detail"]
    assert (await counter.get(f"employers/{ids['employer']}", citizen(card.key))).status_code == 404


async def test_citizens_find_only_themselves(counter: Counter, known: Known) -> None:
    card, _ = known
    body = {"region_code": ZAOZHUANG, "credential": {"number": card.id_number}}
    path = "/v1/enrollment/persons/search"
    assert (await counter.client.post(path, json=body, headers=citizen(card.key))).status_code == 200
    assert (await counter.client.post(path, json=body, headers=citizen(STRANGER))).status_code == 404
    assert (await counter.client.post(path, json=body, headers=clerk_of(YANTAI))).status_code == 404
    assert (await counter.client.post(path, json=body)).status_code == 401


async def test_systems_read_with_their_scope_only(counter: Counter, known: Known) -> None:
    _, ids = known
    path = f"persons/{ids['person']}"
    assert (await counter.get(path, system("enrollment.read"))).status_code == 200
    masked = (await counter.get(path, system("enrollment.read"))).json()
    assert "*" in masked["credential"]["number"]
    assert (await counter.get(path, system("transfer.read"))).status_code == 403


async def test_without_a_valid_token_there_is_no_answer(counter: Counter, known: Known) -> None:
    _, ids = known
    path = f"/v1/enrollment/persons/{ids['person']}"
    expired = token(CallerKind.OFFICER, "officer-1", regions=[ZAOZHUANG], roles=[Role.CLERK], life_s=-10)
    assert (await counter.client.get(path)).status_code == 401
    assert (await counter.client.get(path, headers=headers(expired))).status_code == 401
    assert (await counter.client.get(path, headers=headers("not.a.token"))).status_code == 401


async def test_the_database_shows_a_region_its_own_rows_only(counter: Counter) -> None:
    await counter.insured(["2025-01"])
    await counter.employer()
    tables = ("employers", "persons", "enrolments", "contribution_months", "changes", "ledger_accounts")
    for table in tables:
        query = f"SELECT count(*) FROM {table}"
        assert await counter.rows(query, regions=(YANTAI,)) == [(0,)], table
        assert await counter.rows(query, regions=()) == [(0,)], table
        assert (await counter.rows(query, regions=(ZAOZHUANG,)))[0][0] > 0, table


async def test_the_services_login_can_neither_delete_nor_rewrite_history(counter: Counter) -> None:
    await counter.insured(["2025-01"])
    for statement in (
        "DELETE FROM contribution_months RETURNING 1",
        "DELETE FROM enrolments RETURNING 1",
        "UPDATE changes SET after = '{}' RETURNING 1",
        "UPDATE enrolments SET started_on = '2000-01-01' RETURNING 1",
        "UPDATE persons SET created_at = now() RETURNING 1",
        "DELETE FROM person_aliases RETURNING 1",
        "UPDATE person_merges SET requested_by = 'officer:x' RETURNING 1",
        "UPDATE ledger_entries SET amount_fen = 1 RETURNING 1",
    ):
        with pytest.raises(Exception, match="permission denied"):
            await counter.rows(statement)
