"""Access tokens as the gateway would sign them, with a key made for this test run."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import OKPKey

from libs.webapp.callers import ALGORITHM, AUDIENCE, ISSUER, CallerKind, Role

_KEY = OKPKey.generate_key("Ed25519")
_RAW_PUBLIC_KEY = base64.urlsafe_b64decode(str(_KEY.as_dict(private=False)["x"]) + "=")
PUBLIC_KEY = base64.b64encode(_RAW_PUBLIC_KEY).decode()
"""What services verify these tokens with (base64 of 32 bytes)."""


def token(
    kind: CallerKind,
    subject: str,
    *,
    name: str = "",
    regions: Iterable[str] = (),
    roles: Iterable[Role] = (),
    scopes: Iterable[str] = (),
    office: str | None = None,
    life_s: int = 3600,
) -> str:
    """A signed token. A negative ``life_s`` makes one that has expired."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "exp": int(time.time()) + life_s,
        "kind": kind.value,
        "name": name,
        "regions": list(regions),
        "roles": [role.value for role in roles],
        "scope": " ".join(scopes),
        "office": office,
    }
    return jwt.encode({"alg": ALGORITHM}, claims, _KEY, algorithms=[ALGORITHM])


def citizen(person_key: str) -> dict[str, str]:
    """Headers of a citizen: sees all regions, and owns what bears the own ``person_key``."""
    return headers(token(CallerKind.CITIZEN, person_key, name="本人", regions=["*"]))


def officer(region_code: str, *roles: Role, subject: str = "officer-1") -> dict[str, str]:
    """Headers of an officer of one region."""
    return headers(
        token(
            CallerKind.OFFICER,
            subject,
            name="经办人员",
            regions=[region_code],
            roles=roles,
            office="综合窗口",
        )
    )


def system(*scopes: str, regions: Iterable[str] = ("*",), subject: str = "system-1") -> dict[str, str]:
    """Headers of a system with these scopes."""
    return headers(token(CallerKind.SYSTEM, subject, name="业务系统", regions=regions, scopes=scopes))


def headers(signed: str) -> dict[str, str]:
    """Authorization of a request."""
    return {"Authorization": f"Bearer {signed}"}


def once(caller: dict[str, str], key: str | None = None) -> dict[str, str]:
    """The caller's headers for one write: with an Idempotency-Key, a new one unless given."""
    return {**caller, "Idempotency-Key": key or uuid4().hex}
