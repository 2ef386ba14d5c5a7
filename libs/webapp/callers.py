"""Who is calling: citizens through a mini-program backend, officers, systems.

Access tokens are JWTs signed by the gateway (EdDSA) and verified here, in every service: the
gateway is not the only line. A citizen's subject is the blind index of the credential, so no
identity number travels in a token.
"""

from __future__ import annotations

import base64
import time
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from libs.refusals.faults import forbidden
from libs.webapp.database import ALL_REGIONS

ISSUER = "yibao-gateway"
AUDIENCE = "yibao"
ALGORITHM = "Ed25519"
MOST_REMEMBERED_TOKENS = 10_000


class CallerKind(StrEnum):
    CITIZEN = "citizen"
    OFFICER = "officer"
    SYSTEM = "system"


class Role(StrEnum):
    """Officers' roles."""

    CLERK = "clerk"
    REVIEWER = "reviewer"
    FINANCE = "finance"
    CHIEF = "chief"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class Caller:
    """The authenticated caller of a request.

    ``regions`` is ``("*",)`` for citizens (docs/decisions/0006) and for systems that serve all.
    """

    kind: CallerKind
    subject: str
    name: str
    regions: tuple[str, ...]
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    office: str | None = None

    def may_see(self, region_code: str) -> bool:
        """Whether rows of this region are the caller's business at all."""
        return self.regions == ALL_REGIONS or region_code in self.regions

    def require_region(self, region_code: str) -> None:
        """Raises Refusal (forbidden) for a foreign region."""
        if not self.may_see(region_code):
            raise forbidden("foreign_region", f"您无权办理行政区划{region_code}的业务。")

    def require_role(self, *roles: Role) -> None:
        """Raises Refusal (forbidden) unless an officer holds one of ``roles``."""
        if self.kind is not CallerKind.OFFICER or not self.roles & set(roles):
            names = "、".join(ROLE_NAMES[role] for role in roles)
            raise forbidden("role", f"此操作须由{names}办理。")

    def require_scope(self, scope: str) -> None:
        """Raises Refusal (forbidden) unless a system holds ``scope``."""
        if self.kind is not CallerKind.SYSTEM or scope not in self.scopes:
            raise forbidden("scope", f"此操作只对持有“{scope}”授权的系统开放。")


ROLE_NAMES = {
    Role.CLERK: "受理人员",
    Role.REVIEWER: "审核人员",
    Role.FINANCE: "财务人员",
    Role.CHIEF: "负责人",
    Role.SUPERVISOR: "主管人员",
    Role.AUDITOR: "稽核人员",
}


class NotSignedInError(Exception):
    """No token, or one that is not valid (any more). Answered with 401."""


class TokenVerifier:
    """Verifies access tokens with the gateway's public key (base64 of 32 bytes)."""

    def __init__(self, public_key: str) -> None:
        raw = base64.b64decode(public_key, validate=True)
        encoded = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        self._key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": encoded})
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
            kind={"essential": True},
        )

        self._verified: OrderedDict[str, tuple[Caller, float]] = OrderedDict()

    def caller_of(self, token: str) -> Caller:
        """Raises NotSignedInError unless signature, issuer, audience and expiry hold.

        A token that was verified is remembered until it expires: the signature costs 135 µs,
        and a caller uses one token for many requests.
        """
        remembered = self._verified.get(token)
        if remembered is not None and time.time() < remembered[1]:
            return remembered[0]
        caller, expires_at = self._verify(token)
        self._verified[token] = (caller, expires_at)
        if len(self._verified) > MOST_REMEMBERED_TOKENS:
            self._verified.popitem(last=False)
        return caller

    def _verify(self, token: str) -> tuple[Caller, float]:
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            self._claims.validate(claims)
            kind = CallerKind(claims["kind"])
        except (JoseError, ValueError) as error:
            raise NotSignedInError(str(error)) from error
        caller = Caller(
            kind=kind,
            subject=claims["sub"],
            name=claims.get("name", ""),
            regions=tuple(claims.get("regions", ())),
            roles=frozenset(claims.get("roles", ())),
            scopes=frozenset(claims.get("scope", "").split()),
            office=claims.get("office"),
        )
        return caller, float(claims["exp"])


def bearer_token(request: Request) -> str:
    """The token of the Authorization header. Raises NotSignedInError where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedInError("no bearer token")
    return token
