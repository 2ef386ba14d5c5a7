"""A small client of the gateway, as a mini-program backend or an officer's desk would write it."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey

from libs.identifiers.made_up import MadeUpPerson

MINI_PROGRAM_GRANT = "urn:yibao:params:oauth:grant-type:mini-program-code"
LONGEST_WAIT_S = 30.0
POLL_S = 0.02


class UnexpectedAnswer(Exception):
    """The gateway answered otherwise than the story needs."""


@dataclass
class MiniProgram:
    """A mini-program backend: its client id, secret, and the key it signs its codes with."""

    client_id: str
    secret: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> str:
        return b64encode(self.key.public_key().public_bytes_raw()).decode()

    def code_for(self, person: MadeUpPerson) -> str:
        """A one-time code for a citizen whose real name the backend has verified."""
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "aud": "yibao-gateway",
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + 120,
            "credential_type": "resident_id",
            "credential_no": person.id_number,
            "name": person.name,
        }
        key = OKPKey.import_key(self.key)
        return jwt.encode({"alg": "Ed25519"}, claims, key, algorithms=["Ed25519"])


class Api:
    """Calls the gateway; every write has an idempotency key of its own."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._tokens: dict[str, str] = {}
        self.calls = 0

    async def sign_in_officer(self, username: str, password: str) -> None:
        """Officer's password grant; later calls name the user."""
        await self._sign_in(username, {"grant_type": "password", "username": username, "password": password})

    async def sign_in_citizen(self, name: str, backend: MiniProgram, person: MadeUpPerson) -> None:
        """A citizen through the mini-program backend."""
        grant = {
            "grant_type": MINI_PROGRAM_GRANT,
            "client_id": backend.client_id,
            "client_secret": backend.secret,
            "code": backend.code_for(person),
        }
        await self._sign_in(name, grant)

    async def sign_in_system(self, name: str, client_id: str, secret: str) -> None:
        """A system with its own credentials; later calls name it ``name``."""
        grant = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        await self._sign_in(name, grant)

    def token_of(self, who: str) -> str:
        """The access token somebody signed in with."""
        return self._tokens[who]

    async def get(self, who: str | None, path: str) -> Any:
        """The JSON answer. Raises UnexpectedAnswer for anything but 200."""
        answer = await self._send("GET", who, path, None)
        return _expected(answer, 200)

    async def post(self, who: str, path: str, body: dict[str, Any], status: int = 200) -> Any:
        """The JSON answer. Raises UnexpectedAnswer for another status."""
        return _expected(await self._send("POST", who, path, body), status)

    async def send(self, who: str, path: str, content: bytes, media_type: str, status: int) -> Any:
        """The JSON answer to a file sent as the body. Raises UnexpectedAnswer for another status."""
        answer = await self._send("POST", who, path, content, media_type)
        return _expected(answer, status)

    async def download(self, who: str, path: str) -> bytes:
        """A file. Raises UnexpectedAnswer for anything but 200."""
        answer = await self._send("GET", who, path, None)
        if answer.status_code != 200:
            raise UnexpectedAnswer(f"GET {path}: {answer.status_code} {answer.text}")
        return answer.content

    async def attempt(self, who: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and JSON of a write that may be refused."""
        answer = await self._send("POST", who, path, body)
        return answer.status_code, answer.json()

    async def _sign_in(self, who: str, grant: dict[str, str]) -> None:
        self.calls += 1
        answer = await self._client.post("/v1/auth/token", data=grant)
        self._tokens[who] = _expected(answer, 200)["access_token"]

    async def _send(
        self,
        method: str,
        who: str | None,
        path: str,
        body: dict[str, Any] | bytes | None,
        media_type: str | None = None,
    ) -> httpx.Response:
        self.calls += 1
        headers = {"Authorization": f"Bearer {self._tokens[who]}"} if who else {}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        if isinstance(body, bytes):
            headers["Content-Type"] = media_type or "application/octet-stream"
            return await self._client.request(method, path, content=body, headers=headers)
        return await self._client.request(method, path, json=body, headers=headers)


async def until(what: str, look: Callable[[], Awaitable[Any]]) -> Any:
    """Look again until there is something to see. Raises TimeoutError naming what never came."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while time.monotonic() < deadline:
        seen = await look()
        if seen:
            return seen
        await asyncio.sleep(POLL_S)
    raise TimeoutError(f"{LONGEST_WAIT_S:.0f} 秒内没有等到：{what}")


def _expected(answer: httpx.Response, status: int) -> Any:
    if answer.status_code != status:
        raise UnexpectedAnswer(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}"
        )
    return answer.json()
