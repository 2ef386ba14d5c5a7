"""Access tokens: signed here, verified here and in every service (libs/webapp/callers.py)."""

from __future__ import annotations

import base64
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey
from uuid_utils.compat import uuid7

from libs.webapp.callers import ALGORITHM, AUDIENCE, ISSUER, Caller, TokenVerifier

LIFE_S = 30 * 60
_REMEMBERED_S = 60
_MOST_REMEMBERED = 20_000


class TokenIssuer:
    """Signs access tokens with an Ed25519 seed (32 bytes)."""

    def __init__(self, seed: bytes) -> None:
        private_key = Ed25519PrivateKey.from_private_bytes(seed)
        raw_public_key = private_key.public_key().public_bytes_raw()
        self.public_key = base64.b64encode(raw_public_key).decode()
        """What services verify with (``YIBAO_TOKEN_PUBLIC_KEY``): base64 of 32 bytes."""
        numbers = {"x": _base64url(raw_public_key), "d": _base64url(seed)}
        self._key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **numbers})
        self._key_id = self._key.thumbprint()

    def issue(self, caller: Caller) -> str:
        """A token for ``caller`` that is good for ``LIFE_S`` seconds.

        Counted by the machine's clock: whoever verifies it may run in another process, which
        knows nothing of a clock set by hand for a demonstration.
        """
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": caller.subject,
            "iat": now,
            "exp": now + LIFE_S,
            "jti": str(uuid7()),
            "kind": caller.kind.value,
            "name": caller.name,
            "regions": list(caller.regions),
            "roles": sorted(caller.roles),
            "scope": " ".join(sorted(caller.scopes)),
            "office": caller.office,
        }
        header = {"alg": ALGORITHM, "kid": self._key_id}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])

    def key_set(self) -> dict[str, Any]:
        """JWKS (RFC 7517) with the public key."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self._key_id, "alg": ALGORITHM, "use": "sig"}]}


class RememberingVerifier:
    """Verifies a token once a minute instead of at every request (135 µs each).

    The services behind verify every time: here it decides only whom a request is counted for.
    """

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier
        self._known: dict[str, tuple[Caller, float]] = {}

    def caller_of(self, token: str) -> Caller:
        """Raises NotSignedInError."""
        caller, good_until = self._known.get(token, (None, 0.0))
        if caller is not None and time.monotonic() < good_until:
            return caller
        caller = self._verifier.caller_of(token)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[token] = (caller, time.monotonic() + _REMEMBERED_S)
        return caller


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
