"""Registering who may sign in. Done as the database's owner: the gateway's login only reads these."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from libs.refusals.faults import Fault, invalid
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from services.gateway import repository
from services.gateway.service.secrets import hash_of

SHORTEST_SECRET = 12
_REGION = re.compile(r"\d{6}", re.ASCII)


async def register_officer(
    session: AsyncSession,
    *,
    username: str,
    password: str,
    name: str,
    roles: Collection[Role],
    office: str,
    regions: Sequence[str],
) -> None:
    """Add an officer, or change one (a new password, office, role). Raises Refusal (invalid)."""
    _require(_secret_faults(password, "/password") + _region_faults(regions))
    await repository.put_officer(
        session,
        {
            "username": username,
            "name": name,
            "password_hash": hash_of(password),
            "roles": sorted(role.value for role in roles),
            "office": office,
            "regions": list(regions),
            "active": True,
        },
    )


async def register_client(
    session: AsyncSession,
    *,
    client_id: str,
    secret: str,
    name: str,
    scopes: Collection[str] = (),
    regions: Sequence[str] = (),
    public_key: str | None = None,
) -> None:
    """Add or change a system, or with ``public_key`` a mini-program backend.

    ``public_key``: Ed25519, base64 of 32 bytes, that the backend's codes are verified with;
    its citizens may go to any region, so ``regions`` and ``scopes`` do not apply to it.
    Raises Refusal (invalid).
    """
    faults = _secret_faults(secret, "/secret") + _key_faults(public_key)
    if public_key is None and tuple(regions) != ALL_REGIONS:
        faults += _region_faults(regions)
    _require(faults)
    await repository.put_client(
        session,
        {
            "client_id": client_id,
            "name": name,
            "kind": "system" if public_key is None else "mini_program",
            "secret_hash": hash_of(secret),
            "scopes": sorted(scopes),
            "regions": list(regions),
            "public_key": public_key,
            "active": True,
        },
    )


def _require(faults: list[Fault]) -> None:
    if faults:
        raise invalid("registration", "登记信息有误。", faults)


def _secret_faults(secret: str, pointer: str) -> list[Fault]:
    if len(secret) >= SHORTEST_SECRET:
        return []
    return [Fault("secret_too_short", f"口令或密钥至少{SHORTEST_SECRET}个字符。", pointer)]


def _region_faults(regions: Sequence[str]) -> list[Fault]:
    if regions and all(_REGION.fullmatch(region) for region in regions):
        return []
    return [Fault("regions", "应为一个或多个六位行政区划代码。", "/regions")]


def _key_faults(public_key: str | None) -> list[Fault]:
    if public_key is None:
        return []
    try:
        raw = base64.b64decode(public_key, validate=True)
    except ValueError:
        raw = b""
    return [] if len(raw) == 32 else [Fault("public_key", "应为32字节Ed25519公钥的base64。", "/public_key")]
