"""Tokens: the three grants, and everything that gets none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from libs.webapp.callers import ALGORITHM, CallerKind, TokenVerifier
from libs.webapp.database import Database
from libs.webapp.edge import Resources
from services.gateway.service import register_client
from tests.services.gateway.conftest import Knock
from tests.services.gateway.people import (
    BACKEND,
    CITIZEN,
    HOSPITAL,
    ISSUER,
    OFFICER,
    OTHER_KEY,
    PERSON,
    TOKEN,
    citizen_sign_in,
    code,
)

pytestmark = pytest.mark.usefixtures("registered")

SYSTEM = {"grant_type": "client_credentials", **HOSPITAL}
VERIFIER = TokenVerifier(ISSUER.public_key)


async def refused(client: httpx.AsyncClient, asked: dict[str, Any]) -> tuple[int, str]:
    """Status and RFC 6749 code of a refusal, whose shape is checked on the way."""
    answer = await client.post(TOKEN, data=asked)
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["error_description"] == body["detail"]
    assert not body["detail"].isascii(), "a person must be able to read it"
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, body["error"]


async def test_a_system_gets_its_regions_and_scopes(knock: Knock) -> None:
    async with knock() as client:
        answer = await client.post(TOKEN, data=SYSTEM)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 1800)
    assert body["scope"] == "enrollment.read tracking.read"
    caller = VERIFIER.caller_of(body["access_token"])
    assert (caller.kind, caller.subject, caller.regions) == (CallerKind.SYSTEM, "hospital-1", ("370400",))
    assert caller.scopes == {"enrollment.read", "tracking.read"}


async def test_a_system_may_ask_for_less(knock: Knock) -> None:
    async with knock() as client:
        body = (await client.post(TOKEN, data={**SYSTEM, "scope": "tracking.read"})).json()
        assert VERIFIER.caller_of(body["access_token"]).scopes == {"tracking.read"}
        assert await refused(client, {**SYSTEM, "scope": "tracking.read transfer.write"}) == (
            400,
            "invalid_scope",
        )


async def test_json_and_basic_authentication_are_understood_too(knock: Knock) -> None:
    async with knock() as client:
        by_json = await client.post(TOKEN, json=SYSTEM)
        by_basic = await client.post(
            TOKEN,
            data={"grant_type": "client_credentials"},
            auth=(HOSPITAL["client_id"], HOSPITAL["client_secret"]),
        )
    assert (by_json.status_code, by_basic.status_code) == (200, 200)


async def test_an_officer_gets_office_roles_and_regions(knock: Knock) -> None:
    async with knock() as client:
        body = (await client.post(TOKEN, data=OFFICER)).json()
    caller = VERIFIER.caller_of(body["access_token"])
    assert (caller.kind, caller.subject, caller.office) == (CallerKind.OFFICER, "clerk-1", "综合窗口")
    assert (caller.roles, caller.regions) == ({"clerk"}, ("370400", "370402"))


async def test_a_citizen_is_known_by_the_blind_index_and_no_number_travels(
    knock: Knock, resources: Resources
) -> None:
    async with knock() as client:
        body = (await client.post(TOKEN, data=citizen_sign_in())).json()
    caller = VERIFIER.caller_of(body["access_token"])
    assert caller.kind is CallerKind.CITIZEN
    assert caller.subject == resources.protector.blind_index(CITIZEN.canonical)
    assert (caller.name, caller.regions) == (PERSON.name, ("*",))
    keys = KeySet.import_key_set(ISSUER.key_set())
    claims = jwt.decode(body["access_token"], keys, algorithms=[ALGORITHM]).claims
    assert CITIZEN.number not in str(claims)


async def test_the_public_key_is_published(knock: Knock) -> None:
    async with knock() as client:
        published = KeySet.import_key_set((await client.get("/.well-known/jwks.json")).json())
        token = (await client.post(TOKEN, data=SYSTEM)).json()["access_token"]
    assert jwt.decode(token, published, algorithms=[ALGORITHM]).claims["sub"] == "hospital-1"
    assert all("d" not in key.as_dict() for key in published.keys)


async def test_a_code_is_good_once(knock: Knock) -> None:
    signed = code()
    async with knock() as client:
        assert (await client.post(TOKEN, data=citizen_sign_in(signed))).status_code == 200
        assert await refused(client, citizen_sign_in(signed)) == (400, "invalid_grant")


async def test_a_code_sent_twice_at_once_is_good_once(knock: Knock) -> None:
    asked = citizen_sign_in(code())
    async with knock() as client:
        answers = await asyncio.gather(*(client.post(TOKEN, data=asked) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


BAD_CODES: dict[str, Callable[[], str]] = {
    "expired": lambda: code(life_s=60, made_s_ago=61),
    "good for more than five minutes": lambda: code(life_s=301),
    "made in the future": lambda: code(made_s_ago=-120),
    "signed by another key": lambda: code(OTHER_KEY),
    "of another client": lambda: code(iss="hospital-1"),
    "for somebody else": lambda: code(aud="somebody-else"),
    "without its own id": lambda: code(jti=None),
    "without an end": lambda: code(exp=None),
    "good beyond all time": lambda: code(exp=10**30),
    "with a wrong identity number": lambda: code(credential_no=CITIZEN.number[:-1] + "?"),
    "with NUL in the name": lambda: code(name="a\0b"),
    "with a broken signature": lambda: code()[:-4] + "AAAA",
    "no JWT at all": lambda: "not-a-token",
    "hardly a JWT": lambda: "a.b.c",
}


async def test_every_bad_code_is_refused(knock: Knock) -> None:
    async with knock() as client:
        outcomes = {name: await refused(client, citizen_sign_in(made())) for name, made in BAD_CODES.items()}
    assert outcomes == dict.fromkeys(BAD_CODES, (400, "invalid_grant"))


BAD_SIGN_INS: dict[str, tuple[dict[str, Any], int, str]] = {
    "wrong password": ({**OFFICER, "password": "wrong-password"}, 400, "invalid_grant"),
    "unknown officer": ({**OFFICER, "username": "nobody"}, 400, "invalid_grant"),
    "wrong secret": ({**SYSTEM, "client_secret": "wrong-secret"}, 401, "invalid_client"),
    "unknown client": ({**SYSTEM, "client_id": "nobody"}, 401, "invalid_client"),
    "backend's wrong secret": ({**citizen_sign_in(), "client_secret": "wrong"}, 401, "invalid_client"),
    "backend as a system": ({**SYSTEM, **BACKEND}, 400, "unauthorized_client"),
    "system as a backend": ({**citizen_sign_in(), **HOSPITAL}, 400, "unauthorized_client"),
    "unknown grant": ({**SYSTEM, "grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
    "no grant": ({"client_id": "hospital-1"}, 400, "invalid_request"),
    "no password": ({"grant_type": "password", "username": "clerk-1"}, 400, "invalid_request"),
    "NUL": ({**OFFICER, "username": "clerk-1\0"}, 400, "invalid_request"),
    "too long": ({**OFFICER, "password": "x" * 300}, 400, "invalid_request"),
    "a parameter twice": ({**OFFICER, "username": ["clerk-1", "clerk-2"]}, 400, "invalid_request"),
}


async def test_every_bad_sign_in_is_refused(knock: Knock) -> None:
    async with knock() as client:
        outcomes = {name: await refused(client, asked) for name, (asked, _, _) in BAD_SIGN_INS.items()}
    assert outcomes == {name: (status, error) for name, (_, status, error) in BAD_SIGN_INS.items()}


async def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(knock: Knock) -> None:
    async with knock() as client:
        unknown = await client.post(TOKEN, data={**OFFICER, "username": "nobody"})
        wrong = await client.post(TOKEN, data={**OFFICER, "password": "wrong-password"})
    assert unknown.json() == wrong.json()


async def test_every_broken_body_is_refused(knock: Knock) -> None:
    bodies = [b"[]", b"\xff", b"{", b'{"grant_type": "password", "username": "\\ud800"}', b""]
    async with knock() as client:
        for body in bodies:
            answer = await client.post(TOKEN, content=body, headers={"Content-Type": "application/json"})
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), body


async def test_a_body_too_large_is_refused(knock: Knock) -> None:
    async with knock() as client:
        answer = await client.post(TOKEN, data={**OFFICER, "padding": "x" * 20_000})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_passwords_cannot_be_tried_for_ever(knock: Knock) -> None:
    wrong = {**OFFICER, "password": "wrong-password"}
    async with knock(sign_in_limit="3/hour") as client:
        assert [(await client.post(TOKEN, data=wrong)).status_code for _ in range(3)] == [400] * 3
        answer = await client.post(TOKEN, data=OFFICER)
        assert answer.status_code == 429, "the right password comes too late"
        assert 0 < int(answer.headers["retry-after"]) <= 3600
        assert answer.json()["code"] == "too_many_requests"
        assert (await client.post(TOKEN, data=SYSTEM)).status_code == 200, "others are not concerned"


async def test_passwords_tried_at_once_are_counted_before_they_are_tried(knock: Knock) -> None:
    wrong = {**OFFICER, "password": "wrong-password"}
    async with knock(sign_in_limit="3/hour") as client:
        answers = await asyncio.gather(*(client.post(TOKEN, data=wrong) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [400] * 3 + [429] * 5


async def test_the_right_password_forgets_the_wrong_ones(knock: Knock) -> None:
    wrong = {**OFFICER, "password": "wrong-password"}
    async with knock(sign_in_limit="3/hour") as client:
        for _ in range(3):
            assert (await client.post(TOKEN, data=wrong)).status_code == 400
            assert (await client.post(TOKEN, data=OFFICER)).status_code == 200


async def test_an_address_cannot_try_everybody(knock: Knock) -> None:
    async with knock(sign_in_address_limit="2/hour") as client:
        for name in ("nobody-1", "nobody-2"):
            assert (await client.post(TOKEN, data={**SYSTEM, "client_id": name})).status_code == 401
        assert (await client.post(TOKEN, data=SYSTEM)).status_code == 429


async def test_a_caller_that_was_closed_gets_no_token(knock: Knock, owner: Database) -> None:
    async with owner.transaction(()) as session:
        await session.execute(text("UPDATE officers SET active = false"))
        await session.execute(text("UPDATE clients SET active = false"))
    async with knock() as client:
        assert (await refused(client, OFFICER))[1] == "invalid_grant"
        assert (await refused(client, SYSTEM))[1] == "invalid_client"


async def test_the_gateways_own_login_registers_nobody(resources: Resources) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with resources.database.transaction(()) as session:
            await register_client(
                session, client_id="intruder", secret="x" * 12, name="入侵者", regions=["370400"]
            )


async def test_secrets_are_stored_as_argon2_hashes(owner: Database) -> None:
    async with owner.transaction(()) as session:
        stored = [
            *await session.scalars(
                text("SELECT password_hash FROM officers UNION ALL SELECT secret_hash FROM clients")
            )
        ]
    assert len(stored) == 3
    assert all(value.startswith("$argon2id$") for value in stored)
