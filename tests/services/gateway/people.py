"""Made-up callers of the gateway and what they sign in with."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import OKPKey

from libs.identifiers.credentials import Credential, CredentialType
from libs.identifiers.made_up import MadeUp
from libs.webapp.callers import ALGORITHM, Caller, CallerKind, Role
from libs.webapp.database import ALL_REGIONS, Database
from services.gateway.service import register_client, register_officer
from services.gateway.service.tokens import TokenIssuer

TOKEN = "/v1/auth/token"
MINI_PROGRAM = "urn:yibao:params:oauth:grant-type:mini-program-code"

BACKEND_KEY = OKPKey.generate_key("Ed25519")
OTHER_KEY = OKPKey.generate_key("Ed25519")
BACKEND = {"client_id": "mini-program", "client_secret": "mini-program-secret"}
HOSPITAL = {"client_id": "hospital-1", "client_secret": "hospital-1-secret"}
OFFICER = {"grant_type": "password", "username": "clerk-1", "password": "clerk-1-password"}

PERSON = MadeUp(20261).person("370402")
CITIZEN = Credential(CredentialType.RESIDENT_ID, PERSON.id_number)

SEED = hashlib.sha256(b"signs the tokens of this test run").digest()
ISSUER = TokenIssuer(SEED)
CLERK = Caller(
    CallerKind.OFFICER, "clerk-1", "经办甲", ("370400",), frozenset({Role.CLERK}), office="综合窗口"
)
LI = Caller(CallerKind.CITIZEN, "a" * 64, "李某", ALL_REGIONS)


def public_key(key: OKPKey) -> str:
    """Base64 of the 32 bytes."""
    return base64.b64encode(base64.urlsafe_b64decode(str(key.as_dict(private=False)["x"]) + "=")).decode()


async def register_all(owner: Database) -> None:
    """One mini-program backend, one hospital, one officer."""
    async with owner.transaction(()) as session:
        await register_client(
            session,
            client_id=BACKEND["client_id"],
            secret=BACKEND["client_secret"],
            name="便民小程序",
            public_key=public_key(BACKEND_KEY),
        )
        await register_client(
            session,
            client_id=HOSPITAL["client_id"],
            secret=HOSPITAL["client_secret"],
            name="第一人民医院",
            scopes=["enrollment.read", "tracking.read"],
            regions=["370400"],
        )
        await register_officer(
            session,
            username=OFFICER["username"],
            password=OFFICER["password"],
            name="经办甲",
            roles=[Role.CLERK],
            office="综合窗口",
            regions=["370400", "370402"],
        )


def code(key: OKPKey = BACKEND_KEY, *, life_s: int = 120, made_s_ago: int = 0, **claims: Any) -> str:
    """A one-time code of the mini-program backend; a claim given as None is left out."""
    issued_at = int(time.time()) - made_s_ago
    content = {
        "iss": BACKEND["client_id"],
        "aud": "yibao-gateway",
        "jti": uuid4().hex,
        "iat": issued_at,
        "exp": issued_at + life_s,
        "credential_type": CITIZEN.type.value,
        "credential_no": CITIZEN.number,
        "name": PERSON.name,
        **claims,
    }
    present = {name: value for name, value in content.items() if value is not None}
    return jwt.encode({"alg": ALGORITHM}, present, key, algorithms=[ALGORITHM])


def citizen_sign_in(signed: str | None = None) -> dict[str, str]:
    """The request of the mini-program backend for a citizen."""
    return {"grant_type": MINI_PROGRAM, **BACKEND, "code": signed or code()}


def bearer(caller: Caller) -> dict[str, str]:
    """Headers of a signed-in caller."""
    return {"Authorization": f"Bearer {ISSUER.issue(caller)}"}
