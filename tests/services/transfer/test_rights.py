"""Who may see and do what: regions, roles, citizens, versions, maker and checker."""

from __future__ import annotations

import re
from typing import Any

import pytest

from libs.webapp.callers import Role
from services.transfer.routes import ROUTERS
from tests.services.transfer.world import WUHAN, YANTAI, ZAOZHUANG, World
from tests.support.tokens import officer, once, system

READS = (
    "/v1/applications/{}",
    "/v1/applications/{}/documents",
    "/v1/transfers/{}",
    "/v1/transfers/{}/messages",
)

# Every action with a body that is in order and a role that may do it.
ACTIONS: dict[str, tuple[Role, dict[str, Any]]] = {
    "accept": (Role.CLERK, {}),
    "request-supplement": (Role.CLERK, {"remarks": ["不清。"]}),
    "supplement": (Role.CLERK, {}),
    "refuse": (Role.CLERK, {"reasons": ["不符。"]}),
    "reject": (Role.REVIEWER, {"reasons": ["不符。"]}),
    "withdraw": (Role.CLERK, {"reason": "不再转移。"}),
    "issue-contact-letter": (Role.CLERK, {}),
    "issue-information-sheet": (Role.REVIEWER, {}),
    "pay": (Role.FINANCE, {"bank_reference": "1", "paid_on": "2026-03-09"}),
    "take-up": (Role.REVIEWER, {}),
    "return-for-correction": (Role.REVIEWER, {"reason": "有误。", "faults": ["有误。"]}),
    "correct": (
        Role.REVIEWER,
        {
            "reason": "更正。",
            "periods": [{"from_month": "2020-01", "to_month": "2020-02", "insurance_kind": "310"}],
        },
    ),
    "inquire": (Role.CLERK, {}),
}
OF_CITIZENS = {"supplement", "withdraw"}


def test_no_action_is_left_out_of_this_file() -> None:
    paths = {route.path for router in ROUTERS for route in router.routes}  # type: ignore[attr-defined]
    actions = {path.rsplit("/", 1)[1] for path in paths if "/actions/" in path}
    assert actions == set(ACTIONS)


async def test_officers_of_a_foreign_region_find_nothing_to_read_or_do(world: World) -> None:
    pair = await world.with_sheet()
    before = await world.counts()

    for case_no in (pair.incoming, pair.outgoing):
        for path in READS:
            answer = await world.client.get(
                path.format(case_no), headers=officer(WUHAN, *Role, subject="somebody")
            )
            assert answer.status_code == 404, path
        for action, (_, body) in ACTIONS.items():
            answer = await world.post(
                f"/v1/applications/{case_no}/actions/{action}", body, officer(WUHAN, *Role)
            )
            assert answer.status_code == 404, action
    assert await world.counts() == before


async def test_an_officer_of_one_side_does_not_see_the_others_case(world: World) -> None:
    pair = await world.accepted()

    answer = await world.client.get(
        f"/v1/applications/{pair.outgoing}", headers=world.officer(ZAOZHUANG, "reviewer")
    )

    assert answer.status_code == 404


async def test_without_the_right_role_nothing_is_done(world: World) -> None:
    pair = await world.with_sheet()
    before = await world.counts()

    for action, (role, body) in ACTIONS.items():
        allowed = _roles_for(action) | {role}
        others = [other for other in Role if other not in allowed]
        answer = await world.post(
            f"/v1/applications/{pair.incoming}/actions/{action}", body, officer(ZAOZHUANG, *others)
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "role"), action
    assert await world.counts() == before


async def test_citizens_see_and_do_only_what_is_their_own(world: World) -> None:
    pair = await world.with_sheet()
    stranger = world.citizen(world.people.person("370402"))
    before = await world.counts()

    for case_no in (pair.incoming, pair.outgoing):
        for path in READS:
            assert (await world.client.get(path.format(case_no), headers=stranger)).status_code == 404
            own = await world.client.get(path.format(case_no), headers=world.citizen(pair.person))
            assert own.status_code == 200
        for action, (_, body) in ACTIONS.items():
            path = f"/v1/applications/{case_no}/actions/{action}"
            expected = 404 if action in OF_CITIZENS else 403
            assert (await world.post(path, body, stranger)).status_code == expected, action
            if action not in OF_CITIZENS:
                assert (await world.post(path, body, world.citizen(pair.person))).status_code == 403
    assert await world.counts() == before


async def test_a_citizen_supplements_the_own_application(world: World) -> None:
    person = await world.mover()
    body = world.application(person, YANTAI, ZAOZHUANG, materials=[], channel="mini_program")
    case_no = (await world.post("/v1/applications", body, world.citizen(person))).json()["case_no"]

    answer = await world.post(
        f"/v1/applications/{case_no}/actions/supplement",
        {"materials": [{"key": "identity-proof"}]},
        world.citizen(person),
    )

    assert answer.json()["status"] == "submitted"


async def test_systems_read_with_their_scope_and_do_nothing(world: World) -> None:
    pair = await world.accepted()
    path = f"/v1/applications/{pair.incoming}"

    assert (await world.client.get(path, headers=system("transfer.read"))).status_code == 200
    assert (await world.client.get(path, headers=system("other"))).status_code == 403
    assert (await world.post(f"{path}/actions/accept", {}, system("transfer.read"))).status_code == 403


async def test_without_a_token_nothing_is_answered(world: World) -> None:
    for path in READS:
        answer = await world.client.get(path.format("370400-33-20260309-000001-1"))
        assert answer.status_code == 401


