"""Who is calling: only what the gateway signed, for us, and not run out."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from libs.refusals.faults import Refusal
from libs.webapp.callers import (
    ALGORITHM,
    AUDIENCE,
    ISSUER,
    ROLE_NAMES,
    Caller,
    CallerKind,
    NotSignedInError,
    Role,
    TokenVerifier,
)
from tests.libs.webapp.conftest import REGION, Stage
from tests.support import tokens
from tests.support.tokens import PUBLIC_KEY, citizen, headers, officer, system, token

VERIFIER = TokenVerifier(PUBLIC_KEY)


def claims(**changes: Any) -> dict[str, Any]:
    known = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "officer-1",
        "exp": int(time.time()) + 60,
        "kind": "officer",
    }
    return {name: value for name, value in (known | changes).items() if value is not None}


def signed(content: dict[str, Any]) -> str:
    return jwt.encode({"alg": ALGORITHM}, content, tokens._KEY, algorithms=[ALGORITHM])


def unsigned(content: dict[str, Any]) -> str:
    parts = [json.dumps({"alg": "none", "typ": "JWT"}), json.dumps(content)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "."


def by_shared_secret(content: dict[str, Any]) -> str:
    """HS256 with the public key as the secret: the oldest trick against verifiers."""
    return jwt.encode({"alg": "HS256"}, content, OctKey.import_key(PUBLIC_KEY), algorithms=["HS256"])


def by_another_key(content: dict[str, Any]) -> str:
    other = OKPKey.generate_key("Ed25519")
    return jwt.encode({"alg": ALGORITHM}, content, other, algorithms=[ALGORITHM])


BAD = {
    "run out": signed(claims(exp=int(time.time()) - 1)),
    "without an end": signed(claims(exp=None)),
    "by another key": by_another_key(claims()),
    "for somebody else": signed(claims(aud="other")),
    "for nobody": signed(claims(aud=None)),
    "by another issuer": signed(claims(iss="other")),
    "without a subject": signed(claims(sub=None)),
    "without a kind": signed(claims(kind=None)),
    "of an unknown kind": signed(claims(kind="robot")),
    "alg none": unsigned(claims()),
    "by shared secret": by_shared_secret(claims()),
    "cut": signed(claims())[:-4],
    "changed": signed(claims())[:-10] + "AAAAAAAAAA",
    "no token": "370402199001010010",
    "nothing": "",
    "not ASCII": "令牌",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_no_such_token_signs_anybody_in(bad: str) -> None:
    with pytest.raises(NotSignedInError):
        VERIFIER.caller_of(bad)


def test_a_good_token_tells_who_is_calling() -> None:
    caller = VERIFIER.caller_of(
        token(CallerKind.OFFICER, "o-1", name="张三", regions=[REGION], roles=[Role.CLERK], office="综合窗口")
    )
    assert caller == Caller(
        CallerKind.OFFICER, "o-1", "张三", (REGION,), frozenset({"clerk"}), frozenset(), "综合窗口"
    )


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", f"bearer{BAD['run out']}"]
)
async def test_without_a_token_the_answer_is_401_with_the_way_to_one(
    stage: Stage, authorization: str | None
) -> None:
    sent = {} if authorization is None else {"Authorization": authorization}

    answer = await stage.client.get("/me", headers=sent)

    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "POST /v1/auth/token" in answer.json()["detail"]


async def test_a_token_that_is_no_good_is_answered_like_none(stage: Stage) -> None:
    for bad in ("by another key", "run out", "alg none"):
        assert (await stage.client.get("/me", headers=headers(BAD[bad]))).status_code == 401


async def test_each_kind_of_caller_comes_in(stage: Stage) -> None:
    kinds = [
        (await stage.client.get("/me", headers=caller)).json()["kind"]
        for caller in (citizen("key"), officer(REGION, Role.CLERK), system("x"))
    ]
    assert kinds == ["citizen", "officer", "system"]


OFFICER = Caller(CallerKind.OFFICER, "o", "张三", (REGION,), frozenset({"clerk"}))


def test_regions_roles_and_scopes_are_asked_for() -> None:
    OFFICER.require_region(REGION)
    OFFICER.require_role(Role.REVIEWER, Role.CLERK)
    with pytest.raises(Refusal, match="无权办理行政区划420100"):
        OFFICER.require_region("420100")
    with pytest.raises(Refusal, match="须由审核人员、财务人员办理"):
        OFFICER.require_role(Role.REVIEWER, Role.FINANCE)
    with pytest.raises(Refusal, match="“transfer"):
        OFFICER.require_scope("transfer.read")


def test_a_role_in_the_token_of_a_citizen_or_a_system_is_worth_nothing() -> None:
    for kind in (CallerKind.CITIZEN, CallerKind.SYSTEM):
        caller = Caller(kind, "s", "", ("*",), frozenset({"clerk"}), frozenset({"x"}))
        with pytest.raises(Refusal):
            caller.require_role(Role.CLERK)
    citizen_with_scope = Caller(CallerKind.CITIZEN, "s", "", ("*",), scopes=frozenset({"x"}))
    with pytest.raises(Refusal):
        citizen_with_scope.require_scope("x")


def test_every_role_has_a_name() -> None:
    assert set(ROLE_NAMES) == set(Role)