async def test_nobody_issues_pays_or_takes_up_what_they_accepted(world: World) -> None:
    """One officer with all roles on each side: each step needs another."""
    person = await world.mover()
    all_in, all_out = officer(ZAOZHUANG, *Role, subject="all-in"), officer(YANTAI, *Role, subject="all-out")
    outgoing = (
        await world.post("/v1/applications", world.application(person, YANTAI, ZAOZHUANG, at=YANTAI), all_out)
    ).json()["case_no"]
    await world.post(f"/v1/applications/{outgoing}/actions/accept", {}, all_out)
    await world.exchange()
    await world.prepared(outgoing)

    sheet = await world.post(f"/v1/applications/{outgoing}/actions/issue-information-sheet", {}, all_out)
    assert (sheet.status_code, sheet.json()["code"]) == (403, "maker_checker")
    await world.act(outgoing, "issue-information-sheet", "reviewer")
    for subject in ("all-out", f"{YANTAI}-reviewer"):
        pays = await world.post(
            f"/v1/applications/{outgoing}/actions/pay",
            {"bank_reference": "1", "paid_on": "2026-03-09"},
            officer(YANTAI, *Role, subject=subject),
        )
        assert (pays.status_code, pays.json()["code"]) == (403, "maker_checker")

    second = await world.mover()
    incoming = (
        await world.post("/v1/applications", world.application(second, YANTAI, ZAOZHUANG), all_in)
    ).json()["case_no"]
    await world.post(f"/v1/applications/{incoming}/actions/accept", {}, all_in)
    await world.exchange()
    other = await world.counterpart(incoming)
    await world.prepared(other, 0)
    await world.act(other, "issue-information-sheet", "reviewer")
    await world.exchange()
    takes = await world.post(f"/v1/applications/{incoming}/actions/take-up", {}, all_in)
    assert (takes.status_code, takes.json()["code"]) == (403, "maker_checker")


OTHER_VERSIONS = ('"1"', '"99"', "2", '"²"', 'W/"2"', '"' + "9" * 30 + '"', "*x")


async def test_who_saw_another_version_changes_nothing(world: World, subtests: pytest.Subtests) -> None:
    person = await world.mover()
    body = world.application(person, YANTAI, ZAOZHUANG, materials=[])
    case_no = (await world.apply(body))["case_no"]
    before = await world.counts()
    for if_match in OTHER_VERSIONS:
        with subtests.test(if_match):
            headers = once(world.officer(ZAOZHUANG, "clerk")) | {"If-Match": if_match}
            answer = await world.client.post(
                f"/v1/applications/{case_no}/actions/supplement",
                json={},
                headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
            )
            assert answer.status_code == 412
    assert await world.counts() == before


async def test_who_saw_the_present_version_goes_on(world: World) -> None:
    person = await world.mover()
    case_no = (await world.apply(world.application(person, YANTAI, ZAOZHUANG)))["case_no"]
    headers = world.officer(ZAOZHUANG, "clerk")
    etag = (await world.client.get(f"/v1/applications/{case_no}", headers=headers)).headers["ETag"]

    answer = await world.post(f"/v1/applications/{case_no}/actions/accept", {}, {**headers, "If-Match": etag})

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')


async def test_names_are_whole_for_officers_and_the_person_and_masked_for_systems(world: World) -> None:
    pair = await world.accepted()
    path = f"/v1/applications/{pair.incoming}"

    seen = {
        who: (await world.client.get(path, headers=headers)).json()["applicant_name"]
        for who, headers in {
            "officer": world.officer(ZAOZHUANG, "clerk"),
            "person": world.citizen(pair.person),
            "system": system("transfer.read"),
        }.items()
    }

    assert seen["officer"] == seen["person"] == pair.person.name
    assert re.fullmatch(r".\*\*", seen["system"])


async def test_documents_are_shown_in_full_and_so_to_no_system_and_no_officer_without_a_role(
    world: World,
) -> None:
    pair = await world.with_sheet()
    path = f"/v1/applications/{pair.outgoing}/documents"

    refused = await world.client.get(path, headers=system("transfer.read"))
    idle = await world.client.get(path, headers=officer(pair.outgoing[:6]))

    assert (refused.status_code, refused.json()["code"]) == (403, "documents")
    assert (idle.status_code, idle.json()["code"]) == (403, "role")


async def test_no_identity_number_stands_in_a_fact_or_in_plain_in_the_database(world: World) -> None:
    pair = await world.with_money()

    number = pair.person.id_number
    bodies = await world.sql("SELECT convert_from(body, 'UTF8') FROM outbox")
    tables = ("cases", "moves", "case_record", "case_documents", "exchange_journal", "bank_receipts")
    rows = [row for table in tables for row in await world.sql(f"SELECT {table}::text FROM {table}")]
    messages = await world.sql("SELECT convert_from(body, 'UTF8') FROM exchange_outgoing")
    assert len(bodies) > 5
    assert not [row for row in [*bodies, *messages, *rows] if number in row[0]]


def _roles_for(action: str) -> set[Role]:
    caseworkers = {Role.CLERK, Role.REVIEWER, Role.SUPERVISOR}
    return {
        "reject": {Role.REVIEWER, Role.SUPERVISOR},
        "issue-contact-letter": {Role.CLERK, Role.REVIEWER},
        "correct": {Role.CLERK, Role.REVIEWER},
        "issue-information-sheet": {Role.REVIEWER},
        "pay": {Role.FINANCE},
        "take-up": {Role.REVIEWER},
        "return-for-correction": {Role.REVIEWER},
    }.get(action, caseworkers)
